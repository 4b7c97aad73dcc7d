"""The files of the dashboards: what the code makes of them now, and such that Grafana takes them as they are."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from devstack import paths
from monitoring.dashboards import __main__ as command
from monitoring.dashboards import files
from tests.monitoring.dashboards import reading

PROVISIONED: Final = paths.PROJECT / "monitoring" / "grafana" / "provisioning" / "datasources" / "datasources.yaml"
KINDS: Final = {"timeseries", "stat", "bargauge", "table", "row"}
# https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
UNITS: Final = {"short", "none", "percent", "percentunit", "s", "ms", "bytes", "Bps", "reqps", "wps", "ops"}
COLUMNS: Final = 24
# Docker takes no config that is larger.
MOST_BYTES: Final = 500_000
DOCUMENT: Final = re.compile(r"docs/[\w/.-]+\.md")

BOARDS: Final = reading.names()


def test_the_files_are_what_the_code_makes() -> None:
    """`python -m monitoring.dashboards` brings that about."""
    assert {path.name: path.read_text("utf-8") for path in reading.FOLDER.iterdir()} == files.contents()


def test_the_command_writes_all_of_them_and_removes_what_is_none_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FOLDER", tmp_path / "dashboards")
    command.main()
    (tmp_path / "dashboards" / "former.json").write_text("{}")
    command.main()

    assert {path.name for path in files.FOLDER.iterdir()} == set(files.contents())


def test_every_part_of_the_system_has_one() -> None:
    assert {"overview", "gateway", "pipeline", "kafka", "postgres", "aerospike", "business"} <= set(BOARDS)
    assert len({reading.board(name)["uid"] for name in BOARDS}) == len(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_keeps_its_address_and_leaves_numbering_to_grafana(name: str) -> None:
    board = reading.board(name)
    assert board["uid"] == f"allezone-{name}"
    assert "id" not in board
    assert board["schemaVersion"] == 42
    assert board["title"]
    assert board["description"]
    assert (reading.FOLDER / f"{name}.json").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_of_kinds_that_grafana_has_and_lie_beside_each_other(name: str) -> None:
    panels = reading.board(name)["panels"]
    assert {panel["type"] for panel in panels} <= KINDS
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for one, other in itertools.combinations(places, 2):
        assert not _overlap(one, other), (one, other)


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    for row, panel in reading.panels(reading.board(name)):
        assert row, panel["title"]
        assert panel["title"]
        assert len(panel["description"]) > 5, panel["title"]
        assert "{" not in panel["title"] + panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        legends = [target["legendFormat"] for target in panel["targets"] if "expr" in target]
        assert panel["type"] == "table" or "__auto" not in legends, panel["title"]
        assert len(set(legends)) == len(legends), panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_asks_a_data_source_that_is_provisioned(name: str) -> None:
    provisioned = {each["uid"]: each["type"] for each in yaml.safe_load(PROVISIONED.read_text("utf-8"))["datasources"]}
    for _, panel in reading.panels(reading.board(name)):
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert len(set(letters)) == len(letters)
        for asked in (panel, *panel["targets"]):
            assert provisioned[asked["datasource"]["uid"]] == asked["datasource"]["type"], panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_no_query_asks_about_a_user(name: str) -> None:
    for question in reading.questions(name):
        assert "profile_tags" not in question.text
        assert not re.search(r"\bcookie\b", question.text), question


@pytest.mark.parametrize("name", BOARDS)
def test_documents_that_it_leads_to_are_there(name: str) -> None:
    for path in _documents(reading.board(name)):
        assert (paths.PROJECT / path).is_file(), path


def _documents(board: reading.Json) -> Iterator[str]:
    for text in (board["description"], *(panel["description"] for _, panel in reading.panels(board))):
        yield from DOCUMENT.findall(text)


def _overlap(one: reading.Json, other: reading.Json) -> bool:
    return bool(
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
