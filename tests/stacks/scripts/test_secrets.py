"""`stacks/secrets`: made once, random; Kafka's cluster id is made once for ever."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stacks import rendering
from tests.stacks.scripts.stage import CLUSTER_ID, Done, Stage

EXAMPLE = rendering.ROOT / "monitoring" / "alertmanager" / "alertmanager.example.yml"
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}")


def test_what_is_missing_is_made_once(stage: Stage) -> None:
    stage.swarm.secrets.append("allezone_db_owner_v3")
    assert stage.run("secrets", "make").status == 0
    made = list(stage.swarm.secrets)
    asked = {secret["name"] for secret in rendering.render_cluster().secrets.values()}
    brought = {f"allezone_{name}_v1" for name in ("edge_certificate", "gateway_tokens", "alertmanager")}
    assert set(made) == asked - brought - {"allezone_db_owner_v1"} | {"allezone_db_owner_v3"}
    assert stage.run("secrets", "make").status == 0
    assert stage.swarm.secrets == made


def test_one_more_version_of_one_can_be_made(stage: Stage) -> None:
    assert stage.run("secrets", "random", "db_gateway", "v2").out == "made allezone_db_gateway_v2\n"
    assert stage.run("secrets", "random", "db_gateway", "2").status == 1
    assert stage.run("secrets", "random", "edge_certificate", "v2").status == 1


def test_a_failing_source_of_randomness_makes_no_secret(stage: Stage) -> None:
    _plant_openssl(stage, "exit 1")
    assert stage.run("secrets", "random", "db_gateway", "v2").status != 0
    assert stage.run("secrets", "make").status != 0
    assert stage.swarm.secrets == []
    assert stage.swarm.configs == {}
    assert not stage.deployment.exists()


def test_the_cluster_id_is_made_into_the_settings_and_kept_in_the_swarm(stage: Stage) -> None:
    stage.deployment.write_text("RELEASE=1", "utf-8")  # no end of line
    assert stage.run("secrets", "make").status == 0
    release, line = stage.deployment.read_text("utf-8").splitlines()
    assert release == "RELEASE=1"
    assert ID.fullmatch(line.removeprefix("KAFKA_CLUSTER_ID="))
    assert stage.swarm.configs == {"allezone_kafka_cluster_id": line.removeprefix("KAFKA_CLUSTER_ID=")}


@pytest.mark.parametrize("known", ["runs", "is kept"])
def test_a_lost_cluster_id_is_put_back(stage: Stage, known: str) -> None:
    if known == "runs":
        _run_kafka(stage, "kafka1", "kafka2")
    else:
        stage.swarm.configs["allezone_kafka_cluster_id"] = CLUSTER_ID
    stage.deployment.write_text("RELEASE=1\n", "utf-8")
    assert stage.run("secrets", "make").status == 0
    assert stage.deployment.read_text("utf-8") == f"RELEASE=1\nKAFKA_CLUSTER_ID={CLUSTER_ID}\n"
    assert stage.swarm.configs["allezone_kafka_cluster_id"] == CLUSTER_ID


def test_an_id_that_the_swarm_could_not_keep_is_in_no_file(stage: Stage) -> None:
    """There it would be one that no Kafka was made with."""
    stage.swarm.silences["config create"] = 1
    assert stage.run("secrets", "make").status == 1
    assert not stage.deployment.exists()
    assert stage.run("secrets", "make").status == 0
    [kept] = stage.swarm.configs.values()
    assert stage.deployment.read_text("utf-8") == f"KAFKA_CLUSTER_ID={kept}\n"


def test_an_id_that_is_there_is_kept(stage: Stage) -> None:
    stage.write_settings()
    before = stage.deployment.read_text("utf-8")
    assert stage.run("secrets", "make").status == 0
    assert stage.deployment.read_text("utf-8") == before
    assert stage.swarm.configs["allezone_kafka_cluster_id"] == CLUSTER_ID


def test_an_id_that_is_not_the_one_that_runs_is_refused(stage: Stage) -> None:
    _run_kafka(stage, "kafka1")
    stage.settings["KAFKA_CLUSTER_ID"] = "b3RoZXItY2x1c3Rlci1pZA"
    stage.write_settings()
    done = stage.run("secrets", "make")
    assert done.status == 1
    assert f"but Kafka was made as {CLUSTER_ID}" in done.err


def test_a_certificate_must_have_its_own_key(stage: Stage, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path, "a")
    _, other = _certificate(tmp_path, "b")
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    good.write_text(certificate + key, "utf-8")
    bad.write_text(certificate + other, "utf-8")
    done = stage.run("secrets", "file", "edge_certificate", "v1", str(bad))
    assert (done.status, stage.swarm.secrets) == (1, [])
    assert "is not that of the first certificate" in done.err
    assert stage.run("secrets", "file", "edge_certificate", "v1", str(good)).status == 0


def test_the_example_as_it_is_reaches_nobody(stage: Stage, tmp_path: Path) -> None:
    said = _refused_alertmanager(stage, tmp_path, EXAMPLE.read_text("utf-8"))
    assert "still has replace-me" in said


@pytest.mark.parametrize(
    "below_the_name",
    [
        "",
        "    webhook_configs: []\n",
        "    webhook_configs: [ ]   # one day\n",
        "    webhook_configs: null\n",
        "    # webhook_configs: [{ url: http://pager.internal/ }]\n",
        "#    webhook_configs:\n",
    ],
)
def test_receivers_that_are_only_names_are_refused(stage: Stage, tmp_path: Path, below_the_name: str) -> None:
    """They would look as if all were well."""
    text = f"route: {{ receiver: nobody }}\nreceivers:\n  - name: nobody\n{below_the_name}"
    assert "no receiver that reaches anybody" in _refused_alertmanager(stage, tmp_path, text)


@pytest.mark.parametrize(
    "receiver",
    [
        "  - name: us\n    webhook_configs:   # the pager\n      - url: http://pager.internal/\n",
        "  - webhook_configs:\n    - url: http://pager.internal/\n    name: us\n",
        "  - name: us\n    webhook_configs: [{ url: http://pager.internal/#us }]\n",
        "  - { name: us, webhook_configs: [{ url: http://pager.internal/ }] }\n",
        '  - {"name": "us", "webhook_configs": [{"url": "http://pager.internal/"}]}\n',
        "  - name: us\n    webhook_configs: [\n      { url: http://pager.internal/ } ]\n",
        pytest.param(
            "  - name: us\n    webhook_configs:\n      - url: http://pager.internal/\n" + "  - name: more\n" * 9_000,
            id="first of many",
        ),
    ],
)
def test_a_receiver_may_be_written_in_any_form_of_yaml(stage: Stage, tmp_path: Path, receiver: str) -> None:
    text = f"route: {{ receiver: us }}\nreceivers:\n{receiver}"
    read = yaml.load(text, yaml.CSafeLoader)["receivers"][0]
    assert read["webhook_configs"][0]["url"].startswith("http://pager.internal/")
    assert _make_alertmanager(stage, tmp_path, text).status == 0
    assert stage.swarm.secrets == ["allezone_alertmanager_v1"]


def test_an_alertmanagers_configuration_with_receivers_becomes_a_secret(stage: Stage, tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8").replace("replace-me", "ours")
    assert _make_alertmanager(stage, tmp_path, text).status == 0
    assert stage.swarm.secrets == ["allezone_alertmanager_v1"]


@pytest.mark.parametrize("name", ["gateway_tokens", "edge_certificate", "backup_key", "alertmanager"])
def test_an_empty_file_is_no_secret(stage: Stage, tmp_path: Path, name: str) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert stage.run("secrets", "file", name, "v1", str(empty)).status == 1
    assert stage.swarm.secrets == []


def test_nothing_of_a_secret_is_said(stage: Stage) -> None:
    done = stage.run("secrets", "make")
    assert not re.search("[0-9a-f]{16}", done.out + done.err)
    assert all("-" in call for call in stage.swarm.calls if call[:2] == ["secret", "create"])


def _make_alertmanager(stage: Stage, folder: Path, text: str) -> Done:
    path = folder / "alertmanager.yml"
    path.write_text(text, "utf-8")
    return stage.run("secrets", "file", "alertmanager", "v1", str(path))


def _refused_alertmanager(stage: Stage, folder: Path, text: str) -> str:
    """What is said."""
    done = _make_alertmanager(stage, folder, text)
    assert (done.status, stage.swarm.secrets) == (1, [])
    return done.err


def _run_kafka(stage: Stage, *names: str) -> None:
    service: dict[str, Any] = {"image": "kafka:1", "deploy": {}, "environment": {"CLUSTER_ID": CLUSTER_ID}}
    stage.write_stack("1.stateful", dict.fromkeys(names, service))
    stage.play_deployed("1.stateful")


def _plant_openssl(stage: Stage, body: str) -> None:
    path = stage.programs / "openssl"
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=test"
    subprocess.run(
        ["openssl", *kind.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    return certificate.read_text("utf-8"), key.read_text("utf-8")
