"""Who is let in, and what the others are told."""

from typing import Any

import prometheus_client
import pytest

from gateway import access, answers, errors, tokens
from gateway.settings import GatewaySettings
from gateway.tokens import Scope


def _settings(**more: Any) -> GatewaySettings:
    return GatewaySettings.model_validate({"environment": "local", **more})


def _scope(token: str | None = None, peer: str = "192.0.2.7") -> dict[str, Any]:
    headers = [(b"host", b"h")] if token is None else [(b"host", b"h"), (b"authorization", f"Bearer {token}".encode())]
    return {"client": (peer, 1), "headers": headers}


def _refused(reason: str, client: str = "") -> float:
    labels = {"reason": reason, "client": client}
    return prometheus_client.REGISTRY.get_sample_value("allezone_gateway_refused_total", labels) or 0


def test_without_tokens_everybody_is_let_in() -> None:
    gate = access.Gate(_settings(), None)

    for scope in Scope:
        gate.admit(_scope(), scope)


@pytest.mark.parametrize("held", list(Scope))
@pytest.mark.parametrize("needed", list(Scope))
def test_a_token_serves_for_its_own_scope_alone(held: Scope, needed: Scope) -> None:
    token, entry = tokens.make("shop", frozenset({held}))
    gate = access.Gate(_settings(), tokens.Tokens([entry]))

    if held is needed:
        gate.admit(_scope(token), needed)
    else:
        before = _refused("scope", "shop")
        with pytest.raises(errors.Forbidden, match=f"the token of shop has not the scope that this needs: {needed}"):
            gate.admit(_scope(token), needed)
        assert _refused("scope", "shop") == before + 1


@pytest.mark.parametrize(
    ("token", "reason", "challenge"),
    [
        (None, "no_token", b'Bearer realm="allezone"'),
        ("azt_guessed", "unknown_token", b'Bearer realm="allezone", error="invalid_token"'),
    ],
)
def test_who_has_no_token_is_told_how_to_send_one(token: str | None, reason: str, challenge: bytes) -> None:
    gate = access.Gate(_settings(), tokens.Tokens([tokens.make("shop", frozenset({Scope.WRITE}))[1]]))
    before = _refused(reason)

    with pytest.raises(errors.Unauthenticated, match="Authorization: Bearer TOKEN") as refused:
        gate.admit(_scope(token), Scope.WRITE)

    assert (b"www-authenticate", challenge) in answers.of(refused.value).headers
    assert "guessed" not in str(refused.value)
    assert _refused(reason) == before + 1


def test_tokens_are_exchanged_while_it_serves() -> None:
    (old, first), (new, second) = (tokens.make("shop", frozenset({Scope.WRITE})) for _ in range(2))
    gate = access.Gate(_settings(), tokens.Tokens([first]))
    gate.admit(_scope(old), Scope.WRITE)

    gate.tokens = tokens.Tokens([second])

    gate.admit(_scope(new), Scope.WRITE)
    with pytest.raises(errors.Unauthenticated):
        gate.admit(_scope(old), Scope.WRITE)


def _let_in(gate: access.Gate, scope: dict[str, Any], needed: Scope = Scope.WRITE) -> int:
    """How many of 100 requests are, or would be but for the token."""
    passed = 0
    for _ in range(100):
        try:
            gate.admit(scope, needed)
        except errors.TooManyRequests:
            continue
        except errors.NotAdmitted:
            pass
        passed += 1
    return passed


def test_both_tokens_of_a_name_draw_on_one_limit_wherever_they_come_from() -> None:
    made = [tokens.make(name, frozenset({Scope.WRITE})) for name in ("shop", "shop", "box")]
    gate = access.Gate(_settings(rate_limit_per_s=0.001, rate_limit_burst_s=60), tokens.Tokens([e for _, e in made]))
    (old, new, other) = (token for token, _ in made)

    assert [_let_in(gate, _scope(old)), _let_in(gate, _scope(new, "192.0.2.8")), _let_in(gate, _scope(other))] == [
        1,
        0,
        1,
    ]


def test_a_token_that_lacks_the_scope_draws_on_its_limit_too() -> None:
    token, entry = tokens.make("shop", frozenset({Scope.READ}))
    gate = access.Gate(_settings(rate_limit_per_s=0.1, rate_limit_burst_s=60), tokens.Tokens([entry]))

    assert _let_in(gate, _scope(token), Scope.WRITE) == 6


def test_what_is_not_served_draws_on_the_same_limits() -> None:
    token, entry = tokens.make("shop", frozenset({Scope.WRITE}))
    limited = {"rate_limit_per_s": 0.1, "rate_limit_burst_s": 60}
    for known, scope in ((None, _scope()), (tokens.Tokens([entry]), _scope()), (tokens.Tokens([entry]), _scope(token))):
        gate = access.Gate(_settings(**limited), known)
        for _ in range(6):
            gate.limit(scope)

        with pytest.raises(errors.TooManyRequests):
            gate.limit(scope)
        with pytest.raises(errors.TooManyRequests):
            gate.admit(scope, Scope.WRITE)
        gate.limit(_scope(peer="192.0.2.8"))


@pytest.mark.parametrize("with_tokens", [True, False])
def test_those_without_a_token_are_told_apart_by_address_and_slow_down_nobody_who_has_one(with_tokens: bool) -> None:
    token, entry = tokens.make("192.0.2.7", frozenset({Scope.WRITE}))  # a name that looks like an address
    gate = access.Gate(
        _settings(rate_limit_per_s=0.1, rate_limit_burst_s=60), tokens.Tokens([entry]) if with_tokens else None
    )
    before = _refused("rate")

    assert _let_in(gate, _scope()) == 6
    assert _let_in(gate, _scope(peer="192.0.2.8")) == 6
    assert _refused("rate") == before + 188
    if with_tokens:
        assert _let_in(gate, _scope(token)) == 6


def test_proxies_that_are_trusted_tell_the_addresses() -> None:
    gate = access.Gate(_settings(rate_limit_per_s=0.1, rate_limit_burst_s=60, trusted_proxies="10.0.0.0/8"), None)

    for client in (b"198.51.100.1", b"198.51.100.2"):
        scope = {"client": ("10.0.0.2", 1), "headers": [(b"x-forwarded-for", client)]}
        assert _let_in(gate, scope) == 6


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    gate = access.Gate(_settings(rate_limit_per_s=0.1, rate_limit_burst_s=1), None)
    gate.admit(_scope(), Scope.WRITE)

    with pytest.raises(errors.TooManyRequests) as refused:
        gate.admit(_scope(), Scope.WRITE)

    assert (b"retry-after", b"10") in answers.of(refused.value).headers
    assert answers.of_event(refused.value).status == 429
    assert b'"stored":"no"' in answers.of_event(refused.value).body
    assert b"stored" not in answers.of(refused.value).body
