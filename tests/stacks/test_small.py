"""`small.yaml` under compose, whose containers are started again as they are where Swarm makes new ones."""

import re
from typing import Final

import pytest

from tests.stacks import mounts, rendering

_OPEN_IN_DEBIAN: Final = frozenset({"/tmp"})  # noqa: S108  the folder in the image, not a file of ours
_OPEN_IN_OFFICIAL: Final = {"POSTGRES_IMAGE": frozenset({"/var/run/postgresql"})}
"""By the image's name in images.env."""
_OPENED: Final = re.compile(r"\bchmod 1777((?: /\S+)+)")


@pytest.mark.parametrize("name", rendering.render("small").services)
def test_what_lies_in_memory_can_be_written_by_a_container_that_starts_again(name: str) -> None:
    """Where the image has no such folder the first start makes one, closed, and memory mounted over it at the second
    is as closed: workers ended with PermissionError from then on, after Ctrl-C, a crash or a restart of the laptop."""
    service = rendering.render("small").services[name]
    memory = {mount["target"] for mount in service["volumes"] if mounts.is_memory(mount)}
    assert memory <= _OPEN_IN_DEBIAN | _open_in(service["image"])


def _open_in(image: str) -> frozenset[str]:
    """Folders that everybody may write, by what the image is made of."""
    own = re.search(r"/allezone-(\w+):", image)
    if own is None:
        (variable,) = [key for key, named in rendering.images().items() if named == image]
        return _OPEN_IN_OFFICIAL.get(variable, frozenset())
    folder = rendering.ROOT if own[1] == "application" else rendering.ROOT / "services" / own[1]
    opened = _OPENED.findall((folder / "Dockerfile").read_text("utf-8"))
    return frozenset(path for paths in opened for path in paths.split())
