"""Settings come from the environment or from files, and bad ones are refused with a sentence."""

from collections.abc import Mapping
from pathlib import Path

import psycopg.conninfo
import pytest
from pydantic import Field, SecretStr

from runtime import settings


class Chosen(settings.KafkaSettings, settings.DatabaseSettings):
    """A process's settings, with one of its own."""

    wait_s: float = Field(1.5, gt=0, description="Seconds.")


def load(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> Chosen:
    for name in Chosen.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load(Chosen)


def test_every_setting_has_a_default_but_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, {"DB_PASSWORD": "of my own"})
    assert (chosen.kafka_hosts, chosen.db_port, chosen.wait_s) == ("127.0.0.1:9092", 5432, 1.5)
    assert chosen.environment == "production"


def test_a_secret_may_come_from_a_file_without_its_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("  s3cret \n")
    assert load(monkeypatch, {"DB_PASSWORD_FILE": str(file)}).db_password.get_secret_value() == "  s3cret "


def test_any_setting_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_text("6000\n")
    assert load(monkeypatch, {"DB_PASSWORD": "own", "DB_PORT_FILE": str(file)}).db_port == 6000


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "DB_PASSWORD is missing or an example value: set DB_PASSWORD or DB_PASSWORD_FILE"),
        ({"DB_PASSWORD": "ChangeMe"}, "DB_PASSWORD is missing or an example value"),
        ({"DB_PASSWORD": "own", "DB_PORT": "many"}, "DB_PORT: "),
        ({"DB_PASSWORD": "own", "DB_PORT": "70000"}, "DB_PORT: Input should be less than or equal to 65535"),
        ({"DB_PASSWORD": "own", "KAFKA_TOPIC": "a b"}, "KAFKA_TOPIC: "),
        ({"DB_PASSWORD": "own", "WAIT_S": "0"}, "WAIT_S: Input should be greater than 0 (given: '0')"),
        (
            {"DB_PASSWORD": "own", "LOG_LEVEL": "Loud"},
            "LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error' (given: 'loud')",
        ),
        ({"DB_PASSWORD_FILE": "/nowhere/at/all"}, "DB_PASSWORD_FILE: /nowhere/at/all cannot be read"),
        ({"DB_PASSWORD": "own", "DB_PASSWORD_FILE": "x"}, "DB_PASSWORD and DB_PASSWORD_FILE are both set"),
    ],
)
def test_a_bad_setting_ends_the_start_with_a_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: Mapping[str, str],
    sentence: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, environment)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"settings: {sentence}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("level", ["warning", "WARNING", "Warning"])
def test_the_level_of_logs_is_taken_in_any_case_of_letters(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    assert load(monkeypatch, {"DB_PASSWORD": "own", "LOG_LEVEL": level}).log_level == "warning"


def test_every_bad_setting_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        load(monkeypatch, {"DB_PORT": "x", "WAIT_S": "-1"})
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_local_trial_may_have_an_example_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, {"ENVIRONMENT": "local"}).environment == "local"


def test_a_file_too_large_for_a_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_text("x" * 70_000)
    with pytest.raises(SystemExit):
        load(monkeypatch, {"DB_PASSWORD_FILE": str(file)})
    assert "no secret is that long" in capsys.readouterr().err


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hidden-one" not in repr(load(monkeypatch, {"DB_PASSWORD": "hidden-one"}))


def test_settings_do_not_change() -> None:
    chosen = settings.KafkaSettings()
    with pytest.raises(ValueError, match="frozen"):
        chosen.kafka_topic = "another"  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    undescribed = [name for name, field in Chosen.model_fields.items() if not field.description]
    assert undescribed == []


def test_connections_go_to_a_primary_and_notice_a_peer_that_vanished() -> None:
    password = "quote ' and space"  # noqa: S105
    chosen = settings.DatabaseSettings(db_host="a,b", db_password=SecretStr(password), environment="local")
    parts = psycopg.conninfo.conninfo_to_dict(chosen.conninfo("me"))
    assert parts["password"] == password
    assert (parts["host"], parts["application_name"]) == ("a,b", "me")
    assert parts["target_session_attrs"] == "read-write"
    assert int(parts["tcp_user_timeout"] or 0) == 15_000
    # Before PGCLIENTENCODING and ALTER ROLE ... SET, which COPY would be read in.
    assert parts["client_encoding"] == "UTF8"
