"""A broker for one scenario alone, beside the PostgreSQL that all of them share."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import workers
from devstack import kafka
from tests.faults import stage

_FIRST_SEGMENT: Final = "00000000000000000000.log"


@contextmanager
def running(on: stage.Stage, scenario: str) -> Iterator[workers.Servers]:
    """`folder` of what is yielded is the broker's own: see `cut_end`."""
    with tempfile.TemporaryDirectory(prefix="allezone-faults-", ignore_cleanup_errors=True) as name:
        state, log = Path(name), on.folder / f"{scenario}-kafka.log"
        server = kafka.KafkaServer(state, kafka.free_node(), throwaway=True, log=log)
        try:
            server.start()
            server.wait_ready()
            yield workers.Servers(server, on.shared.postgres, state)
        finally:
            server.kill()


def cut_end(servers: workers.Servers, topic: str, partition: int, share: float) -> None:
    """What a disk leaves that lost power before it had written: the file of a broker that was killed is shorter.

    `share` of its bytes go, and with them the records that they belong to: the broker finds out when it starts.
    """
    segment = servers.folder / "data" / f"{topic}-{partition}" / _FIRST_SEGMENT
    with segment.open("r+b") as file:
        file.truncate(int(segment.stat().st_size * (1 - share)))
