"""Nothing happens: what cannot count this right can judge nothing else."""

from typing import Final

from tests.faults import report, sending, stage, stored

NAME: Final = "calm"
_EVENTS: Final[dict[stage.Size, int]] = {"full": 5_000, "short": 1_000}


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """One worker of each kind."""
    topic, database = on.topic(NAME), on.database(NAME)
    with on.history(NAME) as log, on.workers(topic, database):
        with sending.Sender(topic, log, NAME, _EVENTS[size]) as sender:
            sender.join()
        late = on.settle(topic, database, profiles=True)
        verdict = on.verdict(log, database, profiles=True)
    failures = late + stored.disagreements(database) + sending.missing(verdict.acknowledged, _EVENTS[size])
    return report.outcome(NAME, seed, verdict, failures=failures)
