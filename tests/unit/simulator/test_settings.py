from pathlib import Path

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
    "arguments",
    [
        ["--rate", "0"],
        ["--tags", "many"],
        ["--target", "http://x"],
        ["--target", "ftp://x:1"],
        ["--target", "https://x/path"],
        ["--target", "none"],
        ["--inside", "nowhere"],
        ["--ca-file", "/nothing/there"],
        ["--held-minutes", "3"],
    ],
)
def test_a_bad_setting_is_refused_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        settings.from_command_line(arguments)
    assert refused.value.code == 2
    assert arguments[0].removeprefix("--").replace("-", "_").upper() in capsys.readouterr().err


@pytest.mark.parametrize("target", ["https://shop.example", "https://shop.example:8443/", "http://127.0.0.1:1"])
def test_targets(target: str) -> None:
    chosen = settings.from_command_line(["--target", target])
    assert (chosen.simulate_target, chosen.inside) == (target, target)
    assert settings.from_command_line(["--target", target, "--inside", "none"]).inside is None


def test_a_token_comes_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "token"
    file.write_text("azt_mine\n")
    assert settings.from_command_line(["--token-file", str(file)]).simulate_token == file.read_text().strip()
    with pytest.raises(SystemExit):
        settings.from_command_line(["--token-file", str(tmp_path / "none")])
    assert "--token-file" in capsys.readouterr().err


def test_a_file_without_certificates_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(SystemExit):
        settings.from_command_line(["--ca-file", str(tmp_path / "ca.pem")])
    assert "SIMULATE_CA_FILE: certificates in PEM cannot be read from it" in capsys.readouterr().err


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
