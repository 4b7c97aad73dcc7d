"""What is done to a running system, and when: a list that a seed alone decides, so that the same seed does the same."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec


class Action(msgspec.Struct, frozen=True):
    """`kind` is done to `target` when `at_s` seconds of the plan have passed; what lasts, lasts `for_s` seconds."""

    at_s: float
    kind: str
    target: str
    for_s: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.for_s:.2f} s" if self.for_s else ""
        return f"{self.at_s:7.2f} s  {self.kind} {self.target}{lasting}"


class Fault(NamedTuple):
    """What a plan is to hold somewhere: it lasts for `least_s` to `most_s` seconds."""

    kind: str
    target: str
    least_s: float = 0.0
    most_s: float = 0.0


def dice(seed: int, scenario: str) -> random.Random:
    """What all of a scenario's plan is drawn from."""
    return random.Random(f"{seed}/{scenario}")  # noqa: S311


def moments(pick: random.Random, count: int, least_s: float, most_s: float, start_s: float = 0.0) -> Iterator[float]:
    """`count` moments after `start_s`, each `least_s` to `most_s` seconds behind the one before."""
    moment = start_s
    for _ in range(count):
        moment = round(moment + pick.uniform(least_s, most_s), 3)
        yield moment


def drawn(pick: random.Random, faults: Sequence[Fault], least_s: float, most_s: float) -> list[Action]:
    """All of `faults`, in an order, at times (see `moments`) and for as long as the dice decide.

    The times leave out how long each fault lasts: one that is not over by then delays those behind it.
    """
    chosen = pick.sample(faults, len(faults))
    return [
        Action(moment, fault.kind, fault.target, round(pick.uniform(fault.least_s, fault.most_s), 2))
        for fault, moment in zip(chosen, moments(pick, len(chosen), least_s, most_s), strict=True)
    ]


def in_order(plan: Sequence[Action]) -> list[Action]:
    """By time; of one time in the order given."""
    return sorted(plan, key=lambda action: action.at_s)


def printed(plan: Sequence[Action]) -> str:
    """A line an action."""
    return "\n".join(f"  {action}" for action in plan)
