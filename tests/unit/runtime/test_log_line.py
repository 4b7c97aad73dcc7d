"""A line of the log is never longer than what Docker's log driver leaves whole, whatever its fields hold."""

import json
import uuid
from typing import Any

import pytest

from runtime import log_line

DOCKER_CUTS_AT = 16 * 1024
FIXED = {"time": "2026-03-22T12:15:00.123Z", "level": "info", "service": "gateway", "logger": "here", "event": "it"}

LONG: dict[str, dict[str, Any]] = {
    "letters of 6 bytes": {"text": "日" * 8_000},
    "letters of 12 bytes": {"text": "😀" * 8_000},
    "letters of 12 bytes at the ends alone": {"text": "😀" * 1_000 + "a" * 100_000 + "😀" * 1_000},
    "quotes and line ends": {"text": '"\n' * 5_000},
    "two long fields": {"text": "a" * 8_000, "exception": "b\n" * 4_000},
    "a list": {"difference": ["Łódź, Żółć, Gęślą " * 28] * 20},
    "a list with one long text": {"difference": ["a" * 50_000, "b"]},
    "a long list": {"partitions": list(range(10_000))},
    "a mapping": {"stored": {partition: 2**62 for partition in range(5_000)}},
    "lists in lists": {"deep": [[[["日" * 9_000] * 3] * 3] * 3]},
    "anything else": {"kinds": {uuid.UUID(int=number) for number in range(1_000)}},
    "too many fields": {f"field{number}": "a" * 100 for number in range(5_000)},
    "a name of a field": {"a" * 20_000: 1},
}


@pytest.mark.parametrize("fields", LONG.values(), ids=LONG.keys())
def test_no_line_is_cut_in_two_and_its_first_fields_are_whole(fields: dict[str, Any]) -> None:
    line = log_line.encode(FIXED | fields)

    assert len(line.encode("ascii")) < DOCKER_CUTS_AT
    assert list(json.loads(line).items())[: len(FIXED)] == list(FIXED.items())


def test_what_fits_is_told_as_it_is() -> None:
    fields = FIXED | {"text": "日" * 2_000, "list": [1, "a", None], "mapping": {"1": 2}}
    assert json.loads(log_line.encode(fields)) == fields


def test_a_long_text_keeps_both_ends_and_most_of_what_there_is_room_for() -> None:
    told = json.loads(log_line.encode(FIXED | {"text": "b" + "日" * 8_000 + "z", "other": "short"}))

    assert (told["text"][0], told["text"][-1], told["other"]) == ("b", "z", "short")
    assert " … " in told["text"]
    assert len(told["text"]) > DOCKER_CUTS_AT * 0.75 / 6


def test_a_long_list_says_how_much_of_it_is_left_out() -> None:
    told = json.loads(log_line.encode(FIXED | {"difference": ["日" * 500] * 20}))["difference"]

    assert told[:-1] == ["日" * 500] * (len(told) - 1)
    assert told[-1] == f"… {20 - (len(told) - 1)} more"
    assert len(told) > 3


def test_fields_for_which_there_is_no_room_are_counted() -> None:
    told = json.loads(log_line.encode({f"field{number}": "a" * 100 for number in range(5_000)}))

    assert told["…"] == f"{5_000 - (len(told) - 1)} more"
