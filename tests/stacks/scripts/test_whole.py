"""The programs of stacks/whole say whether all members of a quorum are there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from devstack.kafka import KafkaServer
from tests.stacks import rendering
from tests.support import topics as test_topics

_AEROSPIKE: Final = """
def client(config):
    return Client()
class Client:
    def connect(self): pass
    def close(self): pass
    def info_all(self, command):
        assert command == "cluster-stable:size=2;ignore-migrations=false", command
        return {answers}
"""
PRIMARY: Final[dict[str, object]] = {"name": "127.0.0.1", "role": "leader", "state": "running"}
REPLICA: Final[dict[str, object]] = {"name": "localhost", "role": "quorum_standby", "state": "streaming", "lag": 0}


def test_kafka_is_whole_when_every_replica_of_a_real_broker_is_in_sync(kafka: KafkaServer, topic: str) -> None:
    test_topics.make(kafka, topic)
    assert _ask("kafka", kafka.bootstrap) == (0, "", "")


def test_kafka_is_not_whole_without_one_of_its_brokers(kafka: KafkaServer) -> None:
    status, _, said = _ask("kafka", kafka.bootstrap, "127.0.0.1:1")
    assert status == 1
    assert "not in the cluster: 127.0.0.1:1" in said


def test_etcd_is_whole_when_every_member_answers_for_the_cluster() -> None:
    healthy = '{"health":"true"}'
    with (
        _member({"/health": healthy, "/metrics": "a 1\netcd_server_is_leader 1\n"}) as leader,
        _member({"/health": healthy, "/metrics": "a 1\netcd_server_is_leader 0\n"}) as other,
    ):
        assert _ask("etcd", other.replace("127.0.0.1", "localhost"), leader) == (0, "leader 127.0.0.1\n", "")


def test_etcd_is_not_whole_with_a_member_that_has_lost_the_others() -> None:
    with _member({"/health": '{"health":"false"}', "/metrics": ""}) as one:
        assert _ask("etcd", one) == (1, "", "127.0.0.1 is not healthy\n")


def test_etcd_is_not_whole_with_a_member_that_is_away() -> None:
    status, _, said = _ask("etcd", "127.0.0.1:1")
    assert (status, said.partition(": ")[0]) == (1, "127.0.0.1:1")


def test_postgresql_is_whole_when_all_others_stream_from_one_primary() -> None:
    assert _ask_patroni(PRIMARY, REPLICA) == (0, "leader 127.0.0.1\n", "")


@pytest.mark.parametrize(
    "members",
    [
        [REPLICA],
        [PRIMARY],
        [{**PRIMARY, "state": "starting"}, REPLICA],
        [PRIMARY, {**REPLICA, "state": "creating replica"}],
        [PRIMARY, {**REPLICA, "lag": 1 << 30}],
        [PRIMARY, {**REPLICA, "lag": "unknown"}],
        [{**PRIMARY, "role": "replica"}, REPLICA],
    ],
)
def test_postgresql_is_not_whole_otherwise(members: list[dict[str, object]]) -> None:
    status, out, said = _ask_patroni(*members)
    assert (status, out) == (1, "")
    assert said


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"a": (None, "F39A"), "b": (None, "F39A")}, 0),
        ({"a": (None, "ERROR::unstable-cluster"), "b": (None, "F39A")}, 1),
        ({"a": (None, "F39A")}, 1),
        ({"a": (None, "F39A"), "b": ("timeout", "")}, 1),
    ],
)
def test_aerospike_is_whole_when_every_node_says_so(
    tmp_path: Path, answers: dict[str, tuple[str | None, str]], status: int
) -> None:
    (tmp_path / "aerospike.py").write_text(_AEROSPIKE.replace("{answers}", repr(answers)), "utf-8")
    assert _ask("aerospike", "a:3000", "b:3000", path=tmp_path)[0] == status


def _ask_patroni(*members: dict[str, object]) -> tuple[int, str, str]:
    """Of two members, of which the first is away."""
    with _member({"/cluster": json.dumps({"members": members})}) as address:
        return _ask("patroni", "127.0.0.1:1", address.replace("127.0.0.1", "localhost"))


def _ask(kind: str, *members: str, path: Path | None = None) -> tuple[int, str, str]:
    """Status and what was said, as the job runs it."""
    program = (rendering.STACKS / "whole" / f"{kind}.py").read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-c", program, " ".join(members)],
        env={"PYTHONPATH": str(path)} if path else {},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def _member(answers: dict[str, str]) -> Iterator[str]:
    """Where it listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers[self.path].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
