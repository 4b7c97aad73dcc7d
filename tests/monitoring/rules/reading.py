"""The rules, their cases and the runbooks, as their files have them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from devstack import paths

RULES: Final = paths.PROJECT / "monitoring" / "prometheus" / "rules"
CASES: Final = Path(__file__).parent
RUNBOOKS: Final = paths.PROJECT / "docs" / "operations" / "alerts"
FIRES: Final = "fires"
SILENT: Final = "stays silent just below"
RESOLVES: Final = "resolves"
ENDINGS: Final = (FIRES, SILENT, RESOLVES)


class Alert(msgspec.Struct, frozen=True):
    """One alerting rule. `file` is the name of its file without the ending."""

    file: str
    name: str
    expr: str
    for_: str | None
    labels: dict[str, str]
    annotations: dict[str, str]


class Case(msgspec.Struct, frozen=True):
    """One test group of promtool, named after an alert and what it does: `NodeMemoryLow fires`.

    `firing` and `silent` are what is asked at the times in them: which alert.
    """

    file: str
    name: str
    firing: tuple[str, ...]
    silent: tuple[str, ...]

    @property
    def alert(self) -> str:
        return self.name.split()[0]

    @property
    def ending(self) -> str:
        """What it does, with what follows: `fires for clocks`."""
        return self.name.partition(" ")[2]


def rule_files() -> list[Path]:
    return sorted(RULES.glob("*.yml"))


def case_files() -> list[Path]:
    return sorted(CASES.glob("*.test.yml"))


def rules(path: Path) -> list[dict[str, Any]]:
    """Recording and alerting rules of a file, in their order."""
    return [rule for group in _read(path)["groups"] for rule in group["rules"]]


def alerts() -> list[Alert]:
    return [alert for path in rule_files() for alert in alerts_of(path)]


def alerts_of(path: Path) -> list[Alert]:
    return [_alert(path, rule) for rule in rules(path) if "alert" in rule]


def recorded() -> set[str]:
    """The names of all recording rules."""
    return {rule["record"] for path in rule_files() for rule in rules(path) if "record" in rule}


def cases() -> list[Case]:
    return [case for path in case_files() for case in _cases(path)]


def fired() -> list[dict[str, str]]:
    """The labels of every alert that fires in a case."""
    groups = [group for path in case_files() for group in _read(path)["tests"]]
    asked = [each for group in groups for each in group.get("promql_expr_test", [])]
    return [
        dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
        for each in asked
        for sample in each.get("exp_samples") or []
    ]


def rules_of(path: Path) -> list[Path]:
    """The files of rules that a file of cases is about."""
    return [(path.parent / name).resolve() for name in _read(path)["rule_files"]]


def _alert(path: Path, rule: dict[str, Any]) -> Alert:
    return Alert(
        path.stem, rule["alert"], rule["expr"], rule.get("for"), rule.get("labels", {}), rule.get("annotations", {})
    )


def _cases(path: Path) -> Iterator[Case]:
    for group in _read(path)["tests"]:
        firing = tuple(each["expr"] for each in group.get("promql_expr_test", []) if each.get("exp_samples"))
        silent = tuple(each["alertname"] for each in group.get("alert_rule_test", []) if not each.get("exp_alerts"))
        yield Case(path.name, group["name"], firing, silent)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found
