"""Systems that are each wrong in one way are found out."""

from typing import Any

import pytest
from aiohttp import web

from tests.integration.simulator import judging, wrong
from tests.integration.simulator.stub import Stub


@pytest.mark.parametrize(
    ("system", "endpoints"),
    [
        (wrong.DropsOne, {"profiles, final", "aggregates, final"}),
        (wrong.DoublesOne, {"profiles, final", "aggregates, final"}),
        (wrong.LosesTies, {"profiles, final", "aggregates, final"}),
        (wrong.ForgetsTypes, {"profiles, final"}),
        (wrong.OneTooFew, {"profiles, final"}),
        (wrong.KeepsAll, {"profiles, final"}),
        (wrong.LimitsBeforeTheRange, {"profiles, final"}),
        (wrong.OldestFirst, {"profiles, final"}),
        (wrong.IncludesTheEnd, {"profiles, final"}),
        (wrong.OneMinuteTooMany, {"/aggregates", "aggregates, final"}),
        (wrong.OmitsEmptyMinutes, {"/aggregates", "aggregates, final"}),
        (wrong.SwapsColumns, {"aggregates, final"}),
        (wrong.SumsIn32Bits, {"aggregates, final"}),
    ],
)
async def test_a_wrong_system_is_found_out(system: type[Stub], endpoints: set[str]) -> None:
    found = await judging.judged(system())
    assert found.exit_status == 1
    assert endpoints <= {name for name, count in judging.counts(found, "wrong").items() if count}
    assert any(each.differences for each in found.endpoints)
    assert any("wrong answers" in failure for failure in found.failures)


async def test_without_bodies_the_gateway_compares_nothing_and_the_simulator_still_judges() -> None:
    found = await judging.judged(wrong.DropsOne(), bodies=False)
    assert found.gateway is not None
    assert all(sum(results.values()) == 0 for results in found.gateway.values())
    assert judging.counts(found, "wrong")["aggregates, final"] > 0


async def test_a_gateway_that_counts_a_mismatch_fails_the_run() -> None:
    """Its answers are right and its comparison is not: somebody has to look."""

    class Suspicious(Stub):
        async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
            self.compared[endpoint]["mismatch"] += 1
            return await super().answered(request, endpoint, answer)

    found = await judging.judged(Suspicious())
    assert set(judging.counts(found, "wrong").values()) == {0}
    assert any("that differ" in failure for failure in found.failures)
