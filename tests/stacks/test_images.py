"""The Dockerfiles and the list of images that they are built from."""

import json
import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from gateway.settings import GatewaySettings
from tests.stacks import processes, rendering

DOCKERFILES: Final = (rendering.ROOT / "Dockerfile", *sorted((rendering.ROOT / "services").glob("*/Dockerfile")))
_PINNED: Final = re.compile(r"[a-z0-9./-]+:v?\d+(\.\d+)+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?")

STAND_INS: Final = rendering.ROOT / "tests" / "stacks" / "swarm" / "standins"
_ASKED_TO_END: Final = {"postgres": "SIGINT", "haproxy": "SIGUSR1"}
"""The official images that have a STOPSIGNAL, which those built on them inherit; all others are sent SIGTERM."""

each_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(rendering.ROOT)))


@pytest.mark.parametrize("name", rendering.images())
def test_a_base_is_named_by_its_whole_version(name: str) -> None:
    assert _PINNED.fullmatch(rendering.images()[name])


@each_dockerfile
def test_bases_come_from_the_one_list(path: Path) -> None:
    instructions = _instructions(path)
    bases = {words[1] for words in instructions if words[0] == "FROM"}
    arguments = {words[1] for words in instructions if words[0] == "ARG"}
    assert bases == {f"${{{name}}}" for name in arguments}
    assert arguments <= rendering.images().keys()


@each_dockerfile
def test_the_container_is_not_root_and_checks_itself(path: Path) -> None:
    instructions = _instructions(path)
    last_stage = instructions[max(i for i, words in enumerate(instructions) if words[0] == "FROM") :]
    users = [words[1] for words in last_stage if words[0] == "USER"]
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}
    assert any(words[0] == "HEALTHCHECK" and "healthcheck" in " ".join(words) for words in last_stage)


@each_dockerfile
def test_the_image_checks_what_the_stacks_check(path: Path) -> None:
    """For whoever runs it without one: on a port that the process serves in production as well."""
    checks = [words for words in _instructions(path) if words[0] == "HEALTHCHECK"]
    words = " ".join(json.loads(" ".join(checks[-1]).partition("CMD ")[2]))
    image = "application" if path.parent == rendering.ROOT else path.parent.name
    services = [
        name
        for name, service in rendering.render_cluster().services.items()
        if f"/allezone-{image}:" in service["image"] and not rendering.is_job(service)
    ]
    assert services
    assert words in {process.health for process in map(processes.of, services) if process is not None}


@pytest.mark.parametrize(("image", "signal"), [("postgres", "SIGTERM"), ("haproxy", "SIGUSR1")])
def test_an_image_says_itself_what_ends_its_process_where_its_base_does(image: str, signal: str) -> None:
    """Patroni ends PostgreSQL in order on SIGTERM alone; HAProxy finishes what is under way on SIGUSR1."""
    assert image in _ASKED_TO_END
    assert _stop_signals(rendering.ROOT / "services" / image / "Dockerfile") == [signal]


@pytest.mark.parametrize("path", sorted(STAND_INS.glob("*.Dockerfile")), ids=lambda path: path.stem)
def test_a_stand_in_is_asked_to_end_as_the_official_image_is(path: Path) -> None:
    signal = _ASKED_TO_END.get(path.stem)
    assert _stop_signals(path) == ([] if signal is None else [signal])


def test_the_image_of_the_application_checks_the_gateways_internal_port() -> None:
    settings = GatewaySettings.model_construct(environment="production", internal_port=None)
    assert f'["healthcheck", "{settings.internal_port_served()}", "/healthz"]' in DOCKERFILES[0].read_text("utf-8")


@each_dockerfile
def test_nothing_is_fetched_without_a_checksum(path: Path) -> None:
    """Debian's packages are signed; Python's are installed by hash."""
    text = "\n".join(" ".join(words) for words in _instructions(path))
    assert not re.search(r"\b(curl|wget|git clone)\b|^ADD ", text, re.MULTILINE)
    for command in re.findall(r"^RUN [^\n]*\bmvn\b[^\n]*", text, re.MULTILINE):
        assert "sha256sum --check" in command
    for command in re.findall(r"pip install [^&]*", text):
        assert "--require-hashes" in command
        assert "--no-deps" in command


def test_the_image_has_the_kafka_that_is_tested() -> None:
    pom = ElementTree.parse(rendering.ROOT / "services" / "kafka" / "pom.xml")  # noqa: S314  our own file
    version = pom.findtext(".//{http://maven.apache.org/POM/4.0.0}kafka.version") or pom.findtext(".//kafka.version")
    assert rendering.images()["KAFKA_IMAGE"].split("@")[0] == f"apache/kafka:{version}"


def test_the_image_has_the_python_that_the_lock_is_for() -> None:
    assert rendering.images()["PYTHON_IMAGE"].startswith("python:3.11.")


def test_the_build_sees_only_what_it_needs() -> None:
    """Everything is left out first: no state, no secret, no test gets into an image by lying around."""
    lines = [line for line in (rendering.ROOT / ".dockerignore").read_text("utf-8").splitlines() if line]
    lines = [line for line in lines if not line.startswith("#")]
    assert lines[0] == "*"
    copied = {word.split("/")[0] for path in DOCKERFILES for word in _sources(path)}
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied


def _stop_signals(path: Path) -> list[str]:
    return [words[1] for words in _instructions(path) if words[0] == "STOPSIGNAL"]


def _sources(path: Path) -> list[str]:
    """What a Dockerfile copies from the working copy."""
    copies = [words[1:] for words in _instructions(path) if words[0] == "COPY" and not words[1].startswith("--from")]
    return [word for words in copies for word in words[:-1]]


def _instructions(path: Path) -> list[list[str]]:
    """Each instruction's words, continued lines joined, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
