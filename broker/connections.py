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


def admin(bootstrap: str) -> AdminClient:
    """A client for questions about topics and groups. Its calls raise; so its own log, on stderr, is turned off."""
    return AdminClient({**config(bootstrap), "log_level": 0})


def translated(error: KafkaException) -> errors.BrokerError:
    """The error of this package that a failed question to Kafka stands for."""
    return errors.BrokerUnavailable(f"Kafka did not answer: {error.args[0].str()}")
