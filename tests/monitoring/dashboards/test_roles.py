"""Figures of who has a role, and of who is ready, are red where their own words say that it is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.monitoring.dashboards import figures, hours, reading
from tests.monitoring.dashboards.figures import Figure
from tests.monitoring.dashboards.hours import Hour

# Who may have a role, by the panel that counts those who do: its dashboard, the servers' job, names, and series.
ROLES: Final[Mapping[str, tuple[str, str, tuple[str, str], str]]] = {
    "Primaries": ("postgres", "patroni", ("postgres1", "postgres2"), "patroni_primary"),
    "Active controllers": (
        "kafka",
        "kafka-jmx",
        ("kafka1", "kafka2"),
        "kafka_controller_kafkacontroller_activecontrollercount",
    ),
}


@pytest.mark.parametrize(("holders", "red"), [(0, True), (1, False), (2, True)])
@pytest.mark.parametrize("title", ROLES)
def test_only_one_holder_of_a_role_is_right(title: str, holders: int, red: bool, tmp_path: Path) -> None:
    board, job, servers, metric = ROLES[title]
    hour = {
        hours.named(metric, job, server, name=server): hours.stays(int(place < holders))
        for place, server in enumerate(servers)
    }
    _see(_figure(board, title), hour, red, tmp_path)


def test_a_controller_that_is_asked_under_a_dead_broker_s_name_too_is_one(tmp_path: Path) -> None:
    board, job, servers, metric = ROLES["Active controllers"]
    hour = {hours.named(metric, job, server, instance="kafka2:1"): hours.stays(1) for server in servers}
    _see(_figure(board, "Active controllers"), hour, False, tmp_path)


@pytest.mark.parametrize(("events", "others", "red"), [(0, 4, True), (4, 0, True), (4, 4, False)])
def test_an_edge_without_a_gateway_for_some_requests_is_red(
    events: int, others: int, red: bool, tmp_path: Path
) -> None:
    hour = {
        hours.named(hours.READY, "haproxy", "edge", proxy=proxy): hours.stays(ready)
        for proxy, ready in (("events", events), ("gateways", others), ("grafana", 1))
    }
    _see(_figure("gateway", "Gateways that are ready"), hour, red, tmp_path)


def _see(figure: Figure, hour: Hour, red: bool, folder: Path) -> None:
    figures.play(hour, [], {figure.any_red: int(red)}, folder)


def _figure(board: str, title: str) -> Figure:
    """The only one of a panel."""
    panels = [panel for _, panel in reading.panels(reading.board(board)) if panel["title"] == title]
    (figure,) = [figure for panel in panels for figure in figures.of(panel)]
    return figure
