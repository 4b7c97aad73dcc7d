"""A client that could not answer is not asked again."""

import pytest

from broker import connections, errors


def test_the_client_is_made_anew_behind_a_question_without_an_answer_and_behind_no_other() -> None:
    ask = connections.Asking("127.0.0.1:1")
    seen: list[connections.Admin] = []

    def question_to_a_group(admin: connections.Admin) -> None:
        seen.append(admin)
        reason = "no coordinator"
        raise errors.GroupUnavailable(reason)

    def question(admin: connections.Admin, answer: bool) -> str:
        seen.append(admin)
        if answer:
            return "an answer"
        reason = "nobody is there"
        raise errors.BrokerUnavailable(reason)

    assert ask(question, True) == "an answer"
    with pytest.raises(errors.GroupUnavailable):
        ask(question_to_a_group)
    with pytest.raises(errors.BrokerUnavailable):
        ask(question, False)
    assert ask(question, True) == "an answer"

    first, second, third, fourth = seen
    assert first is second is third
    assert fourth is not third
    assert fourth.bootstrap == "127.0.0.1:1"
