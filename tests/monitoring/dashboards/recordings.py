"""The recorded scrapes in tests/monitoring/recorded, and whom its README says that each is of."""

import re
from typing import Final, NamedTuple

from devstack import paths

FOLDER: Final = paths.PROJECT / "tests" / "monitoring" / "recorded"
_ROW: Final = re.compile(r"^\| `([\w-]+)\.prom` \| `([\w-]+)`, `([\w-]+)` \|", re.MULTILINE)


class Recording(NamedTuple):
    """A file, without its ending, and the labels that Prometheus gives such a target."""

    name: str
    job: str
    service: str


def all_of_them() -> list[Recording]:
    return [Recording(*found) for found in _ROW.findall((FOLDER / "README.md").read_text("utf-8"))]
