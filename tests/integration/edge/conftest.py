"""An edge before one upstream that notes what it is asked, for the tests of one module."""

from collections.abc import Iterator

import pytest

from tests.integration.edge import edges, recorder
from tests.integration.edge.edges import Edge
from tests.integration.edge.recorder import Recorder


@pytest.fixture(scope="module")
def upstream() -> Iterator[Recorder]:
    with recorder.recording() as running:
        yield running


@pytest.fixture(scope="module")
def edge(upstream: Recorder) -> Iterator[Edge]:
    with edges.running([edges.Upstream(upstream.port, upstream.port)]) as running:
        yield running
