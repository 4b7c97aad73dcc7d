"""What is superseded by a rebalance stands in the package's tree of errors, apart from what ends the process."""

import pytest

from pipeline import errors, placement, retrying


@pytest.mark.parametrize("kind", [retrying.Abandoned, placement.GivenUp])
def test_what_belongs_to_a_place_before_ends_nothing(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.Superseded)
    assert not issubclass(kind, errors.PipelineError)
