"""The scenarios: each is a module with `run(stage, size, seed) -> Outcome`."""

from collections.abc import Callable
from typing import Final

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

ALL: Final[dict[str, Run]] = {
    calm.NAME: calm.run,
    workers.NAME: workers.run,
    gateways.NAME: gateways.run,
    postgres.NAME: postgres.run,
    postgres_commit.NAME: postgres_commit.run,
    postgres_disk.NAME: postgres_disk.run,
    kafka.NAME: kafka.run,
    kafka_beginning.NAME: kafka_beginning.run,
    kafka_end.NAME: kafka_end.run,
    kafka_anew.NAME: kafka_anew.run,
    stores.NAME: stores.run,
    letters.NAME: letters.run,
}
"""By name, in the order in which they run."""
