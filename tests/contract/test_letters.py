"""The dead letters of the profiles group: on a real server, and on the one in memory."""

import pytest

from runtime.settings import DatabaseSettings
from tests.contract.letters import LettersContract
from tests.contract.places import InMemory, Real


class TestOnFakePostgres(LettersContract):
    @pytest.fixture
    def place(self) -> InMemory:
        return InMemory()


class TestOnPostgres(LettersContract):
    @pytest.fixture
    def place(self, database: DatabaseSettings) -> Real:
        return Real(database)
