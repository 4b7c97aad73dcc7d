"""What Kafka's image logs goes to stdout, where Docker bounds it, and to no file: its folder of logs is memory."""

import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from devstack import jars, kafka, processes, tools
from tests.stacks import rendering
from tests.support import services

FILE: Final = rendering.ROOT / "services" / "kafka" / "log4j2.yaml"
_OPTION: Final = "-Dlog4j2.configurationFile="


class Broker(kafka.KafkaServer):
    """A node that logs as the file `logging` says. `logs` is where Kafka's own configuration would write files."""

    def __init__(self, state: Path, logging: Path, logs: Path) -> None:
        super().__init__(state, kafka.free_node(), throwaway=True)
        self._options = [f"{_OPTION}{logging}", f"-Dkafka.logs.dir={logs}"]

    def command(self) -> processes.Command:
        told = super().command()
        java, *words = [word for word in told.argv if not word.startswith(_OPTION)]
        return dataclasses.replace(told, argv=[java, *self._options, *words])


@pytest.fixture
def state() -> Iterator[Path]:
    with services.folder("kafka-logging") as path:
        yield path


@pytest.fixture
def logging(state: Path) -> Path:
    """The file of the image as its start leaves it, with the variables of the stack; the node's storage is made too."""
    with services.required():
        java, classes = tools.java(), jars.ensure()
    for name in ("defaults", "mounted", "final"):
        (state / name).mkdir()
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        shutil.copy(FILE, state / "defaults" / name)
    told: dict[str, Any] = rendering.render("1.stateful").services["kafka1"]["environment"]
    environment = {name: str(value) for name, value in told.items()}
    environment |= {"KAFKA_LOG_DIRS": str(state / "data"), "PATH": os.environ["PATH"]}
    words = [
        java,
        "-Xmx128m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{classes}/*",
        "kafka.docker.KafkaDockerWrapper",
        "setup",
    ]
    words += ["--default-configs-dir", str(state / "defaults"), "--mounted-configs-dir", str(state / "mounted")]
    words += ["--final-configs-dir", str(state / "final")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return state / "final" / "log4j2.yaml"


def test_a_broker_says_all_on_stdout_its_controller_too_and_writes_no_log(state: Path, logging: Path) -> None:
    logs = state / "logs"
    logs.mkdir()
    broker = Broker(state, logging, logs)
    try:
        broker.start()
        broker.wait_ready()
        assert broker.stop()
    finally:
        broker.kill()
    said = broker.log.read_text("utf-8")
    assert re.search(r"^\[[^]]+\] INFO .*\(org\.apache\.kafka\.controller\.QuorumController\)$", said, re.MULTILINE)
    assert re.search(r"^\[[^]]+\] INFO .* shut down completed \(kafka\.server\.\w+\)$", said, re.MULTILINE)
    assert list(logs.iterdir()) == []


def test_only_the_console_is_written_to() -> None:
    configuration = yaml.safe_load(FILE.read_text("utf-8"))["Configuration"]
    assert configuration["Appenders"].keys() == {"Console"}
    assert configuration["Appenders"]["Console"]["target"] == "SYSTEM_OUT"
    assert configuration["Loggers"]["Root"]["AppenderRef"] == {"ref": configuration["Appenders"]["Console"]["name"]}


def test_the_image_has_it_where_its_start_looks() -> None:
    text = (FILE.parent / "Dockerfile").read_text("utf-8")
    assert "\nCOPY services/kafka/log4j2.yaml /etc/kafka/docker/\n" in text.partition("FROM ${KAFKA_IMAGE}")[2]


@pytest.mark.parametrize("file", ["1.stateful", "small"])
def test_no_variable_takes_the_roots_appender_away(file: str) -> None:
    """The image's start writes a level of this variable over all that the root logger has."""
    brokers = [each for name, each in rendering.render(file).services.items() if re.fullmatch(r"kafka\d?", name)]
    assert brokers
    assert not [each for each in brokers if "KAFKA_LOG4J_ROOT_LOGLEVEL" in each["environment"]]
