"""The connection goes inside COMMIT: PostgreSQL never hears of it, or the worker never hears of the answer.

Or it comes late, when the worker has given it up and written the same events again.
"""

import time
from contextlib import ExitStack
from typing import Final

from tests.faults import actions, cutting, history, own_postgres, report, sending, stage, trial
from tests.support.proxy import Fault

NAME: Final = "postgres_commit"
_PATIENCE_S: Final = 2.0
_WORKER_SETTINGS: Final[dict[str, object]] = {
    "store_patience_s": _PATIENCE_S,
    "retry_last_s": 1,
    "compare_interval_s": 3600,  # it would mend what is to be seen here: an unknown commit taken for done
}
_CANCEL_S: Final = 5.0
"""For so long psycopg waits, beyond the patience, for the end of a query that it has asked PostgreSQL to cancel."""
_GAP_S: Final = (0.5, 2.0)

_NEVER_THERE: Final = "COMMIT cut on its way"
_UNHEARD: Final = "answer to COMMIT cut"
_LATE: Final = "COMMIT late"
_TOO_LATE: Final = "COMMIT late, and the worker gone on"
_LAST: Final = "COMMIT of the last event cut on its way"
_FAULTS: Final = {
    _NEVER_THERE: Fault.CUT_BEFORE,
    _UNHEARD: Fault.CUT_AFTER,
    _LATE: Fault.FREEZE,
    _TOO_LATE: Fault.FREEZE,
}
_LASTING_S: Final = {
    _LATE: (_PATIENCE_S + 1, _PATIENCE_S + _CANCEL_S - 2),
    _TOO_LATE: (_PATIENCE_S + _CANCEL_S + 1, _PATIENCE_S + _CANCEL_S + 2),
}

_LAST_WORDS: Final[dict[stage.Kind, bytes]] = {"aggregates": b"advance_flush", "profiles": f"{NAME}-".encode()}
"""What the packet holds that ends a transaction: of profiles each statement is one, and names cookies."""
_PLACE: Final = "commits"
"""Of the topic and the database, whose names pass the proxies too: they must not hold a word of the cookies."""

_EACH: Final = [
    actions.Fault(_NEVER_THERE, "aggregates"),
    actions.Fault(_UNHEARD, "aggregates"),
    actions.Fault(_UNHEARD, "profiles"),
]
_CUTS: Final[dict[stage.Size, list[actions.Fault]]] = {
    "full": [
        *_EACH * 2,
        actions.Fault(_NEVER_THERE, "profiles"),
        *(actions.Fault(kind, "aggregates", *lasting) for kind, lasting in _LASTING_S.items()),
    ],
    "short": _EACH,
}
_SUBJECT: Final = "PostgreSQL"
RECOVERIES: Final = trial.recoveries(_SUBJECT, _CUTS["full"])


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """One worker of each kind, so that it is known who is hit, behind a proxy each."""
    plan = planned(seed, size)
    on.say(actions.printed(plan))
    with own_postgres.running(on, NAME) as servers, ExitStack() as proxies, on.history(NAME) as log:
        played = trial.Trial(on, NAME, _SUBJECT, on.topic(_PLACE, servers), on.database(_PLACE, servers))
        server = servers.postgres
        cutters = {kind: proxies.enter_context(cutting.Cutter(server.host, server.port)) for kind in _LAST_WORDS}
        through = {kind: played.database.model_copy(update={"db_port": each.port}) for kind, each in cutters.items()}
        with trial.running(played, log, 1, _WORKER_SETTINGS, through) as sender:
            played.play(plan[:-1], dict.fromkeys(_FAULTS, lambda action: _cut(cutters, action)))
            sender.finish()
            _cut_last(played, cutters["aggregates"], log)
            return played.outcome(seed, plan, sender, log)


def planned(seed: int, size: stage.Size) -> list[actions.Action]:
    """The cuts in an order, and at times, that the seed decides."""
    plan = actions.drawn(actions.dice(seed, NAME), _CUTS[size], *_GAP_S)
    return [*plan, actions.Action(plan[-1].at_s + plan[-1].for_s, _LAST, "aggregates")]


def _cut(cutters: dict[stage.Kind, cutting.Cutter], action: actions.Action) -> float:
    """The fault is over at once: what follows is the worker's to mend, also while a late COMMIT is under way."""
    [(kind, cutter)] = [(kind, cutter) for kind, cutter in cutters.items() if kind == action.target]
    cutter.arm(_LAST_WORDS[kind], _FAULTS[action.kind])
    cutter.wait()
    over = time.monotonic()
    time.sleep(action.for_s)
    cutter.thaw()
    return over


def _cut_last(played: trial.Trial, cutter: cutting.Cutter, log: history.History) -> None:
    """No write follows that would find the offsets elsewhere: the worker has to know by itself that it is not done."""
    played.failures.extend(played.on.settle(played.topic, played.database, profiles=False))
    cutter.arm(_LAST_WORDS["aggregates"], Fault.CUT_BEFORE)
    with sending.Sender(played.topic, log, f"{NAME}-last", 1) as last:
        last.join()
    cutter.wait()
