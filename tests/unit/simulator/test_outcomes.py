import pytest

from simulator import outcomes
from simulator.client import Answer
from simulator.outcomes import Outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(204, b""), Outcome.STORED),
        (Answer(422, b'{"detail": []}'), Outcome.REFUSED),
        (Answer(413, b""), Outcome.REFUSED),
        (Answer(503, b'{"detail": "...", "stored": "no"}'), Outcome.REFUSED),
        (Answer(503, b'{"detail": "...", "stored": "unknown"}'), Outcome.UNKNOWN),
        (Answer(503, b"<html>a balancer's page</html>"), Outcome.UNKNOWN),
        (Answer(503, b""), Outcome.UNKNOWN),
        (Answer(500, b'{"stored": "no"}'), Outcome.UNKNOWN),
        (Answer(502, b""), Outcome.UNKNOWN),
        (Answer(200, b""), Outcome.UNKNOWN),
        (Answer(0, b"", sent=True), Outcome.UNKNOWN),
        (Answer(0, b"", sent=False), Outcome.REFUSED),
    ],
)
def test_what_an_answer_says_about_its_tag(answer: Answer, outcome: Outcome) -> None:
    assert outcomes.of(answer) is outcome
