"""The proxy finds its servers by DNS while it runs, as in the stack, where no name has an address when it starts.

The tests go through one proxy in the order in which they stand.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple

import pytest

from devstack import ports, waiting
from tests.support import programs
from tests.support.patroni import names, standin
from tests.support.patroni.proxy import Proxy
from tests.support.patroni.standin import Standin

SECONDS: Final = (
    15.0  # two checks, 2 s apart, that it fails; for an address that goes, `hold` of the resolver and those
)


class Place(NamedTuple):
    """The members by their numbers from 1, the names that have an address, and the proxy."""

    members: dict[int, Standin]
    known: set[str]
    proxy: Proxy

    def primary(self) -> str:
        return _whom(self.proxy.primary)

    def replica(self) -> str:
        return _whom(self.proxy.replicas)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    programs.require("haproxy")
    with ExitStack() as held:
        members = {
            number: held.enter_context(standin.running(f"patroni{number}", "primary" if number == 1 else "replica"))
            for number in (1, 2, 3)
        }
        known = {member.name for member in members.values()}
        nameserver = held.enter_context(names.answering(known))
        proxy = Proxy(tmp_path_factory.mktemp("proxy"), list(members.values()), nameserver)
        held.callback(proxy.kill)
        proxy.start()
        proxy.wait_ready()
        yield Place(members, known, proxy)


def test_names_lead_to_the_primary_and_to_replicas(place: Place) -> None:
    assert waiting.until(lambda: place.primary() == "patroni1", SECONDS)
    assert waiting.until(lambda: {place.replica() for _ in range(4)} == {"patroni2", "patroni3"}, SECONDS)


def test_without_a_replica_the_primary_answers_in_its_place_and_no_longer(place: Place) -> None:
    place.members[2].role = place.members[3].role = "none"
    assert waiting.until(lambda: place.replica() == "patroni1", SECONDS)
    with socket.create_connection((ports.HOST, place.proxy.replicas), timeout=SECONDS) as connection:
        assert connection.recv(64) == b"patroni1"
        place.members[3].role = "replica"
        assert connection.recv(64) == b"", "it is ended once there is a replica again"
    assert place.replica() == "patroni3"


def test_another_primary_answers_for_both_when_the_first_has_no_address_any_more(place: Place) -> None:
    place.known.remove("patroni1")
    place.members[1].role, place.members[3].role = "none", "primary"
    assert waiting.until(lambda: place.primary() == place.replica() == "patroni3", SECONDS)


def _whom(port: int) -> str:
    """The member behind a connection; empty when it is closed at once."""
    with socket.create_connection((ports.HOST, port), timeout=SECONDS) as connection:
        try:
            return connection.recv(64).decode()
        except ConnectionResetError:
            return ""
