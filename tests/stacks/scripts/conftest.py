"""Each test has its own copy of the scripts, and its own swarm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks.scripts import server
from tests.stacks.scripts.stage import Stage
from tests.stacks.scripts.state import Swarm


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    swarm = Swarm()
    with server.serving(swarm) as port:
        yield Stage(tmp_path, swarm, port)
