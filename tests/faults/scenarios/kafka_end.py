"""A broker that was killed comes back without the end of its log: acknowledged records that were counted are gone.

The worker that counts ends with a sentence, and counts nothing, until an operator says where it is to go on; from there
all is counted once. The worker that takes profiles goes back to the beginning, which changes nothing.
"""

import time
from pathlib import Path
from typing import Final

from bench.workers import Servers
from devstack import waiting
from pipeline import ending
from runtime.settings import KafkaSettings
from tests.faults import actions, operating, own_kafka, report, sending, stage, stored
from tests.faults.actions import Action
from tests.faults.history import History

NAME: Final = "kafka_end"
_EVENTS: Final = 800
_PARTITIONS: Final = 4
_STEP_S: Final = 90.0
_WORKER: Final = "aggregates-1"
_SENTENCE: Final = "counted: the log lost records that were acknowledged"

_ADOPTED: Final = "topic that lost its end: from `adopt-topic` until all is counted"
RECOVERIES: Final = [_ADOPTED]


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """One partition of four, of the seed's choice, loses a share of its file."""
    plan = planned(seed)
    on.say(actions.printed(plan))
    failures: list[str] = []
    with own_kafka.running(on, NAME) as servers:
        topic, database = on.topic(NAME, servers, _PARTITIONS), on.database(NAME, servers)
        at = operating.installation(topic, database, on.folder / topic.kafka_topic)
        with (
            on.history(NAME) as log,
            on.workers(topic, database, stalled_after_s=10) as crews,
        ):
            counting = crews["aggregates"]
            _send(topic, log, f"{NAME}-before")
            failures += on.settle(topic, database, profiles=True)
            counted = stored.counted(database)
            _cut(servers, topic, plan[0])
            failures += _ended(counting.application(_WORKER).log)
            if not waiting.until(lambda: bool(counting.endings), _STEP_S):
                failures.append(f"{_WORKER} did not end")
            counting.remove(_WORKER)
            if stored.counted(database) != counted:
                failures.append("something was counted of a log that ends below what was counted")
            operating.run(at, "adopt-topic", "--restart-at", "end", "--yes")
            adopted = time.monotonic()
            _send(topic, log, f"{NAME}-after")
            counting.add(_WORKER)
            failures += on.settle(topic, database, profiles=True)
            recovery = time.monotonic() - adopted
            verdict = on.verdict(log, database, profiles=True)
            endings = [each for crew in crews.values() for each in crew.endings]
    failures += [f"ended otherwise: {each}" for each in endings if f"status {ending.EXIT_STATUS} " not in each]
    return report.outcome(
        NAME,
        seed,
        verdict,
        plan=plan,
        recovery_s={_ADOPTED: [recovery]},
        notes=[f"ended: {each}" for each in endings],
        failures=failures + stored.disagreements(database),
    )


def planned(seed: int) -> list[Action]:
    """A share in percent, and of which partition."""
    pick = actions.dice(seed, NAME)
    return [Action(0.0, f"cut the last {pick.randrange(10, 90)} % of", f"partition {pick.randrange(_PARTITIONS)}")]


def _cut(servers: Servers, topic: KafkaSettings, action: Action) -> None:
    share, partition = int(action.kind.split()[3]) / 100, int(action.target.split()[1])
    servers.kafka.kill()
    own_kafka.cut_end(servers, topic.kafka_topic, partition, share)
    servers.kafka.start()
    servers.kafka.wait_ready()


def _ended(log: Path) -> list[str]:
    if waiting.until(lambda: _SENTENCE in log.read_text(), _STEP_S):
        return []
    return [f"{_WORKER} does not say that the log lost records"]


def _send(topic: KafkaSettings, log: History, prefix: str) -> None:
    with sending.Sender(topic, log, prefix, _EVENTS) as sender:
        sender.join()
