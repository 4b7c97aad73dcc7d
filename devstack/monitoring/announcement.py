"""What the person at the terminal is told about monitoring that runs."""

from __future__ import annotations

from pathlib import Path

from devstack import layout, ports
from devstack.monitoring.stack import Monitoring

_QUERY = "sum by (endpoint, status) (rate(allezone_gateway_requests_total[1m]))"


def ready(monitoring: Monitoring, seconds: float) -> str:
    """What runs where, what to try, how to stop."""
    places = {place.name: place for place in monitoring.started()}
    return "\n".join(
        [
            f"ready after {seconds:.0f} s",
            "",
            "What runs",
            *(f"  {name:24} {_url(place)}" for name, place in places.items()),
            f"  logs {monitoring.state.logs}/NAME.log, process ids {monitoring.state.pids}/NAME.pid",
            "",
            "What to try",
            *(f"  {line}" for line in _tries(places, monitoring.state.pids)),
            "",
            "How to stop: Ctrl-C. Measurements stay for a week; `make clean-state` forgets them with all else.",
            "",
        ]
    )


def _tries(places: dict[str, layout.Place], pids: Path) -> list[str]:
    prometheus = _url(places["prometheus"])
    dashboards = [f"{_url(place)}/dashboards" for name, place in places.items() if name == "grafana"]
    return [
        *dashboards,
        f"{prometheus}/targets    who is asked, and who answers",
        f"{prometheus}/alerts     every alert, and what it waits for",
        f"curl -sG {prometheus}/api/v1/query --data-urlencode 'query={_QUERY}'",
        "`make simulate` in another terminal, for something to see; for an alert, stop a worker:",
        f"kill -STOP $(cat {pids}/pipeline-aggregates-1.pid)    and later    kill -CONT",
    ]


def _url(place: layout.Place) -> str:
    return f"http://{ports.HOST}:{place.port}"
