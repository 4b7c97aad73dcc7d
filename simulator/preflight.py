"""What must hold before the first tag is sent: the system is ready, and knows nothing of this run's minutes."""

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from simulator import client, errors, questions, times, wire

_SECONDS: Final = 20.0
_MOST_RANGES: Final = 200


def check_clock(end: int) -> None:
    """Raises `errors.StartAhead` where the last tag, at `end` in milliseconds, would be refused as too far ahead."""
    if end > time.time() * 1000 + times.DAY:
        message = (
            f"the stream would end at {times.millis_text(end)}, more than 24 h ahead of the clock, and such tags are "
            "refused: choose an earlier --start, or fewer --tags"
        )
        raise errors.StartAhead(message)


async def check_ready(pool: client.Pool, requests: wire.Requests, target: str) -> None:
    """Raises `errors.NotReady`."""
    answer = await pool.request(requests.get("/readyz"), _SECONDS)
    if not answer.status:
        why = f" ({pool.trouble})" if pool.trouble else ""
        message = f"{target} does not answer{why}: start the system (make run), or name another --target"
        raise errors.NotReady(message)
    if answer.status == 404:
        message = f"{target} is no gateway's internal port, status 404: name one as --inside, or `none`"
        raise errors.NotReady(message)
    if answer.status != 200:
        message = f"{target} is not ready, status {answer.status}: {answer.body[:500].decode(errors='replace')}"
        raise errors.NotReady(message)


async def check_window(
    pool: client.Pool, requests: wire.Requests, totals: Sequence[questions.AggregateQuestion]
) -> None:
    """Raises `errors.WindowTaken` where something is counted in the minutes of `totals` already.

    Of a very long run every so many ranges are looked at. An answer of a wrong form is left to the run to judge.
    """
    for question in totals[:: 1 + len(totals) // _MOST_RANGES]:
        answer = await pool.request(requests.aggregate(question, None), _SECONDS)
        if answer.status != 200:
            if not answer.status and pool.trouble:
                message = f"the target does not answer: {pool.trouble}"
                raise errors.NotReady(message)
            message = f"aggregates cannot be had, status {answer.status}: {answer.body[:500].decode(errors='replace')}"
            raise errors.NotReady(message)
        if _counts_something(answer.body):
            message = (
                f"events are counted already between {times.minute_text(question.first)} and "
                f"{times.minute_text(question.end)}: choose another --run-id or --start, or wipe the system"
            )
            raise errors.WindowTaken(message)


def _counts_something(body: bytes) -> bool:
    try:
        rows = msgspec.json.decode(body, type=wire.AggregateAnswer).rows
    except msgspec.DecodeError:
        return False
    return any(value != "0" for row in rows for value in row[2:])
