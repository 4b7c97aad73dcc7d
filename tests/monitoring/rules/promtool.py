"""promtool on rules and cases, whole or changed. Skipped by name without it, in CI as well, which installs Debian's."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from tests.monitoring.rules import reading
from tests.support import programs

_SECONDS: Final = 120

Change = Callable[[dict[str, Any]], None]


class Played(msgspec.Struct, frozen=True):
    """What came of a file of cases."""

    passed: bool
    output: str


def check(*paths: Path) -> Played:
    """Are these rules?"""
    return _run("check", "rules", *map(str, paths))


def play(cases: Path) -> Played:
    """Do the cases come out as they say?"""
    return _run("test", "rules", str(cases))


def play_changed(cases: Path, folder: Path, rule: Change, only: str | None = None) -> Played:
    """The same for copies in `folder` with each alerting rule changed by `rule`; with `only` one alert's cases."""
    told = yaml.safe_load(cases.read_text("utf-8"))
    told["rule_files"] = [_changed(path, folder, rule) for path in reading.rules_of(cases)]
    told["tests"] = [each for each in told["tests"] if only in (None, each["name"].split()[0])]
    return play(_written(folder / cases.name, told))


def rendered(cases: Path, folder: Path) -> str:
    """What promtool says of the alerts that fire in these cases, labels and annotations: it is told to expect none."""
    told = yaml.safe_load(cases.read_text("utf-8"))
    told["rule_files"] = [str(path) for path in reading.rules_of(cases)]
    told["tests"] = [_expecting_none(each) for each in told["tests"] if each["name"].endswith(f" {reading.FIRES}")]
    return play(_written(folder / cases.name, told)).output


def _changed(path: Path, folder: Path, change: Change) -> str:
    told = yaml.safe_load(path.read_text("utf-8"))
    for rule in [rule for group in told["groups"] for rule in group["rules"] if "alert" in rule]:
        change(rule)
    return _written(folder / path.name, told).name


def _expecting_none(case: dict[str, Any]) -> dict[str, Any]:
    last = case.pop("promql_expr_test")[-1]
    return case | {"alert_rule_test": [{"alertname": case["name"].split()[0], "eval_time": last["eval_time"]}]}


def _written(path: Path, told: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(told, width=1000), "utf-8")
    return path


def _run(*arguments: str) -> Played:
    [promtool] = programs.require("promtool")
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    return Played(done.returncode == 0, done.stdout + done.stderr)
