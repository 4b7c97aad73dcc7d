"""Whole runs against a system that is right, and against systems that are each wrong in one way."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from simulator import errors, report, run
from simulator.settings import SimulatorSettings
from tests.integration.simulator.stub import Stub, Tag

TAGS = 1_500
# Late in a minute: the 700 tags that are left of it make a complete one, and the stream spans two.
START = "2022-03-22T12:15:59.300Z"


@asynccontextmanager
async def _serving(stub: Stub) -> AsyncIterator[str]:
    try:
        yield await stub.start()
    finally:
        await stub.stop()


async def _judged(stub: Stub, **chosen: Any) -> report.Report:
    """One short run against `stub`; deadlines are short, for what is wrong stays wrong."""
    settings: dict[str, Any] = {
        "rate": 3_000,
        "tags": TAGS,
        "run_id": 7,
        "start": START,
        "cookies": 4,
        "tie_every": 10,
        "waiting": 10_000,
        "profile_deadline": 0.2,
        "aggregate_deadline": 0.2,
        "final_profiles": 1_000,
        "final_aggregates": 150,
    }
    async with _serving(stub) as target:
        named = {f"simulate_{name}": value for name, value in (settings | {"target": target} | chosen).items()}
        return await run.Run(SimulatorSettings(**named)).run(lambda _sent: None)


def _counts(found: report.Report, name: str) -> dict[str, int]:
    return {each.name: getattr(each, name) for each in found.endpoints}


async def test_a_right_system_is_found_right() -> None:
    stub = Stub()
    found = await _judged(stub)
    assert found.failures == []
    assert found.exit_status == 0
    assert list(_counts(found, "accepted").values())[:3] == [TAGS, TAGS // 10, TAGS // 1_000]
    assert _counts(found, "accepted")["aggregates, final"] == 150
    assert set(_counts(found, "unjudged").values()) == {0}
    assert len(stub.tags) == TAGS
    assert found.profiles_visible_seconds is not None
    assert found.gateway is not None
    assert all(results["mismatch"] == 0 < results["match"] for results in found.gateway.values())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of a second for seconds: most queries ask about tags of their own run."""
    monkeypatch.setattr("simulator.questions.PROFILE_AGE", 0.2)
    monkeypatch.setattr("simulator.questions.AGGREGATE_AGE", 0.2)
    monkeypatch.setattr("simulator.questions._ANSWER_SECONDS", 0.5)


# A slow rate leaves a busy machine time to answer: a second, between a tag and the first query about it.
MOVING = {"tags": 2_000, "rate": 500, "final_profiles": 0, "final_aggregates": 1}


@pytest.mark.usefixtures("soon")
async def test_queries_of_a_moving_stream_find_a_right_system_right() -> None:
    found = await _judged(Stub(), **MOVING)
    assert found.failures == []
    profiles, aggregates = found.endpoints[1:3]
    assert profiles.unjudged < profiles.accepted == 200
    assert aggregates.unjudged < aggregates.accepted == 2


@pytest.mark.usefixtures("soon")
async def test_queries_of_a_moving_stream_find_a_wrong_system_wrong() -> None:
    found = await _judged(ForgetsHalf(), **MOVING)
    assert _counts(found, "wrong")["/user_profiles"] > 0
    assert _counts(found, "wrong")["/aggregates"] > 0


@pytest.mark.usefixtures("soon")
async def test_a_query_that_comes_before_its_tags_were_answered_is_asked_and_not_judged() -> None:
    """The tags were due long enough ago, but the server let them wait: nothing says yet what must be visible."""

    class Waits(Stub):
        async def user_tags(self, request: web.Request) -> web.Response:
            await asyncio.sleep(0.6)
            return await super().user_tags(request)

    found = await _judged(Waits(), **MOVING | {"rate": 1_000, "connections": 2_000})
    assert found.failures == []
    assert found.endpoints[1].unjudged > 50


class DropsOne(Stub):
    def store(self, tag: Tag, number: int) -> None:
        if number != 700:
            super().store(tag, number)


class ForgetsHalf(Stub):
    def store(self, tag: Tag, number: int) -> None:
        if number % 2:
            super().store(tag, number)


class DoublesOne(Stub):
    def store(self, tag: Tag, number: int) -> None:
        for _ in range(2 if number == 700 else 1):
            super().store(tag, number)


class LosesTies(Stub):
    """One tag a millisecond and cookie: what a map keyed by time does."""

    def store(self, tag: Tag, number: int) -> None:
        if not any((tag["cookie"], tag["time"]) == (old["cookie"], old["time"]) for old in self.tags[-3:]):
            super().store(tag, number)


class ForgetsTypes(Stub):
    def store(self, tag: Tag, number: int) -> None:
        product = tag["product_info"] | {"product_id": str(tag["product_info"]["product_id"])}
        super().store(tag | {"product_info": product}, number)


class OneTooFew(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return super().history(tags, since, until, limit - 1)


class KeepsAll(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return [tag for tag in reversed(tags) if since + "Z" <= tag["time"] < until + "Z"][:limit]


class LimitsBeforeTheRange(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        kept = sorted(tags, key=lambda tag: str(tag["time"]), reverse=True)[:limit]
        return super().history(kept, since, until, limit)


class OldestFirst(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return super().history(tags, since, until, limit)[::-1]


class IncludesTheEnd(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        kept = sorted(tags, key=lambda tag: str(tag["time"]), reverse=True)[:200]
        return [tag for tag in kept if since + "Z" <= tag["time"] <= until + "Z"][:limit]


class OneMinuteTooMany(Stub):
    def minutes(self, since: str, until: str) -> list[str]:
        return super().minutes(since, f"{until[:14]}{int(until[14:16]) + 1:02d}:00")


class OmitsEmptyMinutes(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "rows" in answer:
            answer["rows"] = [row for row in answer["rows"] if row[-1] != "0"]
        return await super().answered(request, endpoint, answer)


class SwapsColumns(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "rows" in answer and len(answer["columns"]) > 3:
            for row in (answer["columns"], *answer["rows"]):
                row[-1], row[-2] = row[-2], row[-1]
        return await super().answered(request, endpoint, answer)


class SumsIn32Bits(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "sum_price" in answer.get("columns", ()):
            place = answer["columns"].index("sum_price")
            for row in answer["rows"]:
                row[place] = str((int(row[place]) + 2**31) % 2**32 - 2**31)
        return await super().answered(request, endpoint, answer)


@pytest.mark.parametrize(
    ("system", "endpoints"),
    [
        (DropsOne, {"profiles, final", "aggregates, final"}),
        (DoublesOne, {"profiles, final", "aggregates, final"}),
        (LosesTies, {"profiles, final", "aggregates, final"}),
        (ForgetsTypes, {"profiles, final"}),
        (OneTooFew, {"profiles, final"}),
        (KeepsAll, {"profiles, final"}),
        (LimitsBeforeTheRange, {"profiles, final"}),
        (OldestFirst, {"profiles, final"}),
        (IncludesTheEnd, {"profiles, final"}),
        (OneMinuteTooMany, {"/aggregates", "aggregates, final"}),
        (OmitsEmptyMinutes, {"/aggregates", "aggregates, final"}),
        (SwapsColumns, {"aggregates, final"}),
        (SumsIn32Bits, {"aggregates, final"}),
    ],
)
async def test_a_wrong_system_is_found_out(system: type[Stub], endpoints: set[str]) -> None:
    found = await _judged(system())
    assert found.exit_status == 1
    assert endpoints <= {name for name, count in _counts(found, "wrong").items() if count}
    assert any(each.differences for each in found.endpoints)
    assert any("wrong answers" in failure for failure in found.failures)


async def test_without_bodies_the_gateway_compares_nothing_and_the_simulator_still_judges() -> None:
    found = await _judged(DropsOne(), bodies=False)
    assert found.gateway is not None
    assert all(sum(results.values()) == 0 for results in found.gateway.values())
    assert _counts(found, "wrong")["aggregates, final"] > 0


async def test_a_gateway_that_counts_a_mismatch_fails_the_run() -> None:
    """Its answers are right and its comparison is not: somebody has to look."""

    class Suspicious(Stub):
        async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
            self.compared[endpoint]["mismatch"] += 1
            return await super().answered(request, endpoint, answer)

    found = await _judged(Suspicious())
    assert set(_counts(found, "wrong").values()) == {0}
    assert any("that differ" in failure for failure in found.failures)


async def test_a_gateway_that_restarts_counts_anew() -> None:
    class Restarts(Stub):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)
            if number == 500:
                self.started = 2.5
                self.compared["/user_profiles"] = {"match": 0, "mismatch": 0}

    stub = Restarts()
    stub.compared["/user_profiles"]["match"] = 100_000
    found = await _judged(stub)
    assert found.failures == []
    assert found.gateway is not None
    assert 0 < found.gateway["/user_profiles"]["match"] < TAGS


class Refuses(Stub):
    """Every tenth tag; of what it calls unknown it stores every other one, of what it calls refused none."""

    def __init__(self, stored: str | None) -> None:
        super().__init__()
        self._stored = stored

    async def user_tags(self, request: web.Request) -> web.Response:
        tag, number = json.loads(await request.read()), next(self.received)
        if number % 10:
            self.store(tag, number)
            return web.Response(status=204)
        if self._stored != "no" and number % 20:
            self.store(tag, number)
        if self._stored is None:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"detail": "Kafka is away", "stored": self._stored}, status=503)


@pytest.mark.parametrize(
    ("stored", "counted"), [("no", "refused"), ("unknown", "unknown"), (None, "unknown")], ids=["no", "unknown", "cut"]
)
async def test_tags_that_got_no_204_are_counted_and_leave_the_rest_judged(stored: str | None, counted: str) -> None:
    found = await _judged(Refuses(stored))
    assert found.endpoints[0].accepted == TAGS - TAGS // 10
    assert _counts(found, counted)["/user_tags"] == TAGS // 10
    assert set(_counts(found, "wrong").values()) == {0}
    assert found.endpoints[0].refusals
    assert found.exit_status == 1
    assert (await _judged(Refuses(stored), tolerant=True)).failures == []


async def test_a_tag_called_unstored_and_counted_all_the_same_is_wrong() -> None:
    class Lies(Refuses):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)

        async def user_tags(self, request: web.Request) -> web.Response:
            answer = await super().user_tags(request)
            if answer.status == 503:
                self.store(json.loads(await request.read()), -1)
            return answer

    found = await _judged(Lies("no"), tolerant=True)
    assert _counts(found, "wrong")["aggregates, final"] > 0
    assert found.exit_status == 1


async def test_retried_tags_are_accepted_in_the_end() -> None:
    found = await _judged(Refuses("no"), retries=8)
    assert found.failures == []
    assert found.endpoints[0].accepted == TAGS
    assert found.endpoints[0].retried >= TAGS // 10


async def test_queries_that_fail_are_counted() -> None:
    class NoProfiles(Stub):
        async def user_profiles(self, _request: web.Request) -> web.Response:
            return web.json_response({"detail": "away"}, status=503)

    found = await _judged(NoProfiles())
    assert _counts(found, "refused")["/user_profiles"] == TAGS // 10
    assert found.profiles_visible_seconds is None
    assert found.exit_status == 1


async def test_a_stalled_server_shows_in_the_latencies_of_all_that_was_due_meanwhile() -> None:
    """One stall of half a second at 1,000 a second over few connections: hundreds of requests were late by it, though
    only those under way noticed it themselves."""

    class Stalls(Stub):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)
            if number == 500:
                # The server's loop is the simulator's here: it stalls as one that shares the machine would.
                time.sleep(0.5)

    found = await _judged(Stalls(), rate=1_000, connections=4)
    latency = found.endpoints[0].latency_ms
    assert latency["max"] >= 500
    assert latency["p99"] >= 400
    assert sum(found.endpoints[0].statuses.values()) == TAGS


async def test_what_finds_no_connection_in_a_full_line_is_dropped_and_said_so() -> None:
    class Slow(Stub):
        async def user_tags(self, request: web.Request) -> web.Response:
            await asyncio.sleep(0.05)
            return await super().user_tags(request)

    found = await _judged(Slow(), connections=4, waiting=20)
    tags = found.endpoints[0]
    assert tags.dropped > 0
    assert tags.dropped + tags.accepted == TAGS
    assert set(_counts(found, "wrong").values()) == {0}
    assert any("never sent" in failure for failure in found.failures)


async def test_minutes_that_are_not_empty_are_not_judged() -> None:
    stub = Stub()
    await _judged(stub, tags=100)
    with pytest.raises(errors.WindowTaken, match="counted already"):
        await _judged(stub, tags=100)
    assert (await _judged(stub, tags=100, start=None, run_id=8)).failures == []


async def test_a_stream_that_ends_a_day_ahead_of_the_clock_is_not_started() -> None:
    with pytest.raises(errors.StartAhead):
        await _judged(Stub(), start="2999-01-01")


async def test_a_system_that_is_not_ready_is_not_tested() -> None:
    class Unready(Stub):
        async def readyz(self, _request: web.Request) -> web.Response:
            return web.json_response({"ready": False}, status=503)

    with pytest.raises(errors.NotReady, match="not ready"):
        await _judged(Unready())


@pytest.mark.parametrize(("system", "status", "told"), [(Stub, 0, "all right"), (DropsOne, 1, "FAILED")])
async def test_the_command_reports_and_ends_with_the_status(
    system: type[Stub], status: int, told: str, tmp_path: Path
) -> None:
    options = f"--tags {TAGS} --rate 3000 --run-id 7 --cookies 4 --final-aggregates 100 --profile-deadline 0.2"
    async with _serving(system()) as target:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--target", target, "--json", str(tmp_path / "report.json")),
            *(*options.split(), "--aggregate-deadline", "0.2"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert process.returncode == status, output
    assert told in output
    assert f"{TAGS:,} tags in" in output
    assert "--seed 1 --run-id 7" in output
    written = json.loads((tmp_path / "report.json").read_bytes())
    assert bool(written["failures"]) == bool(status)


async def test_without_a_system_the_command_says_what_to_do() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--target", "http://127.0.0.1:9"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert process.returncode == 2
    assert "start the system" in output
    assert "Traceback" not in output
