"""The id of one request: the client's where it sent a good one, else a new one."""

import re

import pytest

from runtime import trace_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01".encode()
OTHERS = [(b"host", b"h"), (b"content-type", b"application/json")]
FORM = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00")
GARBAGE = [
    b"",
    b"garbage",
    GOOD[:-1],
    GOOD + b"0",
    GOOD + b"-00",
    GOOD.upper(),
    b" " + GOOD,
    GOOD + b"\n",
    f"00-{'0' * 32}-{SPAN}-01".encode(),
    f"00-{TRACE}-{'0' * 16}-01".encode(),
    f"ff-{TRACE}-{SPAN}-01".encode(),
    f"0x-{TRACE}-{SPAN}-01".encode(),
    f"01-{TRACE}-{SPAN}-011".encode(),
    f"00-{TRACE}-{SPAN}".encode(),
    "cookie-ż".encode(),
    b"\xff" * 55,
]


def test_a_good_one_is_taken_over_whole() -> None:
    assert trace_context.of([*OTHERS, (b"traceparent", GOOD)]) == GOOD
    assert trace_context.request_id(GOOD) == TRACE.encode()


@pytest.mark.parametrize("given", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"])
def test_one_of_a_version_to_come_is_taken_over_in_the_form_of_todays(given: str) -> None:
    assert trace_context.of([(b"traceparent", given.encode())]) == GOOD


@pytest.mark.parametrize("given", GARBAGE)
def test_anything_else_counts_as_nothing(given: bytes) -> None:
    made = trace_context.of([*OTHERS, (b"traceparent", given)])

    assert FORM.fullmatch(made)
    assert trace_context.request_id(made) != TRACE.encode()
    assert trace_context.of_record([("traceparent", given)]) is None


def test_two_of_them_count_as_none() -> None:
    made = trace_context.of([(b"traceparent", GOOD), (b"traceparent", GOOD)])

    assert trace_context.request_id(made) != TRACE.encode()


def test_each_request_without_one_has_an_id_of_its_own() -> None:
    made = {trace_context.request_id(trace_context.of(OTHERS)) for _ in range(1_000)}

    assert len(made) == 1_000
    assert all(FORM.fullmatch(trace_context.new()) for _ in range(1_000))


def test_a_record_has_the_id_that_its_header_names() -> None:
    assert trace_context.of_record([("other", b"x"), ("traceparent", GOOD)]) == TRACE
    assert trace_context.of_record([("traceparent", None)]) is None
    assert trace_context.of_record([]) is None
