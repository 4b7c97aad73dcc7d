"""When a backup is taken, and of which kind."""

from typing import Any, Final

import pytest

from devstack import paths
from tests.support import scripts

backups = scripts.load(paths.SERVICES / "postgres" / "backups.py")

NOW: Final = 1_800_000_000.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR


def taken(kind: str, hours_ago: float, timeline: int = 1, *, error: bool = False) -> dict[str, Any]:
    """A backup as `pgbackrest info --output=json` has it."""
    stop = NOW - hours_ago * HOUR
    archive = {"start": f"{timeline:08X}0000000000000001", "stop": f"{timeline:08X}0000000000000002"}
    return {"type": kind, "timestamp": {"start": stop - 60, "stop": stop}, "archive": archive, "error": error}


@pytest.mark.parametrize(
    ("there_are", "timeline", "due"),
    [
        ([], 1, "full"),
        ([taken("full", 23)], 1, None),
        ([taken("full", 24)], 1, "full"),
        ([taken("full", 25), taken("incr", 1)], 1, "full"),
        ([taken("full", 5)], 2, "incr"),
        ([taken("full", 5), taken("incr", 1, 2)], 2, None),
        ([taken("full", 5), taken("incr", 1, 2)], 3, "incr"),
        ([taken("full", 5, 15)], 16, "incr"),
        ([taken("full", 25), taken("full", 2, error=True)], 1, "full"),
        ([taken("full", 5, error=True)], 1, "full"),
        # Restored to a point before the last failover: the timeline is a new one all the same.
        ([taken("full", 5), taken("incr", 1, 2)], 4, "incr"),
    ],
)
def test_a_full_one_every_day_and_a_small_one_on_a_new_timeline(
    there_are: list[dict[str, Any]], timeline: int, due: str | None
) -> None:
    assert backups.due(there_are, timeline, NOW, DAY) == due
