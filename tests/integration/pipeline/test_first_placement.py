"""A worker that hangs before it was ever placed: none of the app's tasks runs yet, and it is ended all the same."""

import re
from pathlib import Path

import pytest

from devstack.kafka import KafkaServer
from pipeline import ending
from runtime.settings import DatabaseSettings
from tests.support import topics, workers
from tests.support.fakes.log import value

STALLED_AFTER_S = 2.0
HANGS = {
    "it never joins the group": (
        "async def subscribe(self, topics):\n"
        "    await asyncio.Event().wait()\n"
        "transport.BatchConsumer.subscribe = subscribe\n",
        r"10 records wait and nothing has moved for \d+ s in partitions \[0\]",
    ),
    "it never takes up what it was assigned": (
        "async def assigned(self, partitions, generation_id=0):\n"
        "    await asyncio.Event().wait()\n"
        "transport.BatchConsumer.on_partitions_assigned = assigned\n",
        r"10 records wait and nothing has moved for \d+ s in partitions \[0\]",
    ),
    "its event loop stands": (
        "async def assigned(self, partitions, generation_id=0):\n"
        "    time.sleep(3600)\n"
        "transport.BatchConsumer.on_partitions_assigned = assigned\n",
        r"the event loop has stood still for \d+ s, in .* > assigned \(",
    ),
}


@pytest.mark.parametrize("hang", HANGS)
def test_a_worker_that_hangs_before_its_first_placement_ends_with_a_sentence(
    kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path, hang: str
) -> None:
    log = topics.make(kafka, topic, partitions=2)
    workers.send(log, [value(0, offset) for offset in range(10)])
    defect, sentence = HANGS[hang]
    alone = {"aggregates_group": topic, "stalled_after_s": STALLED_AFTER_S}
    planted = f"import asyncio, time\nfrom pipeline import transport\n{defect}"
    with workers.planted(planted, log, database, tmp_path, **alone) as worker:
        assert worker.wait_ended() == ending.EXIT_STATUS, worker.log
        assert re.search(sentence, worker.log), worker.log
