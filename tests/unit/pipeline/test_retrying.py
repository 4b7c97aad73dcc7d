"""Passing failures are asked again for ever, anything else is raised, and a placement ends what was asked before."""

import asyncio

import pytest

from broker import errors as broker_errors
from pipeline import retrying
from stores import errors as store_errors
from tests.support import eventually
from tests.support.fakes.counting import settings


class Question:
    """Fails with these errors, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


@pytest.fixture
def retrier() -> retrying.Retrier:
    return retrying.Retrier(settings())


@pytest.mark.parametrize(
    "passing",
    [
        store_errors.StoreUnavailable("away"),
        store_errors.ProfileStoreUnavailable("away"),
        broker_errors.BrokerUnavailable("away"),
    ],
)
async def test_a_passing_failure_is_asked_again_until_it_is_answered(
    retrier: retrying.Retrier, passing: Exception
) -> None:
    question = Question(*[passing] * 50)
    assert await retrier.ask(question) == "answer"
    assert question.asked == 51
    assert not retrier.asking


async def test_it_is_known_while_an_answer_is_missing(retrier: retrying.Retrier) -> None:
    question = Question(*[store_errors.StoreUnavailable("away")] * 10_000)
    asking = asyncio.create_task(retrier.ask(question))
    await eventually.until(lambda: retrier.asking)
    question.failures.clear()
    await asking
    assert not retrier.asking


async def test_a_question_that_is_late_has_no_answer_either(retrier: retrying.Retrier) -> None:
    """Whoever is frozen neither answers nor fails, for as long as the patience for one question lasts."""
    answered = asyncio.Event()
    asking = asyncio.create_task(retrier.ask(answered.wait))
    await asyncio.sleep(0)
    assert not retrier.asking
    await eventually.until(lambda: retrier.asking)
    answered.set()
    await asking
    assert not retrier.asking


@pytest.mark.parametrize("failure", [ValueError("defect"), store_errors.OffsetMoved("elsewhere")])
async def test_what_does_not_pass_is_raised_at_once(retrier: retrying.Retrier, failure: Exception) -> None:
    question = Question(failure)
    with pytest.raises(type(failure)):
        await retrier.ask(question)
    assert question.asked == 1
    assert not retrier.asking


async def test_what_does_not_pass_is_raised_behind_failures_that_did(retrier: retrying.Retrier) -> None:
    with pytest.raises(ValueError, match="defect"):
        await retrier.ask(Question(store_errors.StoreUnavailable("away"), ValueError("defect")))
    assert not retrier.asking


async def test_a_placement_abandons_what_is_being_asked_again(retrier: retrying.Retrier) -> None:
    question = Question(*[store_errors.StoreUnavailable("away")] * 10_000)
    asking = asyncio.create_task(retrier.ask(question))
    await eventually.until(lambda: question.asked >= 2)
    retrier.abandon_others()
    with pytest.raises(retrying.Abandoned):
        await asking


async def test_a_question_for_good_outlives_placements(retrier: retrying.Retrier) -> None:
    question = Question(*[store_errors.StoreUnavailable("away")] * 20)
    asking = asyncio.create_task(retrier.ask(question, for_good=True))
    await eventually.until(lambda: question.asked >= 2)
    retrier.abandon_others()
    assert await asking == "answer"


async def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    retrier = retrying.Retrier(settings(retry_first_s=0.1, retry_last_s=0.5))
    question = _Immediate(*[store_errors.StoreUnavailable("away")] * 5)
    monkeypatch.setattr(asyncio, "sleep", note)
    await retrier.ask(question)
    assert slept == [0.1, 0.2, 0.4, 0.5, 0.5]


class _Immediate(Question):
    async def __call__(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "answer"
