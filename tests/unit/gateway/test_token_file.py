"""The file of tokens is read again when it changes; one that cannot be used changes nothing, and says so."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from structlog.testing import capture_logs

from gateway import tokens
from gateway.errors import BrokenTokens
from gateway.token_file import TokenFile
from gateway.tokens import Scope

DEADLINE_S = 10.0
Logs = list[Any]


def _line(name: str) -> str:
    return tokens.make(name, frozenset({Scope.WRITE}))[1].line() + "\n"


def _write(path: Path, *lines: str) -> None:
    path.write_text("".join(lines))


def _replace(path: Path, *lines: str) -> None:
    """As an editor, or a careful script, does."""
    new = path.with_suffix(".new")
    new.write_text("".join(lines))
    os.replace(new, path)


@pytest.fixture
def first() -> str:
    return _line("first")


@pytest.fixture
def path(tmp_path: Path, first: str) -> Path:
    path = tmp_path / "tokens"
    path.write_text(first)
    return path


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as captured:
        yield captured


class Watched:
    """A file that is watched every 10 ms, and what came of it."""

    def __init__(self, path: Path, interval_s: float = 0.01) -> None:
        self.file = TokenFile(str(path))
        self.used: list[tokens.Tokens] = []
        self.interval_s = interval_s

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.used[-1].entries] if self.used else []

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _watching(path: Path, interval_s: float = 0.01) -> AsyncIterator[Watched]:
    watched = Watched(path, interval_s)
    task = asyncio.create_task(watched.file.watch(watched.used.append, interval_s))
    try:
        yield watched
    finally:
        task.cancel()


def _broken() -> float | None:
    return prometheus_client.REGISTRY.get_sample_value("allezone_gateway_tokens_file_broken")


def _complaints(logs: Logs) -> Logs:
    return [log for log in logs if log["log_level"] == "error"]


@pytest.mark.parametrize("text", ["", "first write secret"])
def test_at_the_start_a_broken_file_is_refused(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(BrokenTokens):
        TokenFile(str(path))


def test_at_the_start_a_file_must_be_there_and_be_text_of_a_sane_size(path: Path) -> None:
    for break_it in (lambda: path.write_bytes(b"\xff"), lambda: path.write_text("#" * 300_000), path.unlink):
        break_it()
        with pytest.raises(BrokenTokens, match=r"it cannot be read|it is over"):
            TokenFile(str(path))


async def test_a_changed_file_is_taken_and_what_changed_is_logged(path: Path, first: str, logs: Logs) -> None:
    async with _watching(path) as watched:
        _write(path, first, _line("second"))
        await watched.until(lambda: watched.names == ["first", "second"])

        _replace(path, _line("second"))
        await watched.until(lambda: watched.names == ["second"])

    assert [(log["tokens"], log["added"], log["removed"]) for log in logs] == [
        (1, [], []),
        (2, ["second"], []),
        (1, ["second"], ["first", "second"]),
    ]
    assert not [log for log in logs if "sha256" in str(log) or "azt_" in str(log)]


@pytest.mark.parametrize("broken", ["", "first write secret", None])
async def test_a_file_that_breaks_changes_nothing_and_is_complained_of_once(
    path: Path, first: str, logs: Logs, broken: str | None
) -> None:
    async with _watching(path) as watched:
        if broken is None:
            os.remove(path)
        else:
            _write(path, broken)
        await watched.until(lambda: _broken() == 1)
        watched.file.look()
        await watched.until(lambda: len(_complaints(logs)) == 2)
        assert watched.used == []

        _write(path, first)
        await watched.until(lambda: _broken() == 0)

    assert watched.names == ["first"]
    assert len(_complaints(logs)) == 2
    assert _complaints(logs)[0]["event"] == "TOKENS_FILE cannot be used: the tokens read before stay valid"


async def test_who_asks_need_not_wait_for_the_time_to_come(path: Path, logs: Logs) -> None:
    async with _watching(path, interval_s=3600) as watched:
        _write(path, _line("second"))

        watched.file.look()

        await watched.until(lambda: watched.names == ["second"])


async def test_what_nobody_thought_of_does_not_end_the_watching(
    path: Path, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _watching(path) as watched:
        with monkeypatch.context() as broken:
            broken.setattr("gateway.token_file._read", lambda _path: dict[str, str]()["token-17"])
            await watched.until(lambda: len(_complaints(logs)) == 1)
        _write(path, _line("second"))

        await watched.until(lambda: watched.names == ["second"])

    assert _complaints(logs)[0]["why"].startswith("KeyError")
    assert "token-17" not in str(_complaints(logs))
