"""The errors of this package:

BrokerError
├── BrokerUnavailable       no broker answered in time
│   └── GroupUnavailable    nor did a group's coordinator, over a connection of the question's own
├── TopicError
│   ├── TopicMissing        the topic does not exist, and nothing but `broker.topics.ensure` makes it
│   └── TopicMisconfigured  it exists, or was asked for, with settings that would lose events
└── ProduceError            an event is not known to be durable
    ├── NotHandedOver       it never reached the client library: it is in no log and never will be
    └── OutcomeUnknown      it was handed over and nobody acknowledged it in time: it may yet be in the log
"""


class BrokerError(Exception):
    """Base of everything that broker/ raises."""


class BrokerUnavailable(BrokerError):
    """No broker answered in time; the message is the client library's reason."""


class GroupUnavailable(BrokerUnavailable):
    """A group's coordinator did not answer in time, over a connection made for the question: no other is the worse."""


class TopicError(BrokerError):
    """Base of what can be wrong with a topic."""


class TopicMissing(TopicError):
    """There is no such topic."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"there is no topic {topic!r}: `python -m broker ensure-topics` makes it")
        self.topic = topic


class TopicMisconfigured(TopicError):
    """The topic's settings would lose events; the message says which one and what to do."""


class ProduceError(BrokerError):
    """An event is not known to be durable; `reason` is a word for logs and metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotHandedOver(ProduceError):
    """The event was never given to Kafka: it is not stored and will not be."""


class OutcomeUnknown(ProduceError):
    """The event was given to Kafka, but no acknowledgement came in time: it may or may not be stored."""
