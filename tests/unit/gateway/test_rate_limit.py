"""Each client may ask so often, and nobody is remembered for ever."""

import pytest

from gateway import rate_limit
from gateway.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _passed(limit: RateLimit, client: str, requests: int) -> int:
    return sum(limit.take(client) == 0 for _ in range(requests))


def test_after_a_pause_a_burst_passes_and_no_more(clock: Clock) -> None:
    limit = RateLimit(10, 2, clock)

    assert _passed(limit, "a", 100) == 20
    clock.now += 3600
    assert _passed(limit, "a", 100) == 20


def test_then_as_many_a_second_as_are_allowed(clock: Clock) -> None:
    limit = RateLimit(10, 2, clock)
    _passed(limit, "a", 100)

    passed = 0
    for _ in range(1000):  # 100 requests a second for 10 s
        clock.now += 0.01
        passed += limit.take("a") == 0

    assert passed == pytest.approx(100, abs=1)


def test_who_waits_as_long_as_told_passes(clock: Clock) -> None:
    limit = RateLimit(0.5, 2, clock)
    assert limit.take("a") == 0

    wait = limit.take("a")

    assert wait == pytest.approx(2)
    clock.now += wait
    assert limit.take("a") == 0


def test_asking_in_vain_makes_nobody_wait_longer(clock: Clock) -> None:
    limit = RateLimit(10, 2, clock)

    _passed(limit, "a", 1000)
    clock.now += 0.11

    assert limit.take("a") == 0


def test_one_client_does_not_slow_down_another(clock: Clock) -> None:
    limit = RateLimit(10, 2, clock)
    _passed(limit, "a", 100)

    assert _passed(limit, "b", 100) == 20


def test_a_rate_below_one_in_the_burst_still_lets_one_pass(clock: Clock) -> None:
    assert RateLimit(0.1, 1, clock).take("a") == 0


def test_a_flood_of_clients_is_forgotten_and_those_who_go_on_asking_are_not(clock: Clock) -> None:
    limit = RateLimit(10, 2, clock)
    _passed(limit, "a", 100)

    for number in range(3 * rate_limit.MOST_CLIENTS):
        limit.take(f"stranger-{number}")
        if number % 1000 == 0:
            assert limit.take("a") > 0
        assert len(limit) <= rate_limit.MOST_CLIENTS
