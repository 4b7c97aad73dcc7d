"""What the admin client says of a topic, where it says something odd."""

import uuid
from concurrent.futures import Future
from typing import Any, NamedTuple

import pytest
from confluent_kafka import OFFSET_INVALID

from broker import errors, topics

TOPIC = topics.Topic("user-tags", uuid.UUID(int=1), 2, 1)


class Answer(NamedTuple):
    offset: int


class Admin:
    """Answers one question after the other with these offsets, the last ones for ever."""

    def __init__(self, *answers: list[int]) -> None:
        self._answers = list(answers)

    def list_offsets(self, wanted: dict[Any, Any], **_: Any) -> dict[Any, Future[Answer]]:
        offsets = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        answered: dict[Any, Future[Answer]] = {partition: Future() for partition in wanted}
        for future, offset in zip(answered.values(), offsets, strict=True):
            future.set_result(Answer(offset))
        return answered


def test_an_offset_that_is_none_is_asked_for_again() -> None:
    admin = Admin([0, 0], [OFFSET_INVALID, 7], [5, 7])
    assert topics.read_offsets(admin, TOPIC, 5.0) == {0: (0, 5), 1: (0, 7)}  # type: ignore[arg-type]


def test_offsets_that_nobody_knows_are_a_broker_that_is_away() -> None:
    admin = Admin([0, OFFSET_INVALID])
    with pytest.raises(errors.BrokerUnavailable, match="user-tags"):
        topics.read_offsets(admin, TOPIC, 0.2)  # type: ignore[arg-type]
