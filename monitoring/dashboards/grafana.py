"""Grafana's JSON of a board: the one place that knows it. Written for the version in stacks/images.env."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row, Source, Variable

# The form of a dashboard that Grafana 12 and 13 know; what comes later, Grafana turns this into by itself.
_SCHEMA_VERSION: Final = 42
_COLUMNS: Final = 24
# As monitoring/grafana/provisioning/datasources/datasources.yaml names them.
_SOURCES: Final[dict[Source, dict[str, str]]] = {
    "prometheus": {"type": "prometheus", "uid": "prometheus"},
    "postgres": {"type": "grafana-postgresql-datasource", "uid": "postgres"},
}
# Every dashboard has it, and a link to all others that do.
_TAG: Final = "allezone"

Json = dict[str, Any]


def dashboard(board: Board) -> Json:
    """What Grafana's provisioning reads from a file. It has no id: Grafana gives it one, `uid` is what stays."""
    return {
        "uid": board.uid,
        "title": f"Allezone: {board.title}",
        "description": board.description,
        "tags": [_TAG],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "timezone": "utc",
        "graphTooltip": 1,  # one line through all graphs
        "time": {"from": board.since, "to": "now"},
        "refresh": board.refresh,
        "links": [
            {"type": "dashboards", "title": "Dashboards", "tags": [_TAG], "asDropdown": True, "keepTime": True}
        ],
        "templating": {"list": [_variable(each) for each in board.variables]},
        "panels": list(_panels(board.rows)),
    }  # fmt: skip


def _variable(variable: Variable) -> Json:
    return {
        "type": "query",
        "name": variable.name,
        "label": variable.title,
        "datasource": _SOURCES["prometheus"],
        "query": {"query": variable.query, "refId": variable.name},
        "refresh": 2,  # with each change of the range
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels(rows: Sequence[Row]) -> Iterator[Json]:
    """Rows and their panels, numbered, each in its place on the grid."""
    number, top = 0, 0
    for row in rows:
        number += 1
        yield _row(row, number, top)
        top += 1
        left, height = 0, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                left, top, height = 0, top + height, 0
            number += 1
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _row(row: Row, number: int, top: int) -> Json:
    place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": row.title, "gridPos": place, "collapsed": False, "panels": []}


def _panel(panel: Panel) -> Json:
    made = {
        "type": panel.kind,
        "title": panel.title,
        "description": _description(panel),
        "datasource": _SOURCES[panel.queries[0].source],
        "targets": [_target(query, chr(ord("A") + place), panel) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }
    return made if panel.interval is None else {**made, "interval": panel.interval}


def _description(panel: Panel) -> str:
    """With the pages that say what to do about it."""
    pages = [f"docs/operations/alerts/{alert}.md" for alert in panel.alerts]
    return "\n\n".join([panel.description, *([f"What to do: {', '.join(pages)}"] if pages else [])])


def _target(query: Query, letter: str, panel: Panel) -> Json:
    known = {"refId": letter, "datasource": _SOURCES[query.source], "editorMode": "code"}
    graph = panel.kind == "timeseries"
    if query.source == "postgres":
        return {**known, "rawQuery": True, "rawSql": query.text, "format": "time_series" if graph else "table"}
    return {
        **known,
        "expr": query.text,
        "legendFormat": query.legend or "__auto",
        "range": graph,
        "instant": not graph,
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _defaults(panel: Panel) -> Json:
    given = {
        "unit": panel.unit,
        "decimals": panel.decimals,
        "min": panel.lowest,
        "max": panel.highest,
        "noValue": panel.no_value,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        "color": {"mode": "thresholds" if panel.kind in ("stat", "bargauge") else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": _steps(panel.objective)},
        "custom": _drawing(panel),
    }


def _steps(objective: Objective | None) -> list[Json]:
    """The colour from each value upwards; the first has no lower end."""
    if objective is None:
        return [{"color": "blue", "value": None}]
    under, over = ("green", "red") if objective.good == "below" else ("red", "green")
    beyond = [{"color": "red", "value": objective.value + 1}] if objective.good == "exactly" else []
    return [{"color": under, "value": None}, {"color": over, "value": objective.value}, *beyond]


def _drawing(panel: Panel) -> Json:
    if panel.kind != "timeseries":
        return {}
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 40 if panel.stacked else 8,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if panel.objective is None else "line+area"},
    }


_LAST: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: Final[dict[str, Json]] = {
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": _LAST,
        "orientation": "auto",
        "textMode": "auto",
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
    },
    # One bar a row of the answer.
    "bargauge": {
        "reduceOptions": {**_LAST, "values": True},
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": "color",
        "showUnfilled": True,
    },
    "table": {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
}
