"""How clients of Kafka are set up: the one place for addresses, back-off and the client library's own log."""

import logging
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from broker import errors

LOGGER: Final = logging.getLogger("broker.librdkafka")


def config(bootstrap: str) -> dict[str, Any]:
    """What every client has in common; `bootstrap` is `host:port,host:port`."""
    return {
        "bootstrap.servers": bootstrap,
        # The defaults back off to 10 s and wait 30 s for a connection: too long for a gateway that answers in seconds.
        "reconnect.backoff.max.ms": 1000,
        "socket.connection.setup.timeout.ms": 5000,
        "allow.auto.create.topics": False,
    }


class Admin(AdminClient):
    """A client for questions about topics that knows whom it asks: `bootstrap`.

    Its questions to a group's coordinator (`list_consumer_group_offsets`, `describe_consumer_groups`) are not for use:
    one that is not answered in time ends the whole process (librdkafka issue 4605, `Assertion eonce->refcnt > 0`;
    2.16.1 did so within seconds of a broker's end). `backlog` and `groups` have others.
    """

    def __init__(self, bootstrap: str) -> None:
        super().__init__({**config(bootstrap), "log_level": 0})  # its calls raise: no need for a log on stderr
        self.bootstrap = bootstrap


def admin(bootstrap: str) -> Admin:
    """A client for questions about topics and groups."""
    return Admin(bootstrap)


def translated(error: KafkaException) -> errors.BrokerError:
    """The error of this package that a failed question to Kafka stands for."""
    return errors.BrokerUnavailable(f"Kafka did not answer: {error.args[0].str()}")
