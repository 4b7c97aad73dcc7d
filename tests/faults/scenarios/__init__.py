"""The scenarios: each is a module with `run(stage, size, seed) -> Outcome`."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from tests.faults import stage
from tests.faults.report import Outcome
from tests.faults.scenarios import (
    calm,
    gateways,
    kafka,
    kafka_anew,
    kafka_beginning,
    kafka_end,
    letters,
    postgres,
    postgres_commit,
    postgres_disk,
    stores,
    workers,
)

Run = Callable[[stage.Stage, stage.Size, int], Outcome]


class Scenario(NamedTuple):
    """`recoveries` are the keys of `recovery_s` that its outcomes can have: those of a full run have them all.

    What ends in ", sums" or ", profiles" is the time until new events are counted, or stand in profiles, again.
    """

    run: Run
    recoveries: Sequence[str] = ()

    def play(self, on: stage.Stage, size: stage.Size, seed: int) -> Outcome:
        """`run`, with the seconds that it took."""
        began = time.monotonic()
        outcome = self.run(on, size, seed)
        return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - began, 1))


ALL: Final[dict[str, Scenario]] = {
    calm.NAME: Scenario(calm.run),
    workers.NAME: Scenario(workers.run, workers.RECOVERIES),
    gateways.NAME: Scenario(gateways.run, gateways.RECOVERIES),
    postgres.NAME: Scenario(postgres.run, postgres.RECOVERIES),
    postgres_commit.NAME: Scenario(postgres_commit.run, postgres_commit.RECOVERIES),
    postgres_disk.NAME: Scenario(postgres_disk.run, postgres_disk.RECOVERIES),
    kafka.NAME: Scenario(kafka.run, kafka.RECOVERIES),
    kafka_beginning.NAME: Scenario(kafka_beginning.run, kafka_beginning.RECOVERIES),
    kafka_end.NAME: Scenario(kafka_end.run, kafka_end.RECOVERIES),
    kafka_anew.NAME: Scenario(kafka_anew.run, kafka_anew.RECOVERIES),
    stores.NAME: Scenario(stores.run, stores.RECOVERIES),
    letters.NAME: Scenario(letters.run),
}
"""By name, in the order in which they run."""
