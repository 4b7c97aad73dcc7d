"""Kafka, one broker, restarted, killed, frozen and away while events are posted to gateways.

It is no reason for a worker or a gateway to end. Whoever was told `204` finds the event counted once, whoever was told
that it is not stored finds it nowhere, and what is unknown is there once or not at all.
"""

import time
from typing import Final

from devstack import kafka, waiting
from tests.faults import actions, backlogs, clients, own_kafka, report, stage, trial
from tests.faults.actions import Action, Fault

NAME: Final = "kafka"
_TIMEOUT_MS: Final = 2_000
_RATE: Final[dict[stage.Size, float]] = {"full": 200.0, "short": 100.0}
_BAD_EVERY: Final = 50
_GAP_S: Final = (1.0, 2.0)
_BEYOND_DELIVERY: Final = (_TIMEOUT_MS / 1000 + 0.5, _TIMEOUT_MS / 1000 + 1.5)
_BEYOND_SESSION: Final = (stage.SESSION_TIMEOUT_S + 1.0, stage.SESSION_TIMEOUT_S + 3.0)
_STEP_S: Final = 30.0


_SUBJECT: Final = "Kafka"
_LONG_FROZEN: Final = Fault("frozen beyond the session timeout", _SUBJECT, *_BEYOND_SESSION)
_FAULTS: Final[dict[stage.Size, list[Fault]]] = {
    "full": [
        Fault("restarted", _SUBJECT),
        Fault("killed", _SUBJECT),
        Fault("frozen beyond the delivery timeout", _SUBJECT, *_BEYOND_DELIVERY),
        _LONG_FROZEN,
        Fault("away", _SUBJECT, *_BEYOND_SESSION),
        Fault("killed in a rebalance", _SUBJECT),
    ],
    "short": [Fault("killed", _SUBJECT), _LONG_FROZEN],
}
RECOVERIES: Final = trial.recoveries(_SUBJECT, _FAULTS["full"])


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Two gateways, two workers that count and one that takes profiles."""
    plan = planned(seed, size)
    on.say(actions.printed(plan))
    with own_kafka.running(on, NAME) as servers:
        played = trial.Trial(on, NAME, _SUBJECT, on.topic(NAME, servers), on.database(NAME, servers))
        with (
            on.history(NAME) as log,
            on.gateways(2, played.topic, played.database, produce_timeout_ms=_TIMEOUT_MS) as gateways,
            on.workers(played.topic, played.database, {"aggregates": 2, "profiles": 1}) as played.crews,
        ):
            ports = [gateways.application(name).port for name in gateways.names]
            with (
                clients.Clients(ports, log, NAME, _RATE[size], _BAD_EVERY) as senders,
                backlogs.Asking(ports[0], played.topic.kafka_topic) as asking,
            ):
                played.play(plan, _Faults(servers.kafka, played).by_kind)
                senders.finish()
            wrong = [f"bodies that must be refused got 204: {senders.accepted}"] if senders.accepted else []
            played.failures.extend([*wrong, *gateways.endings, *asking.complaints()])
            played.notes.append(f"answers by status, 0 is none: {dict(sorted(senders.statuses.items()))}")
            return played.outcome(seed, plan, senders, log)


def planned(seed: int, size: stage.Size) -> list[Action]:
    return actions.drawn(actions.dice(seed, NAME), _FAULTS[size], *_GAP_S)


class _Faults:
    """Each is over when Kafka answers again."""

    def __init__(self, server: kafka.KafkaServer, played: trial.Trial) -> None:
        self._server, self._played = server, played
        self.by_kind: dict[str, trial.Do] = {
            "restarted": self._restart,
            "killed": self._kill,
            "frozen beyond the delivery timeout": self._freeze,
            "frozen beyond the session timeout": self._freeze,
            "away": self._kill,
            "killed in a rebalance": self._kill_in_rebalance,
        }

    def _restart(self, action: Action) -> float:
        self._server.stop()
        return self._start(action, time.monotonic())

    def _kill(self, action: Action) -> float:
        self._server.kill()
        began = time.monotonic()
        time.sleep(action.for_s)
        return self._start(action, began)

    def _freeze(self, action: Action) -> float:
        self._server.pause()
        try:
            time.sleep(action.for_s)
        finally:
            self._server.resume()
        return time.monotonic()

    def _kill_in_rebalance(self, action: Action) -> float:
        """A worker that joins anew makes all of its group give their partitions up and take them again."""
        self._played.crews["aggregates"].kill("aggregates-2")
        if not waiting.until(lambda: stage.is_rebalancing("aggregates", self._played.topic), _STEP_S):
            message = "no rebalance began after a worker was killed and started again"
            raise TimeoutError(message)
        return self._kill(action)

    def _start(self, action: Action, began: float) -> float:
        self._server.start()
        self._server.wait_ready()
        self._played.notes.append(f"{action.kind}: Kafka answered after {time.monotonic() - began:.1f} s")
        return time.monotonic()
