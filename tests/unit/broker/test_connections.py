"""A client that could not answer is not asked again."""

import pytest

from broker import connections, errors


def test_the_client_is_made_anew_behind_a_question_without_an_answer_and_behind_no_other() -> None:
    ask = connections.Asking("127.0.0.1:1")
    seen: list[connections.Admin] = []

    def question(admin: connections.Admin, answer: bool) -> str:
        seen.append(admin)
        if answer:
            return "an answer"
        reason = "nobody is there"
        raise errors.BrokerUnavailable(reason)

    assert ask(question, True) == "an answer"
    with pytest.raises(errors.BrokerUnavailable):
        ask(question, False)
    assert ask(question, True) == "an answer"

    first, second, third = seen
    assert first is second
    assert third is not second
    assert third.bootstrap == "127.0.0.1:1"
