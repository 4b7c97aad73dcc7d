"""A gateway in production lets in only who has a token for what it asks, and stores nothing of anybody else's."""

import http.client
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devstack import paths, ports, waiting
from devstack.kafka import KafkaServer
from gateway import tokens
from gateway.tokens import Scope
from runtime.settings import DatabaseSettings, KafkaSettings
from schemas import codec
from tests.support import gateways, topics
from tests.support.gateways import Answer, Gateway
from tests.support.tags import tag

QUERY = {"time_range": "2022-03-01T00:05:00_2022-03-01T00:06:00", "action": "BUY", "aggregates": "COUNT"}
RELOAD_SECONDS = 20.0


class Closed(NamedTuple):
    """A gateway of production, its tokens by scope, and their file."""

    gateway: Gateway
    tokens: dict[str, str]
    file: Path


def _make(file: Path, name: str, *scopes: Scope) -> str:
    token, entry = tokens.make(name, frozenset(scopes))
    with file.open("a") as lines:
        lines.write(f"{entry.line()}\n")
    return token


def _production(file: Path, **more: Any) -> dict[str, Any]:
    return {"environment": "production", "tokens_file": file, "internal_port": ports.reserve(), **more}


@pytest.fixture(scope="module")
def own_topic(kafka: KafkaServer) -> KafkaSettings:
    return topics.make(kafka, f"test-tokens-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def closed(
    own_topic: KafkaSettings, shared_database: DatabaseSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Closed]:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    made = {scope.value: _make(file, f"only-{scope}", scope) for scope in Scope}
    with gateways.running(own_topic, shared_database, **_production(file, debug_queries="true")) as gateway:
        yield Closed(gateway, made, file)


def _ask(gateway: Gateway, topic: KafkaSettings, scope: str) -> Answer:
    """What needs `scope`."""
    asked = {
        "write": partial(gateway.post_tag, tag(cookie=f"asked with {scope}")),
        "read": partial(gateway.aggregates, QUERY),
        "admin": partial(gateway.get, f"/queue/allezone/{topic.kafka_topic}/backlog"),
    }
    return asked[scope]()


@pytest.mark.parametrize("held", ["write", "read", "admin"])
@pytest.mark.parametrize("needed", ["write", "read", "admin"])
def test_a_token_serves_for_its_own_scope_alone(
    closed: Closed, own_topic: KafkaSettings, held: str, needed: str
) -> None:
    answer = _ask(closed.gateway.bearing(closed.tokens[held]), own_topic, needed)

    if held == needed:
        assert answer.status == (204 if needed == "write" else 200)
    else:
        assert answer.status == 403
        assert answer.headers["www-authenticate"] == (
            f'Bearer realm="allezone", error="insufficient_scope", scope="{needed}"'
        )
        assert answer.json["detail"] == f"the token of only-{held} has not the scope that this needs: {needed}"
        assert answer.json.get("stored") == ("no" if needed == "write" else None)


@pytest.mark.parametrize("needed", ["write", "read", "admin"])
@pytest.mark.parametrize(("token", "error"), [("", ""), ("azt_guessed", ', error="invalid_token"')])
def test_without_a_valid_token_the_answer_says_how_to_send_one(
    closed: Closed, own_topic: KafkaSettings, needed: str, token: str, error: str
) -> None:
    answer = _ask(closed.gateway.bearing(token), own_topic, needed)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == f'Bearer realm="allezone"{error}'
    assert "Authorization: Bearer TOKEN" in answer.json["detail"]
    assert answer.json.get("stored") == ("no" if needed == "write" else None)


def test_profiles_are_for_readers_whatever_the_cookie(closed: Closed) -> None:
    for cookie in ("c", "a/b", "%2e%2e"):
        assert closed.gateway.bearing(closed.tokens["read"]).profile(cookie).status == 200
        assert closed.gateway.bearing(closed.tokens["write"]).profile(cookie).status == 403


def test_what_is_refused_is_not_even_read(closed: Closed) -> None:
    """Nobody learns from an answer what is wrong with a body that he may not send."""
    stranger = closed.gateway.bearing("azt_guessed")

    assert stranger.post("/user_tags", b"{").status == 401
    assert stranger.post("/user_tags", b" " * 1_000_000).status == 401
    assert stranger.post("/aggregates?time_range=nonsense").status == 401


def test_a_connection_goes_on_after_a_refusal(closed: Closed) -> None:
    body = json.dumps(tag(cookie="after a refusal"))
    connection = http.client.HTTPConnection(closed.gateway.host, closed.gateway.port, timeout=20)
    statuses = []
    for token in ("azt_guessed", closed.tokens["write"], "azt_guessed", closed.tokens["write"]):
        connection.request("POST", "/user_tags", body, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [401, 204, 401, 204]


def test_nothing_of_a_refused_event_is_stored(kafka: KafkaServer, closed: Closed, own_topic: KafkaSettings) -> None:
    name = uuid.uuid4().hex
    for token in ("", "azt_guessed", closed.tokens["read"], closed.tokens["admin"]):
        assert closed.gateway.bearing(token).post_tag(tag(cookie=f"{name} refused")).status in (401, 403)
    assert closed.gateway.bearing(closed.tokens["write"]).post_tag(tag(cookie=f"{name} taken")).status == 204

    stored = [codec.decode_tag(value).cookie for value in topics.values(kafka, own_topic.kafka_topic)]

    assert [cookie for cookie in stored if name in cookie] == [f"{name} taken"]


def test_clients_see_neither_probes_nor_metrics_nor_the_page_nor_debug_endpoints(closed: Closed) -> None:
    admin = closed.gateway.bearing(closed.tokens["admin"])
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/redoc", "/openapi.json", "/debug/mismatches"):
        assert admin.get(path).status == 404, path


def test_inside_they_are_and_only_debug_endpoints_need_a_token(closed: Closed) -> None:
    inside = closed.gateway.inside
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
        assert inside.get(path).status == 200, path

    assert inside.get("/debug/mismatches").status == 401
    assert inside.bearing(closed.tokens["read"]).get("/debug/mismatches").status == 403
    assert inside.bearing(closed.tokens["admin"]).get("/debug/mismatches").json == {"total": 0, "mismatches": []}
    assert inside.bearing(closed.tokens["write"]).post_tag(tag()).status == 404


def test_the_page_says_which_scope_each_endpoint_needs(closed: Closed) -> None:
    document = closed.gateway.inside.get("/openapi.json").json

    scopes = {
        path: operation.get("security") for path, methods in document["paths"].items() for operation in methods.values()
    }
    assert scopes == {
        "/user_tags": [{"bearer": ["write"]}],
        "/user_profiles/{cookie}": [{"bearer": ["read"]}],
        "/aggregates": [{"bearer": ["read"]}],
        "/queue/{namespace}/{topic}/backlog": [{"bearer": ["admin"]}],
        "/debug/mismatches": [{"bearer": ["admin"]}],
        "/healthz": None,
        "/readyz": None,
        "/metrics": None,
    }
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {"401", "403", "429"} <= document["paths"]["/user_tags"]["post"]["responses"].keys()


def test_refusals_are_counted_without_anything_of_the_token(closed: Closed) -> None:
    closed.gateway.bearing("azt_guessed_in_vain").post_tag(tag())
    closed.gateway.bearing(closed.tokens["read"]).post_tag(tag())

    assert closed.gateway.metric('allezone_gateway_refused_total{client="",reason="unknown_token"}') >= 1
    assert closed.gateway.metric('allezone_gateway_refused_total{client="only-read",reason="scope"}') >= 1
    assert closed.gateway.metric('allezone_gateway_requests_total{endpoint="/user_tags",status="403"}') >= 1
    assert "azt_" not in closed.gateway.inside.get("/metrics").body.decode() + closed.gateway.log


@pytest.mark.parametrize("how", ["by itself", "on SIGHUP"])
def test_a_token_is_rotated_without_a_restart_and_without_a_refusal(closed: Closed, how: str) -> None:
    file, gateway = closed.file, closed.gateway
    before = file.read_text()
    old = _make(file, "rotated", Scope.READ)
    if how == "on SIGHUP":
        gateway.process.send(signal.SIGHUP)
    assert waiting.until(lambda: gateway.bearing(old).aggregates(QUERY).status == 200, RELOAD_SECONDS)

    new = _make(file, "rotated", Scope.READ)
    assert waiting.until(lambda: gateway.bearing(new).aggregates(QUERY).status == 200, RELOAD_SECONDS)
    assert gateway.bearing(old).aggregates(QUERY).status == 200

    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-2], lines[-1]]) + "\n")
    assert waiting.until(lambda: gateway.bearing(old).aggregates(QUERY).status == 401, RELOAD_SECONDS)
    assert gateway.bearing(new).aggregates(QUERY).status == 200

    file.write_text(before)
    assert waiting.until(lambda: gateway.bearing(new).aggregates(QUERY).status == 401, RELOAD_SECONDS)


def test_a_file_that_breaks_locks_nobody_out_and_is_said_loudly(closed: Closed) -> None:
    good = closed.file.read_text()
    closed.file.write_text("nonsense")
    try:
        assert waiting.until(lambda: closed.gateway.metric("allezone_gateway_tokens_file_broken") == 1, RELOAD_SECONDS)
        assert closed.gateway.bearing(closed.tokens["read"]).aggregates(QUERY).status == 200
        assert "TOKENS_FILE cannot be used: the tokens read before stay valid" in closed.gateway.log
        assert "line 1: it has 1 words" in closed.gateway.log
    finally:
        closed.file.write_text(good)
    assert waiting.until(lambda: closed.gateway.metric("allezone_gateway_tokens_file_broken") == 0, RELOAD_SECONDS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "settings: TOKENS_FILE: {file}: it cannot be read: "),
        ("", "settings: TOKENS_FILE: {file}: it names no token"),
        ("shop write secret", "settings: TOKENS_FILE: {file}: line 1: the hash is not sha256:"),
    ],
)
def test_at_the_start_a_broken_file_is_refused_with_a_sentence(
    shared_topic: KafkaSettings, shared_database: DatabaseSettings, tmp_path: Path, text: str | None, sentence: str
) -> None:
    file = tmp_path / "tokens"
    if text is not None:
        file.write_text(text)

    done = _start(shared_topic, shared_database, **_production(file))

    assert done.returncode == 2
    assert done.stderr.startswith(sentence.format(file=file))
    assert "Traceback" not in done.stderr


def test_in_production_a_gateway_without_tokens_does_not_start(
    shared_topic: KafkaSettings, shared_database: DatabaseSettings
) -> None:
    done = _start(shared_topic, shared_database, environment="production")

    assert done.returncode == 2
    assert done.stderr.startswith("settings: TOKENS_FILE is missing: name a file of tokens")


def test_an_internal_port_that_is_taken_ends_the_start(
    shared_topic: KafkaSettings, shared_database: DatabaseSettings, gateway: Gateway
) -> None:
    done = _start(shared_topic, shared_database, gateway_port=ports.reserve(), internal_port=gateway.port)

    assert done.returncode not in (0, None)
    assert "address already in use" in done.stderr


def _start(kafka: KafkaSettings, database: DatabaseSettings, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=paths.PROJECT,
        env=gateways.environment(kafka, database, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
