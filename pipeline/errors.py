"""The errors of this package. A PipelineError ends the process. A worker's supervisor starts it anew, and offsets make
that safe; an operator's command says why it ended.

PipelineError
├── TopicReplaced         the topic was deleted and made anew while records of the old one were under way
├── OffsetsGone           a partition that is being counted has no stored offset any more
├── LogTruncated          the topic ends below what was counted: records that were acknowledged are gone
├── TooManyDeadLetters    so many broken records in a row that the fault is likelier here than in them
├── Stalled               records wait and nothing moves
└── OperationRefused      an operator's command would do harm, or cannot do what it is asked

A Superseded ends nothing and leaves the package nowhere: whoever hears it lets go of what it was doing.

Superseded                the partitions are placed anew, or taken away
├── retrying.Abandoned    a question of the place before is not asked again
└── placement.GivenUp     they were being taken up
"""


class PipelineError(Exception):
    """Base of everything that pipeline/ raises; the message is a sentence for the operator."""


class TopicReplaced(PipelineError):
    """Another topic of the same name."""


class OffsetsGone(PipelineError):
    """Somebody deleted rows of stored offsets, or restored a database from before they were there."""

    def __init__(self, partitions: list[int]) -> None:
        super().__init__(f"partitions {partitions} have no stored offset any more: the next start makes them anew")


class LogTruncated(PipelineError):
    """The stored offset lies above the end of the log."""


class TooManyDeadLetters(PipelineError):
    """The limit of dead letters in a row was passed; the write that passed it was not made."""


class Stalled(PipelineError):
    """The watchdog saw lag and no movement, or the event loop stands."""


class OperationRefused(PipelineError):
    """What an operator asked for was not done."""


class Superseded(Exception):
    """What was under way belongs to a place that the worker has no more."""
