"""Where all is there that a layout has, no figure that counts servers is red; where one is missing, its own is."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from monitoring import expected
from tests.monitoring.dashboards import expressions, figures, hours, reading
from tests.monitoring.dashboards.figures import Figure
from tests.monitoring.dashboards.hours import Hour

LAYOUTS: Final = (expected.USUAL, "original")
# What says of each server, by its job, that it is there: 1.
THERE: Final = {
    "kafka-jmx": "up",
    "patroni": "patroni_postgres_running",
    "etcd": "etcd_server_has_leader",
    "aerospike": "aerospike_node_up",
}
SIZE: Final = "aerospike_node_stats_cluster_size"
COUNTED: Final = {*THERE.values(), SIZE}
BOARDS: Final = ("kafka", "postgres", "aerospike")
# The panel that tells of one that is missing.
TELLING: Final = {
    "kafka-jmx": "Brokers missing",
    "patroni": "Members not running",
    "etcd": "Etcd members without a leader",
    "aerospike": "Nodes missing",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_red_where_all_that_a_layout_has_is_there(layout: str, tmp_path: Path) -> None:
    _see_red(set(), expected.file_of(layout), _servers(layout), tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("job", THERE)
def test_one_that_is_missing_is_red(job: str, layout: str, tmp_path: Path) -> None:
    servers = dict(_servers(layout))
    del servers[next(name for name in servers if f'job="{job}"' in name and name.startswith(f"{THERE[job]}{{"))]
    _see_red({TELLING[job]}, expected.file_of(layout), servers, tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_member_that_answers_for_a_dead_one_is_not_two(layout: str, tmp_path: Path) -> None:
    members = [service for job, service in expected.expected(layout) if job == "patroni"]
    servers = dict(_servers(layout))
    del servers[hours.named(THERE["patroni"], "patroni", members[1], name=members[1])]
    servers[hours.named(THERE["patroni"], "patroni", members[1], name=members[0])] = hours.stays(1)
    _see_red({TELLING["patroni"]}, expected.file_of(layout), servers, tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nodes_that_do_not_see_each_other_are_red(layout: str, tmp_path: Path) -> None:
    servers = {**_servers(layout), hours.named(SIZE, "aerospike", "aerospike1"): hours.stays(1)}
    _see_red({"Nodes that the smallest cluster lacks"}, expected.file_of(layout), servers, tmp_path)


def test_nothing_is_red_where_a_layout_has_no_aerospike(tmp_path: Path) -> None:
    told = yaml.safe_load(expected.rules(expected.USUAL))
    rules = [each for each in told["groups"][0]["rules"] if each["labels"]["job"] != "aerospike"]
    (tmp_path / "expected.yml").write_text(yaml.safe_dump({"groups": [{"name": "expected", "rules": rules}]}))
    others = {name: values for name, values in _servers(expected.USUAL).items() if "aerospike" not in name}
    _see_red(set(), tmp_path / "expected.yml", others, tmp_path)


def _servers(layout: str) -> Hour:
    """Each of those that the layout has, there and well."""
    targets = [(job, service) for job, service in expected.expected(layout) if job in THERE]
    nodes = [service for job, service in targets if job == "aerospike"]
    sizes = {hours.named(SIZE, "aerospike", service): hours.stays(len(nodes)) for service in nodes}
    return {hours.named(THERE[job], job, service, name=service): hours.stays(1) for job, service in targets} | sizes


def _see_red(titles: set[str], numbers: Path, servers: Hour, folder: Path) -> None:
    """Exactly these panels are red, of all that count servers, where there should be as many as the rules say."""
    found = _figures()
    assert titles <= {title for title, _ in found}
    values = {f"{figure.any_red} or vector(0)": int(title in titles) for title, figure in found}
    figures.play(servers, [numbers], values, folder)


def _figures() -> list[tuple[str, Figure]]:
    """With the titles of their panels."""
    panels = [panel for name in BOARDS for _, panel in reading.panels(reading.board(name)) if panel["type"] == "stat"]
    found = [(panel["title"], figure) for panel in panels for figure in figures.of(panel)]
    return [(title, figure) for title, figure in found if COUNTED & _asked(figure)]


def _asked(figure: Figure) -> set[str]:
    return {series.name for series in expressions.series(figure.query)}
