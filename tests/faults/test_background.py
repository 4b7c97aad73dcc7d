"""What goes on beside a scenario is heard of if it breaks off, and so is what was planned and did not happen."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from devstack import ports, waiting
from tests.faults import clients, crew, history, sending
from tests.faults.background import Background, BrokeOff
from tests.faults.scenarios import workers

SECONDS = 10.0


class _Broken(Background):
    def __init__(self) -> None:
        super().__init__("sender")
        self.began = threading.Event()

    def _run(self) -> None:
        self.began.set()
        message = "no such topic"
        raise RuntimeError(message)


class _Going(Background):
    def _run(self) -> None:
        self._over.wait()


def test_an_error_beside_a_scenario_breaks_the_scenario_off() -> None:
    with pytest.raises(BrokeOff, match=r"sender: .*no such topic") as raised, _Broken() as broken:
        assert broken.began.wait(SECONDS)
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_it_does_not_hide_the_error_that_a_scenario_breaks_off_with() -> None:
    with pytest.raises(ZeroDivisionError) as raised, _Broken():
        raise ZeroDivisionError
    assert "no such topic" in raised.value.__notes__[0]


def test_what_goes_on_until_it_is_ended_is_nothing_to_hear_of() -> None:
    with _Going("going"):
        assert waiting.until(lambda: any(thread.name == "going" for thread in threading.enumerate()), SECONDS)
    assert not any(thread.name == "going" for thread in threading.enumerate())


class _Stores(http.server.BaseHTTPRequestHandler):
    """A gateway to which all is well."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(http.HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def gateway() -> Iterator[int]:
    """Its port."""
    with http.server.ThreadingHTTPServer((ports.HOST, 0), _Stores) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_an_answer_that_cannot_be_noted_breaks_the_scenario_off(gateway: int, tmp_path: Path) -> None:
    log = history.History(tmp_path / "history")
    log.close()
    with (
        pytest.raises(BrokeOff, match=r"clients: .*closed file"),
        clients.Clients([gateway], log, "event", rate=100, bad_every=1000) as senders,
    ):
        assert waiting.until(lambda: senders.statuses[204] > 0, SECONDS)


def test_events_that_were_never_sent_are_missed() -> None:
    assert sending.missing(100_000, 100_000) == sending.missing(100_001, 100_000) == []
    assert sending.missing(99_999, 100_000) == ["99,999 events were acknowledged, 100,000 were to be sent"]


@pytest.mark.parametrize(
    ("status", "age", "asked_for"),
    [
        (0, 100.0, True),
        (-SIGKILL, 100.0, True),
        (-SIGTERM, 1.0, True),
        (-SIGTERM, 100.0, False),
        (1, 1.0, False),
    ],
)
def test_only_one_that_is_starting_may_die_of_being_told_to_end(status: int, age: float, *, asked_for: bool) -> None:
    assert crew.was_asked_for(status, age) is asked_for


FULL = workers.EXTENTS["full"]
ALL_OF_IT = workers.Found(moments=[float(at) for at in range(37)], hits=33, cut_off=1, fenced=2.0)


def test_all_that_was_planned_is_nothing_to_miss() -> None:
    assert ALL_OF_IT.missed(FULL, must_fence=True) == []
    assert ALL_OF_IT._replace(hits=30).missed(FULL, must_fence=True) == []
    assert ALL_OF_IT._replace(fenced=0.0).missed(FULL, must_fence=False) == []
    assert str(ALL_OF_IT).endswith("1 inside a transaction; 1.0 to 1.0 s apart, median 1.0 s")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (ALL_OF_IT._replace(moments=ALL_OF_IT.moments[1:]), "36 kills, not the 37 of the plan"),
        (ALL_OF_IT._replace(hits=29), "29 kills hit a worker that had counted, of 33 that were to"),
        (ALL_OF_IT._replace(cut_off=0), "no worker was killed inside a transaction"),
        (ALL_OF_IT._replace(fenced=0.0), "no write of a worker that had been stopped was refused or given up"),
    ],
)
def test_what_was_planned_and_did_not_happen_is_missed(found: workers.Found, sentence: str) -> None:
    assert found.missed(FULL, must_fence=True) == [sentence]


def test_a_short_run_misses_what_it_planned_too() -> None:
    found = workers.Found(moments=[1.0, 2.0], hits=2, cut_off=1, fenced=0.0)
    assert len(found.missed(workers.EXTENTS["short"], must_fence=False)) == 2
