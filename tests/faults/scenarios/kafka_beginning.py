"""The log's beginning moves above what is counted, as retention moves it: what is gone is skipped aloud.

The checker is to name exactly the events that were cut off, the metric is to count them, the log to tell of them, and
everything that the topic still holds is counted once.
"""

import time
from collections.abc import Mapping
from typing import Final

import msgspec

from bench import workers
from broker import topics
from runtime.settings import KafkaSettings
from schemas import codec
from tests.faults import actions, history, operating, report, sending, stage, stored
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.support import topics as records

NAME: Final = "kafka_beginning"
_EVENTS: Final[dict[stage.Size, int]] = {"full": 4_000, "short": 1_000}
_PARTITIONS: Final = 4
_JUMPED: Final = "allezone_pipeline_jumped_offsets_total"

_STARTED: Final = "workers started below the log's beginning, until all is counted"
RECOVERIES: Final = [_STARTED]


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Workers stopped, events sent, the beginning of each partition cut at a place of the seed's, workers started."""
    topic, database = on.topic(NAME, partitions=_PARTITIONS), on.database(NAME)
    at = operating.installation(topic, database, on.folder / topic.kafka_topic)
    plan = planned(seed)
    on.say(actions.printed(plan))
    with (
        on.history(NAME) as log,
        on.workers(topic, database) as started,
    ):
        crews = {f"{kind}-1": crew for kind, crew in started.items()}
        _send(topic, log, f"{NAME}-before", _EVENTS[size])
        failures = on.settle(topic, database, profiles=True)
        for name, crew in crews.items():
            crew.remove(name)
        counted = _ends(topic)
        _send(topic, log, f"{NAME}-cut", _EVENTS[size])
        below = _cuts(plan, counted, _ends(topic))
        cut = _names(on, topic, counted, below)
        at.delete_records(below)
        again = time.monotonic()
        for name, crew in crews.items():
            crew.add(name)
        _send(topic, log, f"{NAME}-after", _EVENTS[size])
        failures += on.settle(topic, database, profiles=True)
        recovery = time.monotonic() - again
        failures += [each for name, crew in crews.items() for each in _untold(name, crew, len(cut))]
        failures += [each for crew in crews.values() for each in crew.endings]
        verdict = on.verdict(log, database, profiles=True)
    if set(verdict.lost) != cut:
        failures.append(f"{len(cut)} events were cut off, and {len(verdict.lost)} are missing")
    return report.outcome(
        NAME,
        seed,
        msgspec.structs.replace(verdict, lost=sorted(set(verdict.lost) - cut)),
        plan=plan,
        recovery_s={_STARTED: [recovery]},
        notes=[f"{len(cut)} acknowledged events were cut off uncounted: each is named as lost, none beside them"],
        failures=failures + stored.disagreements(database),
    )


def planned(seed: int) -> list[Action]:
    """How much of each partition's new records goes, in percent."""
    pick = actions.dice(seed, NAME)
    return [Action(0.0, f"cut {pick.randrange(20, 90)} % of", f"partition {each}") for each in range(_PARTITIONS)]


def _send(topic: KafkaSettings, log: history.History, prefix: str, count: int) -> None:
    with sending.Sender(topic, log, prefix, count) as sender:
        sender.join()


def _ends(topic: KafkaSettings) -> dict[int, int]:
    return {each: end for each, (_, end) in topics.offsets(topic.kafka_hosts, topic.kafka_topic).items()}


def _cuts(plan: list[Action], counted: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
    """`{partition: first offset that stays}`."""
    shares = {int(action.target.split()[1]): int(action.kind.split()[1]) for action in plan}
    return {each: counted[each] + (ends[each] - counted[each]) * shares[each] // 100 for each in shares}


def _names(on: stage.Stage, topic: KafkaSettings, since: Mapping[int, int], below: Mapping[int, int]) -> set[str]:
    """The events of the records that nobody has counted and that are about to go."""
    found = set()
    for record in records.read(on.shared.kafka, topic.kafka_topic):
        partition, offset = record.partition(), record.offset()
        if partition is not None and offset is not None and since[partition] <= offset < below[partition]:
            found.add(codec.decode_tag(record.value() or b"").origin)
    return found


def _untold(name: str, crew: Crew, cut: int) -> list[str]:
    """Sentences where a worker does not say what it stepped over."""
    application = crew.application(name)
    found = workers.metric(application, _JUMPED)
    wrong = [] if found == cut else [f"{name} counts {found} skipped offsets, not {cut}"]
    told = [line for line in application.log.read_text().splitlines() if '"offsets skipped"' in line]
    if not told or not all('"level": "error"' in line for line in told):
        wrong.append(f"{name} does not log as an error what it skipped: {told}")
    return wrong
