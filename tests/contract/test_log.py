"""The topic in memory of the sinks' tests answers as Kafka does; test_consumers.py has the two others."""

from collections.abc import Sequence

import pytest

from tests.contract.logs import ReplacedContract, TopicContract
from tests.support.fakes.log import FakeLog


class Fake:
    """`logs.Replaceable`."""

    def __init__(self) -> None:
        self.log = FakeLog(2)

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        for value in values:
            self.log.append(partition, value)

    async def append_and_mark(self, partition: int, values: Sequence[bytes]) -> None:
        await self.append(partition, values)
        self.log.leave_hole(partition, 1)

    async def truncate(self, partition: int, start: int) -> None:
        self.log.truncate(partition, start)

    async def go_away(self) -> None:
        self.log.away = True

    async def replace(self) -> None:
        self.log.replaced = True


class TestFakeLog(TopicContract, ReplacedContract):
    @pytest.fixture
    def cluster(self) -> Fake:
        return Fake()
