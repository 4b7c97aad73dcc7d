"""Who is woken is told what it means and what to do."""

import re
from pathlib import Path
from typing import Final

import pytest

from devstack import paths
from tests.monitoring.rules import promtool, reading

ALERTS: Final = reading.alerts()
PAGES: Final = [
    *sorted(reading.RUNBOOKS.glob("*.md")),
    *(reading.RUNBOOKS.parent / f"{name}.md" for name in ("alerts", "objectives")),
]
HEADINGS: Final = ("## What it means", "## Look", "## Do", "## It ends")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_whom_it_wakes_and_what_to_do(alert: reading.Alert) -> None:
    assert alert.labels["severity"] in ("page", "ticket", "none")
    assert alert.for_ is not None
    assert alert.annotations.keys() == {"summary", "description", "runbook_url"}
    assert not alert.annotations["summary"].endswith(".")
    assert alert.annotations["description"].endswith(".")
    assert paths.PROJECT / alert.annotations["runbook_url"] == reading.RUNBOOKS / f"{alert.name}.md"


def test_no_name_is_given_twice() -> None:
    names = [alert.name for alert in ALERTS]
    assert sorted(names) == sorted(set(names))


def test_every_alert_has_a_runbook_and_no_runbook_is_of_none() -> None:
    assert {path.stem for path in reading.RUNBOOKS.glob("*")} == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_runbook_says_all_that_is_needed(alert: reading.Alert) -> None:
    text = (reading.RUNBOOKS / f"{alert.name}.md").read_text("utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# {alert.name}"
    assert [line for line in lines if line.startswith("## ")] == list(HEADINGS)
    assert f"**{alert.labels['severity']}**" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_leads_somewhere(page: Path) -> None:
    for name, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not anchor or anchor in _anchors(target), f"{name}#{anchor}"


# Docker gives what a container wrote to its standard error out on its own, and there all of ours write.
@pytest.mark.parametrize("page", sorted((paths.PROJECT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_a_log_that_is_searched_has_what_was_written_to_standard_error(page: Path) -> None:
    logs = re.findall(r"docker (?:service )?logs\b[^|`\n]*\|", page.read_text("utf-8"))
    assert [line for line in logs if not line.endswith(" 2>&1 |")] == []


def test_the_page_about_alerts_names_each_with_whom_it_wakes() -> None:
    text = (paths.PROJECT / "docs" / "operations" / "alerts.md").read_text("utf-8")
    rows = set(re.findall(r"\| \[(\w+)\]\(alerts/(\w+)\.md\) \| (\w+) \|", text))
    assert rows == {(alert.name, alert.name, alert.labels["severity"]) for alert in ALERTS}


def test_the_page_of_objectives_names_every_series_that_is_recorded() -> None:
    text = (paths.PROJECT / "docs" / "operations" / "objectives.md").read_text("utf-8")
    # Series of one name in several windows stand there once: `...:ratio_rate5m`, `30m`, `1h`.
    bases = {re.sub(r"(ratio_rate)\w+$", r"\g<1>5m", name) for name in reading.recorded()}
    assert [name for name in sorted(bases) if name not in text] == []


@pytest.mark.parametrize("path", reading.case_files(), ids=lambda path: path.name)
def test_what_an_alert_says_names_labels_that_it_has(path: Path, tmp_path: Path) -> None:
    said = promtool.rendered(path, tmp_path)
    for alert in [each for each in ALERTS if f"name: {each.name} {reading.FIRES}" in said]:
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
        for labels in re.findall(rf'Labels:(\{{alertname="{alert.name}".*\}})', said):
            assert named <= set(re.findall(r'(\w+)="', labels)), alert.name
    fired = {case.alert for case in reading.cases() if case.file == path.name}
    assert fired == {each.name for each in ALERTS if f"name: {each.name} {reading.FIRES}" in said}
    assert "error expanding template" not in said


def _anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
