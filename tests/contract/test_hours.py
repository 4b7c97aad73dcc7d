"""Hours of event time, made for the worker: on a real server, and on the one in memory."""

import pytest

from runtime.settings import DatabaseSettings
from tests.contract.hours import HoursContract
from tests.contract.places import InMemory, Real


class TestOnFakePostgres(HoursContract):
    @pytest.fixture
    def place(self) -> InMemory:
        return InMemory()


class TestOnPostgres(HoursContract):
    @pytest.fixture
    def place(self, database: DatabaseSettings) -> Real:
        return Real(database)
