"""The overview's file alone says which of the four promises is broken. promtool plays an hour of each, by the rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.monitoring.dashboards import figures, hours, promises
from tests.monitoring.dashboards.hours import (
    KINDS,
    ONE_MACHINE,
    WELL,
    Hour,
    appears,
    certificate,
    edge,
    gateway,
    gone,
    grows,
    grows_then,
    stays,
    stays_then,
    worker,
)
from tests.monitoring.dashboards.prometheus import RULES
from tests.monitoring.dashboards.promises import Promise

PROFILES: Final = hours.QUERIES[0]

# What the edge tells where it has no gateway to lead to: it answers everything itself.
SHUT: Final[Hour] = {
    edge(hours.ANSWERS, code="2xx"): grows_then(15_000, 0),
    edge(hours.ANSWERS, code="5xx"): grows_then(1, 15_000),
    edge(hours.READY): stays_then(1, 0),
}
# What gateways tell that are asked for nothing.
IDLE: Final[Hour] = {
    gateway(hours.REQUESTS, endpoint="/user_tags", status="204"): grows_then(15_000, 0),
    gateway(hours.REQUESTS, endpoint="/user_tags", status="503"): grows_then(1, 0),
}
# What is told where no event reaches even the edge's backend.
UNHEARD: Final[Hour] = {**IDLE, edge(hours.ANSWERS, code="2xx"): grows_then(15_000, 0)}
WORKERS: Final = gone(WELL, 'job="workers"')
GATEWAYS: Final = gone(WELL, 'job="gateway"')
# 500 of something at the last look, and none before.
LATELY: Final = f"0x{hours.LAST - 1} 500"
# What is otherwise where one is broken, by its number and what happens. 0.005 makes one of a kind in the hour.
BROKEN: Final[Mapping[tuple[int, str], Hour]] = {
    (1, "events are refused"): {
        gateway(hours.REQUESTS, endpoint="/user_tags", status="503"): grows(100),
        edge(hours.ANSWERS, code="5xx"): grows(100),
    },
    (1, "no gateway is ready"): {**IDLE, **SHUT},
    (1, "gateways are gone"): {**GATEWAYS, **SHUT},
    (1, "gateways do not answer Prometheus or anybody"): {**GATEWAYS, gateway("up"): stays_then(1, 0), **SHUT},
    (1, "the edge is gone"): {**IDLE, **gone(WELL, 'service="edge"')},
    (1, "no edge shakes hands"): {
        **UNHEARD,
        certificate(hours.HANDSHAKES): stays_then(1, 0),
        **gone(WELL, hours.EXPIRY),
    },
    (1, "the certificate has run out"): {**UNHEARD, certificate(hours.EXPIRY): stays(hours.SECONDS - 1)},
    (1, "Kafka is away"): {
        **IDLE,
        gateway(hours.REACHED, dependency="kafka"): stays_then(1, 0),
        **SHUT,
        **{name: values for kind in KINDS for name, values in hours.idle(kind).items()},
        **gone(WELL, 'job="kafka"'),
    },
    (2, "profiles are slow"): {gateway(f"{hours.DURATION}_bucket", endpoint=PROFILES, le="0.2"): grows(980)},
    (2, "every query is answered 503 at once"): {
        name: values
        for each in hours.QUERIES
        for name, values in {
            gateway(hours.REQUESTS, endpoint=each, status="200"): stays(0),
            gateway(hours.REQUESTS, endpoint=each, status="503"): grows(1_000),
            gateway(f"{hours.DURATION}_bucket", endpoint=each, le="0.2"): grows(1_000),
        }.items()
    },
    (2, "one query in fifty is answered 503 at once"): {
        gateway(hours.REQUESTS, endpoint="/aggregates", status="503"): grows(20),
    },
    (3, "profiles are late"): {worker(f"{hours.FRESHNESS}_bucket", "profiles", le="10.0"): grows(98)},
    (3, "aggregates are late"): {worker(f"{hours.FRESHNESS}_bucket", "aggregates", le="60.0"): grows(98)},
    (3, "workers are stopped"): {
        **WORKERS,
        **{worker("up", kind): stays_then(1, 0) for kind in KINDS},
        **hours.behind(KINDS),
    },
    (3, "workers are gone"): {**WORKERS, **hours.behind(KINDS)},
    (3, "those of profiles are gone"): {
        **gone(WELL, 'job="workers"', 'service="profiles"'),
        **hours.behind(["profiles"]),
    },
    (3, "PostgreSQL is away"): hours.standing(["aggregates"]),
    (3, "Aerospike is away"): hours.standing(["profiles"]),
    (3, "one of two workers of profiles stands still"): hours.half_standing("profiles"),
    (3, "one of two workers of aggregates stands still"): hours.half_standing("aggregates"),
    (3, "one of two workers of profiles stood still for ten minutes"): {
        **hours.half_standing("profiles"),
        worker(hours.LAG, "profiles", partition="1", instance="profiles:2"): f"0x159 0+7500x39 0x{hours.LAST - 200}",
        worker(hours.STORED, "profiles", instance="profiles:2"): grows(hours.STEP),
    },
    (4, "an answer is wrong"): {gateway(hours.DEBUG, endpoint="/aggregates", result="mismatch"): grows(0.005)},
    (4, "a record is stepped over"): {worker(hours.LETTERS, "profiles", reason="undecodable"): grows(0.005)},
    (4, "offsets are jumped"): {worker(hours.JUMPED, "profiles"): grows(1)},
    (4, "a new worker steps over records before it is read"): {
        worker(hours.LETTERS, "profiles", reason="undecodable", instance="new:1"): appears(3),
        worker(hours.STARTED, "profiles", instance="new:1"): appears(hours.SECONDS - 660),
    },
}
# The same on one machine, where no edge stands before the gateways.
BROKEN_ALONE: Final[Mapping[tuple[int, str], Hour]] = {
    (1, "gateways are gone"): GATEWAYS,
    (1, "Kafka is away"): {**IDLE, gateway(hours.REACHED, dependency="kafka"): stays_then(1, 0)},
    (3, "PostgreSQL is away"): hours.standing(["aggregates"]),
    (3, "workers are gone"): {**WORKERS, **gone(WELL, 'job="kafka"')},
    (3, "one of two workers of profiles stands still"): hours.half_standing("profiles"),
}
# What looks bad and is not.
HARMLESS: Final[Mapping[str, Hour]] = {
    "nobody looks at the edges' certificate any more": gone(WELL, 'job="certificate"'),
    "the first events of the hour come, and wait for less than a look": {
        gateway(hours.REQUESTS, endpoint="/user_tags", status="204"): LATELY,
        gateway(hours.REQUESTS, endpoint="/user_tags", status="503"): stays(0),
        edge(hours.ANSWERS, code="2xx"): LATELY,
        edge(hours.ANSWERS, code="5xx"): stays(0),
        **{worker(hours.LAG, kind, partition="0"): LATELY for kind in KINDS},
    },
    "Prometheus begins anew, and finds what was counted long ago": {
        worker(hours.LETTERS, "profiles", reason="undecodable", instance="old:1"): appears(3),
        worker(hours.STARTED, "profiles", instance="old:1"): appears(-hours.SECONDS),
    },
}


def test_each_promise_is_a_row_that_says_its_objective_and_draws_it_in() -> None:
    found = promises.all_of_them()

    assert [(each.number, each.name) for each in found] == [
        (1, "availability"),
        (2, "latency"),
        (3, "freshness"),
        (4, "exactness"),
    ]
    assert [sorted(set(promises.drawn(each))) for each in found] == [[0.999], [0.2, 0.99], [0.99, 10, 60], [1]]
    for promise, words in zip(found, (["99.9 %"], ["99 %", "200 ms"], ["99 %", "10 s", "60 s"], ["0 "]), strict=True):
        assert all(word in promise.objective for word in words), promise


def test_nothing_is_red_where_all_is_well(tmp_path: Path) -> None:
    _see_red(set(), WELL, tmp_path)


def test_nothing_is_red_where_all_is_well_on_one_machine(tmp_path: Path) -> None:
    _see_red(set(), ONE_MACHINE, tmp_path, rules=_without_expected())


@pytest.mark.parametrize("what", HARMLESS)
def test_nothing_is_red_where_no_promise_is_broken(what: str, tmp_path: Path) -> None:
    _see_red(set(), {**WELL, **HARMLESS[what]}, tmp_path)


@pytest.mark.parametrize(("promise", "what"), BROKEN)
def test_the_promise_that_is_broken_is_red_and_no_other(promise: int, what: str, tmp_path: Path) -> None:
    _see_red({promise}, {**WELL, **BROKEN[promise, what]}, tmp_path)


@pytest.mark.parametrize(("promise", "what"), BROKEN_ALONE)
def test_the_promise_that_is_broken_is_red_on_one_machine_too(promise: int, what: str, tmp_path: Path) -> None:
    _see_red({promise}, {**ONE_MACHINE, **BROKEN_ALONE[promise, what]}, tmp_path, rules=_without_expected())


def _without_expected() -> list[Path]:
    """The rules without how many targets the stacks have: on one machine that is another file."""
    return [path for path in _rules() if path.name != "expected.yml"]


def _rules() -> list[Path]:
    """Those that record what these panels ask for."""
    return [RULES / name for name in ("freshness.yml", "pipeline.yml", "expected.yml")]


def _see_red(numbers: set[int], hour: Hour, folder: Path, rules: list[Path] | None = None) -> None:
    """Exactly the first panels of these promises are red at the end of the hour."""
    values = {_any_red(promise): int(promise.number in numbers) for promise in promises.all_of_them()}
    figures.play(hour, rules or _rules(), values, folder)


def _any_red(promise: Promise) -> str:
    """1 if a figure of the first panels is red, else 0; nothing if one of them has no value."""
    return f"clamp_max({' + '.join(figure.any_red for figure in promise.figures)}, 1)"
