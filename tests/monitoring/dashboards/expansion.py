"""What Grafana makes of a query before it asks: its variables and macros, put in as its data sources do.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ (`$__rate_interval`) and
https://grafana.com/docs/grafana/latest/datasources/postgres/ (the macros).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

# Points that a graph of usual width is asked for.
_POINTS: Final = 1_000
_MACRO: Final = re.compile(r"\$__(\w+)\(([^)]*)\)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Shown(NamedTuple):
    """The range that a dashboard shows, Unix times, and how often Prometheus reads its targets, in seconds."""

    start: int
    end: int
    scrape: int

    def step(self, least: str | None = None) -> int:
        """`$__interval` in seconds, at least what the panel asks for."""
        return max((self.end - self.start) // _POINTS, seconds(least) if least else self.scrape)


def promql(text: str, shown: Shown, step: int, values: Mapping[str, str]) -> str:
    """An expression as Prometheus gets it. `values` are those of the dashboard's own variables."""
    known = {
        "__rate_interval": f"{max(step + shown.scrape, 4 * shown.scrape)}s",
        "__interval": f"{step}s",
        "__range": f"{shown.end - shown.start}s",
        "__range_s": str(shown.end - shown.start),
        **values,
    }
    return _put_in(text, known)


def sql(text: str, shown: Shown, step: int) -> str:
    """A statement as PostgreSQL gets it: variables first, then macros."""
    plain = _put_in(text, {"__interval": f"{step}s", "__interval_ms": str(step * 1_000)}, also=_MACRO)
    return _MACRO.sub(lambda found: _macro(found[1], [each.strip() for each in found[2].split(",")], shown), plain)


def seconds(interval: str) -> int:
    """Of "15s" or "1m"."""
    return int(interval[:-1]) * _SECONDS[interval[-1]]


def _put_in(text: str, known: Mapping[str, str], also: re.Pattern[str] | None = None) -> str:
    """Raises KeyError for a variable that there is none of. What `also` matches stays for later."""

    def value(found: re.Match[str]) -> str:
        if also is not None and also.match(text, found.start()):
            return found[0]
        return known[found[1]]

    return re.sub(r"\$(\w+)", value, text)


def _macro(name: str, arguments: list[str], shown: Shown) -> str:
    start, end = (datetime.fromtimestamp(each, UTC).isoformat().replace("+00:00", "Z") for each in shown[:2])
    match name:
        case "timeFilter":
            return f"{arguments[0]} BETWEEN '{start}' AND '{end}'"
        case "timeFrom":
            return f"'{start}'"
        case "timeTo":
            return f"'{end}'"
        case "timeGroupAlias":
            width = seconds(arguments[1])
            return f'floor(extract(epoch from {arguments[0]})/{width})*{width} AS "time"'
    message = f"no macro of that name: {name}"
    raise ValueError(message)
