"""`python -m gateway make-token`, as an operator uses it."""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from devstack import paths
from gateway import make_token, tokens


class Done(NamedTuple):
    status: int
    said: str
    complained: str


class Command:
    """The command, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        parser = argparse.ArgumentParser()
        make_token.add_arguments(parser)
        status = make_token.run(parser.parse_args(arguments))
        return Done(status, *self._capsys.readouterr())


@pytest.fixture
def make(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def _find(file: Path, token: str) -> tokens.Entry | None:
    return tokens.parse(file.read_text()).find(f"Bearer {token}".encode())


def test_the_token_is_shown_once_and_its_line_added_to_the_file(make: Command, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    first = make("shop", "--scopes", "write,read", "--file", str(file))
    file.write_text(file.read_text().rstrip("\n"))  # as an editor may leave it
    second = make("reports", "--scopes", "admin", "--file", str(file))

    assert (first.status, first.complained) == (0, "")
    shop, reports = (_find(file, done.said.strip()) for done in (first, second))
    assert shop is not None
    assert shop.line().startswith("shop write,read ")
    assert reports is not None
    assert reports.line().startswith("reports admin ")
    assert first.said.strip() not in file.read_text()


def test_as_a_process_without_a_file_its_line_is_shown_apart() -> None:
    argv = [sys.executable, "-m", "gateway", "make-token", "shop", "--scopes", "write"]
    done = subprocess.run(argv, cwd=paths.PROJECT, capture_output=True, text=True, timeout=60, check=True)

    found = tokens.parse(done.stderr.splitlines()[-1]).find(f"Bearer {done.stdout.strip()}".encode())
    assert found is not None
    assert found.name == "shop"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shop", "--scopes", "write,all"], "'all' is no scope: the scopes are write, read, admin"),
        (["sh op", "--scopes", "write"], "it has 4 words"),
        (["żółw", "--scopes", "write"], "the name takes 1 to 64 letters"),
        (["shop", "--scopes", "write", "--file", "/nowhere/at/all"], "No such file or directory"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(make: Command, arguments: list[str], sentence: str) -> None:
    done = make(*arguments)

    assert (done.status, done.said) == (1, "")
    assert done.complained.startswith("gateway: no token was made: ")
    assert sentence in done.complained


def test_a_third_token_of_one_name_is_refused_and_the_file_stays_as_it_is(make: Command, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    for _ in range(2):
        assert make("shop", "--scopes", "write", "--file", str(file)).status == 0
    before = file.read_text()

    done = make("shop", "--scopes", "write", "--file", str(file))

    assert (done.status, done.said, file.read_text()) == (1, "", before)
    assert "shop has 3 tokens: 2 of one name are the most" in done.complained


def test_commands_at_once_lose_no_token(make: Command, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: make(f"shop-{n}", "--scopes", "write", "--file", str(file)), range(40)))

    assert len(tokens.parse(file.read_text()).entries) == 40
