"""The small disk of the faults: full to the last byte, seen by nobody else, and gone afterwards."""

import errno
import os
from pathlib import Path

import pytest

from tests.faults import small_disk


def mounts() -> str:
    return Path("/proc/self/mounts").read_text()


def test_a_small_disk_is_full_when_it_is_filled_and_gone_when_it_is_left() -> None:
    before = mounts()

    def use(disk: Path) -> Path:
        assert mounts() == before
        filler = small_disk.fill(disk)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            (disk / "more").write_bytes(b"more")
        filler.unlink()
        (disk / "more").write_bytes(b"more")
        return disk

    try:
        disk = small_disk.on_one(1, use)
    except small_disk.NotPermitted as reason:
        pytest.skip(f"NO RIGHT TO MOUNT a small disk: {reason}")
    assert not disk.exists()
    assert mounts() == before


def test_what_fails_on_it_fails_outside() -> None:
    def fail(disk: Path) -> None:
        raise ValueError(disk.name)

    try:
        with pytest.raises(ValueError, match="allezone"):
            small_disk.on_one(1, fail)
    except small_disk.NotPermitted as reason:
        pytest.skip(f"NO RIGHT TO MOUNT a small disk: {reason}")
