"""A plan at its own pace."""

import time
from collections.abc import Iterator, Sequence

from tests.faults.actions import Action


def on_time(plan: Sequence[Action]) -> Iterator[Action]:
    """Each action when its moment has come, counted from the first call; late where those before it took long."""
    began = time.monotonic()
    for action in plan:
        time.sleep(max(0.0, began + action.at_s - time.monotonic()))
        yield action
