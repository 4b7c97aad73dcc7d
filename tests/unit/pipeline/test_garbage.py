"""The collector leaves alone what lives for good."""

import gc
from collections.abc import Iterator

import pytest

from pipeline import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_lives_is_put_aside_and_what_comes_is_looked_at_rarely_but_not_never() -> None:
    garbage.calm()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] == garbage.YOUNG
    assert gc.isenabled()
