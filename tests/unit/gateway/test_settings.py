"""A gateway in production is closed, or does not start."""

from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from runtime import settings

CLOSED = {"DB_PASSWORD": "of my own", "TOKENS_FILE": "/run/secrets/tokens"}


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> GatewaySettings:
    for name in GatewaySettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load(GatewaySettings)


def test_in_production_it_has_tokens_a_limit_and_an_internal_port(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, **CLOSED)

    assert (chosen.internal_port_served(), chosen.requests_per_second()) == (8089, 5000)
    assert (chosen.proxies(), chosen.origins()) == ([], [])


def test_for_a_trial_it_is_open_and_on_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, ENVIRONMENT="local")

    assert (chosen.tokens_file, chosen.internal_port_served(), chosen.requests_per_second()) == ("", 0, 0)


def test_a_limit_of_zero_is_none_at_all_in_production_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, **CLOSED, RATE_LIMIT_PER_S="0").requests_per_second() == 0


def test_lists_are_read_with_or_without_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(
        monkeypatch, **CLOSED, TRUSTED_PROXIES="10.0.0.0/8, fd00::1", CORS_ORIGINS="https://a.example,http://b:81 "
    )

    assert [str(network) for network in chosen.proxies()] == ["10.0.0.0/8", "fd00::1/128"]
    assert chosen.origins() == ["https://a.example", "http://b:81"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"TOKENS_FILE": ""}, "TOKENS_FILE is missing: name a file of tokens, which `python -m gateway make-token"),
        ({"INTERNAL_PORT": "0"}, "INTERNAL_PORT is the port that clients use"),
        ({"INTERNAL_PORT": "8088"}, "INTERNAL_PORT is the port that clients use"),
        ({"GATEWAY_PORT": "8089"}, "INTERNAL_PORT is the port that clients use"),
        ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES: 'proxy' does not appear to be an IPv4 or IPv6 network"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS: '*' is no origin"),
        ({"CORS_ORIGINS": "https://a.example/"}, "CORS_ORIGINS: 'https://a.example/' is no origin"),
        ({"CORS_ORIGINS": "null"}, "CORS_ORIGINS: 'null' is no origin"),
        ({"RATE_LIMIT_PER_S": "-1"}, "RATE_LIMIT_PER_S: "),
    ],
)
def test_what_would_leave_it_open_or_means_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, **{**CLOSED, **changed})

    assert ended.value.code == 2
    assert f"settings: {sentence}" in capsys.readouterr().err


def test_the_file_of_tokens_is_named_not_read_as_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`X_FILE` reads the setting X elsewhere; there is no setting TOKENS."""
    file = tmp_path / "tokens"
    file.write_text("anything")

    assert load(monkeypatch, DB_PASSWORD="own", TOKENS_FILE=str(file)).tokens_file == str(file)  # noqa: S106
