"""PostgreSQL restarted, crashed, frozen and away, for longer than any timeout of a worker and in a rebalance.

It is no reason for a worker to end: the processes are the same ones before and after. A gateway takes events all the
while, and says of queries that they cannot be answered now.
"""

import time
from collections.abc import Callable
from concurrent import futures
from typing import Final

from devstack import postgres, waiting
from tests.faults import actions, crew, own_postgres, report, stage, trial, visiting
from tests.faults.actions import Action, Fault

NAME: Final = "postgres"

REQUEST_TIMEOUT_S: Final = 10.0
_WORKER_SETTINGS: Final[dict[str, object]] = {
    "request_timeout_s": REQUEST_TIMEOUT_S,
    "max_poll_interval_s": 3,
    "store_patience_s": 3,
    "stalled_after_s": 12,
    "retry_last_s": 1,
    # Consuming stands still soon after PostgreSQL does, as it would after minutes with the defaults.
    "flush_records": 100,
    "profile_writes": 100,
    "buffered_batches": 1,
}
_WORKERS: Final[dict[stage.Size, int]] = {"full": 2, "short": 1}
_GATEWAY_SETTINGS: Final = {"aggregates_timeout_ms": 1_500, "profiles_timeout_ms": 1_000}


_SUBJECT: Final = "PostgreSQL"
_LONG: Final = (REQUEST_TIMEOUT_S + 0.5, REQUEST_TIMEOUT_S + 2)
_LONGER_THAN_A_PLACEMENT: Final = (REQUEST_TIMEOUT_S / 2 + 2, REQUEST_TIMEOUT_S / 2 + 3)
_FAULTS: Final[dict[stage.Size, list[Fault]]] = {
    "full": [
        Fault("restarted", _SUBJECT),
        Fault("one session killed", _SUBJECT),
        Fault("ended at once", _SUBJECT),
        Fault("away", _SUBJECT, 4, 6),
        Fault("frozen within a worker's patience", _SUBJECT, 1, 2),
        Fault("frozen beyond it", _SUBJECT, 6, 8),
        Fault("away beyond all timeouts", _SUBJECT, *_LONG),
        Fault("away beyond all timeouts, in a rebalance", _SUBJECT, *_LONG),
        Fault("frozen beyond all timeouts, in a rebalance", _SUBJECT, *_LONG),
    ],
    "short": [
        Fault("ended at once", _SUBJECT),
        Fault("away beyond all timeouts, in a rebalance", _SUBJECT, *_LONGER_THAN_A_PLACEMENT),
    ],
}
RECOVERIES: Final = trial.recoveries(_SUBJECT, _FAULTS["full"])
_GAP_S: Final = (1.0, 2.0)
_JOINED: Final = 0.1
_LEFT: Final = 0.3
_LATE_S: Final = 30.0
"""What a worker may take to start, or to leave, on a busy machine."""


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Workers of each kind and a gateway."""
    plan = planned(seed, size)
    on.say(actions.printed(plan))
    with own_postgres.running(on, NAME) as servers:
        played = trial.Trial(on, NAME, _SUBJECT, on.topic(NAME, servers), on.database(NAME, servers))
        with (
            on.history(NAME) as log,
            trial.running(played, log, _WORKERS[size], _WORKER_SETTINGS) as sender,
            on.gateways(1, played.topic, played.database, **_GATEWAY_SETTINGS) as gateways,
        ):
            with visiting.Visitor(gateways.application("gateway-1").port, log, f"{NAME}-posted") as visitor:
                played.play(plan, Faults(servers.postgres, played).by_kind)
            played.failures.extend([*visitor.complaints(), *gateways.endings])
            played.notes.append(
                f"answers to queries of sums: {dict(visitor.sums)}, of profiles: {dict(visitor.profiles)}"
            )
            return played.outcome(seed, plan, sender, log)


def planned(seed: int, size: stage.Size) -> list[Action]:
    return actions.drawn(actions.dice(seed, NAME), _FAULTS[size], *_GAP_S)


class Faults:
    """What can be done to a PostgreSQL that `played` writes to, by kind of action."""

    def __init__(self, server: postgres.PostgresServer, played: trial.Trial) -> None:
        self._server, self._played = server, played
        self._joined = 0
        self.by_kind: dict[str, trial.Do] = {
            "restarted": self._restart,
            "one session killed": self._crash,
            "ended at once": self._restart_at_once,
            "away": self._away,
            "frozen within a worker's patience": self._frozen,
            "frozen beyond it": self._frozen,
            "away beyond all timeouts": self._away,
            "away beyond all timeouts, in a rebalance": lambda action: self._away(action, self._rebalance),
            "frozen beyond all timeouts, in a rebalance": lambda action: self._frozen(action, self._rebalance),
        }

    def _restart(self, _action: Action) -> float:
        self._server.stop()
        return self._back()

    def _restart_at_once(self, _action: Action) -> float:
        """No session is ended in good order, no checkpoint written: it recovers from its log."""
        own_postgres.end_at_once(self._server)
        return self._back()

    def _crash(self, _action: Action) -> float:
        own_postgres.crash(self._server)
        return time.monotonic()

    def _away(self, action: Action, meanwhile: Callable[[float], None] = time.sleep) -> float:
        self._server.stop()
        meanwhile(action.for_s)
        return self._back()

    def _frozen(self, action: Action, meanwhile: Callable[[float], None] = time.sleep) -> float:
        self._server.pause()
        try:
            meanwhile(action.for_s)
        finally:
            self._server.resume()
        return time.monotonic()

    def _rebalance(self, for_s: float) -> None:
        """Within `for_s`, or _LATE_S more: of each kind one worker joins, another one leaves, as in a rolling update.

        A group that is not seen in a rebalance meanwhile is a failure: nothing was shown of it.
        """
        began = time.monotonic()
        with futures.ThreadPoolExecutor() as watchers:
            seen = {kind: watchers.submit(self._sees_rebalance, kind, for_s + _LATE_S) for kind in self._played.crews}
            for moment, change in ((_JOINED, self._join), (_LEFT, self._leave)):
                time.sleep(max(0.0, began + moment * for_s - time.monotonic()))
                with futures.ThreadPoolExecutor() as at_once:
                    list(at_once.map(change, *zip(*self._played.crews.items(), strict=True)))
            time.sleep(max(0.0, began + for_s - time.monotonic()))
        without = [kind for kind, each in seen.items() if not each.result()]
        self._played.failures += [f"PostgreSQL was back before the group of {kind} rebalanced" for kind in without]

    def _sees_rebalance(self, kind: stage.Kind, within_s: float) -> bool:
        """One under way, or who has what after one that was over between two looks."""
        before = stage.assignments(kind, self._played.topic)
        return before is None or waiting.until(lambda: stage.assignments(kind, self._played.topic) != before, within_s)

    def _join(self, kind: stage.Kind, members: crew.Crew) -> None:
        self._joined += 1
        members.add(f"{kind}-joined-{self._joined}")

    def _leave(self, _kind: stage.Kind, members: crew.Crew) -> None:
        leaving = members.names[0]
        if not members.remove(leaving):
            self._played.failures.append(f"{leaving} did not end on SIGTERM and was killed")

    def _back(self) -> float:
        self._server.start()
        self._server.wait_ready()
        return time.monotonic()
