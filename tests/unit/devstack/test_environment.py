"""Commands that a person runs beside the system use the stores that the system uses."""

from pathlib import Path

import pytest

from devstack.settings import DevstackSettings
from devstack.stack import Stack


def test_what_was_set_for_the_runner_is_in_the_environment_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEROSPIKE_HOSTS", "127.0.0.1:3000")
    monkeypatch.setenv("KAFKA_TOPIC", "other tags'")
    monkeypatch.setenv("UNRELATED", "1")
    stack = Stack(DevstackSettings(state_dir=tmp_path), lambda _text: None)
    lines = stack.environment_file().splitlines()
    assert "export AEROSPIKE_HOSTS=127.0.0.1:3000" in lines
    assert """export KAFKA_TOPIC='other tags'"'"''""" in lines
    assert "export DB_PORT=5433" in lines
    assert not any("UNRELATED" in line for line in lines)


def test_what_the_runner_decides_goes_before_what_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_NAME", "elsewhere")
    stack = Stack(DevstackSettings(state_dir=tmp_path), lambda _text: None)
    assert "export DB_NAME=allezone" in stack.environment_file().splitlines()
