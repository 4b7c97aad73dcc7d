"""Rules and dashboards reach Prometheus and Grafana: every file is mounted where it is looked for, and is taken."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.stacks import rendering
from tests.support import programs

FOLDER: Final = rendering.ROOT / "monitoring"
_CONFIG_BYTES: Final = 500 * 1024  # what Docker takes at most (docs.docker.com: configs)


def test_every_rule_is_mounted_where_prometheus_looks() -> None:
    mounted = _mounted("prometheus")
    files = {f"/etc/prometheus/rules/{path.name}": path for path in (FOLDER / "prometheus" / "rules").glob("*.yml")}
    assert {target: path for target, path in mounted.items() if "/rules/" in target} == files


def test_every_dashboard_is_mounted_where_grafana_looks() -> None:
    mounted = _mounted("grafana")
    files = {
        f"/etc/grafana/dashboards/{path.name}": path for path in (FOLDER / "grafana" / "dashboards").glob("*.json")
    }
    assert {target: path for target, path in mounted.items() if target.endswith(".json")} == files


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_a_file_is_small_enough_for_docker(name: str) -> None:
    assert [path for path in _mounted(name).values() if path.stat().st_size > _CONFIG_BYTES] == []


@pytest.mark.parametrize("layout", [(), ("layouts/original.stateless",)], ids=["usual", "original"])
def test_prometheus_takes_what_is_mounted(layout: tuple[str, ...], tmp_path: Path) -> None:
    """As the container has it, in a folder in the place of its root."""
    done = _check_config(layout, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = [target for target in _mounted("prometheus", *layout) if "/rules/" in target]
    assert done.stdout.count("rules found") == len(rules)


def test_a_broken_rule_is_found(tmp_path: Path) -> None:
    _check_config((), tmp_path)
    (tmp_path / "etc" / "prometheus" / "rules" / "broken.yml").write_text(
        "groups: [{ name: a, rules: [{ expr: 'b(' }] }]"
    )
    assert _promtool(tmp_path).returncode == 1


def _mounted(service: str, *overrides: str) -> dict[str, Path]:
    """The file of each config of a service, by where it is in the container."""
    stack = rendering.render("2.stateless", overrides=overrides)
    configs = {name: rendering.STACKS / config["file"] for name, config in stack.configs.items()}
    return {each["target"]: configs[each["source"]].resolve() for each in stack.services[service]["configs"]}


def _check_config(overrides: tuple[str, ...], folder: Path) -> "subprocess.CompletedProcess[str]":
    for target, path in _mounted("prometheus", *overrides).items():
        place = folder / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path.read_text("utf-8").replace("/etc/prometheus/", f"{folder}/etc/prometheus/"), "utf-8")
    return _promtool(folder)


def _promtool(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Skipped by name without it, in CI as well, which tries to install Debian's."""
    [promtool] = programs.require("promtool")
    command = [promtool, "check", "config", str(folder / "etc" / "prometheus" / "prometheus.yml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
