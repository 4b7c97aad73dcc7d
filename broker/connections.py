"""How clients of Kafka are set up: the one place for addresses, back-off and the client library's own log."""

import logging
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from broker import errors

LOGGER: Final = logging.getLogger("broker.librdkafka")

_Parameters = ParamSpec("_Parameters")
_Answer = TypeVar("_Answer")


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


class Asking:
    """Asks one question after the other through one client, which is made anew behind each that had no answer.

    A client that had lived through several ends of its only broker went on answering "Failed while waiting for
    controller: Timed out" for minutes after the broker was back, while others did not (librdkafka 2.16.1; one of five
    in a run of `python -m tests.faults`, and its worker counted nothing). May be called from any thread.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap, self._admin = bootstrap, Admin(bootstrap)

    def __call__(
        self,
        question: Callable[Concatenate[Admin, _Parameters], _Answer],
        *args: _Parameters.args,
        **more: _Parameters.kwargs,
    ) -> _Answer:
        """`question(client, ...)`, and what it raises. Blocks as long as that does."""
        try:
            return question(self._admin, *args, **more)
        except errors.GroupUnavailable:
            raise  # it was not the client that had no answer
        except errors.BrokerUnavailable:
            self._admin = Admin(self._bootstrap)
            raise


def translated(
    error: KafkaException, kind: type[errors.BrokerUnavailable] = errors.BrokerUnavailable
) -> errors.BrokerUnavailable:
    """The error of this package that a failed question to Kafka stands for."""
    return kind(f"Kafka did not answer: {error.args[0].str()}")
