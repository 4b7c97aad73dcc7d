"""Every compose file is of the schema that the oldest client knows, which is the client that the documents ask for."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.stacks import rendering

_NAMED: Final = re.compile(r'version: "(3\.\d+)"')
_FOLDERS: Final = (rendering.STACKS, rendering.STACKS / "layouts", rendering.ROOT / "tests" / "stacks" / "swarm")
_FILES: Final = sorted(path for folder in _FOLDERS for path in folder.glob("*.yaml"))
_OPERATIONS: Final = rendering.ROOT / "docs" / "operations"


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_the_oldest_client_knows_the_schema(path: Path) -> None:
    assert _NAMED.findall(path.read_text("utf-8")) == [rendering.VERSION]


def test_files_that_the_documents_show_are_of_the_same_schema() -> None:
    shown = [found for path in _OPERATIONS.glob("*.md") for found in _NAMED.findall(path.read_text("utf-8"))]
    assert set(shown) == {rendering.VERSION}


def test_the_documents_ask_for_the_oldest_client() -> None:
    text = (_OPERATIONS / "deployment.md").read_text("utf-8")
    assert re.findall(r"Docker (\d+) or newer", text) == [str(rendering.OLDEST_CLIENT)]
    told = (rendering.ROOT / ".ci" / "run").read_text("utf-8")
    assert re.findall(r"client of version (\d+) or newer", told) == [str(rendering.OLDEST_CLIENT)]
