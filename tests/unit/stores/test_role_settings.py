"""Every role of PostgreSQL has a password of its own, or none is made."""

import pytest

from runtime import settings
from stores.role_settings import RoleSettings

ROLES = ("OWNER", "PIPELINE", "GATEWAY", "ANALYST", "MONITORING", "REPLICATION")
GOOD = {f"{role}_PASSWORD": f"{role} and nobody else" for role in ROLES} | {"DB_PASSWORD": "of the superuser"}


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> RoleSettings:
    for name in RoleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load(RoleSettings)


def test_each_role_has_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, **GOOD)

    assert chosen.passwords() == {f"{role.lower()}_password": f"{role} and nobody else" for role in ROLES}
    assert "nobody else" not in repr(chosen)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"PIPELINE_PASSWORD": ""}, "PIPELINE_PASSWORD is missing or an example value: set PIPELINE_PASSWORD or"),
        ({"ANALYST_PASSWORD": "changeme"}, "ANALYST_PASSWORD is missing or an example value"),
        ({"DB_PASSWORD": "postgres"}, "DB_PASSWORD is missing or an example value"),
        ({"GATEWAY_PASSWORD": "short"}, "GATEWAY_PASSWORD has under 16 characters: make a random one"),
        ({"GATEWAY_PASSWORD": "OWNER and nobody else"}, "two roles have the same password"),
        ({"GATEWAY_PASSWORD": "of the superuser"}, "two roles have the same password"),
        ({"ENVIRONMENT": "local", "OWNER_PASSWORD": ""}, "OWNER_PASSWORD is empty, and its role could never log in"),
    ],
)
def test_an_empty_example_short_or_shared_password_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        load(monkeypatch, **{**GOOD, **changed})

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"settings: {sentence}")
    assert "nobody else" not in said


def test_for_a_trial_they_may_be_as_simple_as_one_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    simple = dict.fromkeys(GOOD, "x")

    assert set(load(monkeypatch, ENVIRONMENT="local", **simple).passwords().values()) == {"x"}
