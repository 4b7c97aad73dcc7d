import pytest

from simulator import settings


def test_without_anything_it_is_the_run_that_make_simulate_does() -> None:
    chosen = settings.from_command_line([])
    assert (chosen.simulate_target, chosen.simulate_rate, chosen.simulate_tags, chosen.simulate_seed) == (
        "http://127.0.0.1:8088",
        1_000,
        60_000,
        1,
    )


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATE_RATE", "500")
    monkeypatch.setenv("SIMULATE_TAGS", "700")
    chosen = settings.from_command_line(["--rate", "250", "--bodies", "false", "--run-id", "12"])
    assert (chosen.simulate_rate, chosen.simulate_tags) == (250, 700)
    assert (chosen.simulate_bodies, chosen.simulate_run_id) == (False, 12)


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--tags", "many"], ["--target", "https://x"], ["--held-minutes", "3"]]
)
def test_a_bad_setting_is_refused_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        settings.from_command_line(arguments)
    assert refused.value.code == 2
    assert arguments[0].removeprefix("--").replace("-", "_").upper() in capsys.readouterr().err


def test_a_bad_token_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIMULATE_TOKEN", "azt_mine\r\nX-More: 1")
    with pytest.raises(SystemExit):
        settings.from_command_line([])
    said = capsys.readouterr().err
    assert "SIMULATE_TOKEN: " in said
    assert "mine" not in said


def test_long_runs_remember_fewer_users() -> None:
    assert settings.from_command_line([]).watched == 1_000_000
    assert settings.from_command_line(["--tags", "3600000"]).watched == 200_000
    assert settings.from_command_line(["--watched", "50", "--cookies", "20"]).watched == 20
