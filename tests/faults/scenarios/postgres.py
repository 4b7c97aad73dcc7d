"""PostgreSQL restarted, crashed, frozen and away, for longer than any timeout of a worker and in a rebalance.

It is no reason for a worker to end: the processes are the same ones before and after. A gateway takes events all the
while, and says of queries that they cannot be answered now.
"""

import time
from collections.abc import Callable
from concurrent import futures
from typing import Final, NamedTuple

from devstack import postgres, waiting
from tests.faults import actions, crew, own_postgres, report, stage, trial, visiting

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


class _Fault(NamedTuple):
    kind: str
    least_s: float = 0.0
    most_s: float = 0.0


_LONG: Final = (REQUEST_TIMEOUT_S + 2, REQUEST_TIMEOUT_S + 4)
_LONGER_THAN_A_PLACEMENT: Final = (REQUEST_TIMEOUT_S / 2 + 2, REQUEST_TIMEOUT_S / 2 + 3)
_FAULTS: Final[dict[stage.Size, list[_Fault]]] = {
    "full": [
        _Fault("restart"),
        _Fault("crash"),
        _Fault("immediate restart"),
        _Fault("slow restart", 4, 6),
        _Fault("frozen within patience", 1, 2),
        _Fault("frozen", 6, 8),
        _Fault("away", *_LONG),
        _Fault("away in a rebalance", *_LONG),
        _Fault("frozen in a rebalance", *_LONG),
    ],
    "short": [_Fault("immediate restart"), _Fault("away in a rebalance", *_LONGER_THAN_A_PLACEMENT)],
}
_GAP_S: Final = (1.0, 2.0)
_JOINED: Final = 0.1
_LEFT: Final = 0.3


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Workers of each kind and a gateway."""
    plan = planned(seed, size)
    on.say(actions.printed(plan))
    with own_postgres.running(on, NAME) as servers:
        played = trial.Trial(on, NAME, on.topic(NAME, servers), on.database(NAME, servers))
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


def planned(seed: int, size: stage.Size) -> list[actions.Action]:
    """The faults in an order, for times and at times that the seed decides."""
    pick = actions.dice(seed, NAME)
    chosen = pick.sample(_FAULTS[size], len(_FAULTS[size]))
    moments = actions.moments(pick, len(chosen), *_GAP_S)
    lasting = [round(pick.uniform(fault.least_s, fault.most_s), 2) for fault in chosen]
    before = [sum(lasting[:number]) for number in range(len(lasting))]
    return [
        actions.Action(round(moment + passed, 2), fault.kind, "postgres", for_s)
        for fault, moment, passed, for_s in zip(chosen, moments, before, lasting, strict=True)
    ]


class Faults:
    """What can be done to a PostgreSQL that `played` writes to, by kind of action."""

    def __init__(self, server: postgres.PostgresServer, played: trial.Trial) -> None:
        self._server, self._played = server, played
        self._joined = 0
        self.by_kind: dict[str, trial.Do] = {
            "restart": self._restart,
            "slow restart": self._away,
            "immediate restart": self._restart_at_once,
            "crash": self._crash,
            "frozen within patience": self._frozen,
            "frozen": self._frozen,
            "away": self._away,
            "away in a rebalance": lambda action: self._away(action, self._rebalance),
            "frozen in a rebalance": lambda action: self._frozen(action, self._rebalance),
        }

    def _restart(self, _action: actions.Action) -> float:
        self._server.stop()
        return self._back()

    def _restart_at_once(self, _action: actions.Action) -> float:
        """No session is ended in good order, no checkpoint written: it recovers from its log."""
        own_postgres.end_at_once(self._server)
        return self._back()

    def _crash(self, _action: actions.Action) -> float:
        own_postgres.crash(self._server)
        return time.monotonic()

    def _away(self, action: actions.Action, meanwhile: Callable[[float], None] = time.sleep) -> float:
        self._server.stop()
        meanwhile(action.for_s)
        return self._back()

    def _frozen(self, action: actions.Action, meanwhile: Callable[[float], None] = time.sleep) -> float:
        self._server.pause()
        try:
            meanwhile(action.for_s)
        finally:
            self._server.resume()
        return time.monotonic()

    def _rebalance(self, for_s: float) -> None:
        """Within `for_s`: of each kind one worker joins, and another one leaves, as in a rolling update.

        A group that is not seen in a rebalance meanwhile is a failure: nothing was shown of it.
        """
        began = time.monotonic()
        with futures.ThreadPoolExecutor() as watchers:
            seen = {kind: watchers.submit(self._sees_rebalance, kind, for_s) for kind in self._played.crews}
            for moment, change in ((_JOINED, self._join), (_LEFT, self._leave)):
                time.sleep(max(0.0, began + moment * for_s - time.monotonic()))
                with futures.ThreadPoolExecutor() as at_once:
                    list(at_once.map(change, *zip(*self._played.crews.items(), strict=True)))
            time.sleep(max(0.0, began + for_s - time.monotonic()))
        without = [kind for kind, each in seen.items() if not each.result()]
        self._played.failures += [f"PostgreSQL was back before the group of {kind} rebalanced" for kind in without]

    def _sees_rebalance(self, kind: stage.Kind, within_s: float) -> bool:
        return waiting.until(lambda: stage.is_rebalancing(kind, self._played.topic), within_s)

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
