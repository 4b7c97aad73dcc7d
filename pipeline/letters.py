"""Dead letters of a group that keeps its place in Kafka: written before the offset is moved past their records."""

import asyncio
from collections.abc import Sequence

import psycopg

from stores import dead_letters, errors, flush, offsets


class PostgresLetters:
    """`profiles_sink.Letters`, on a connection of its own a call: broken records are rare."""

    def __init__(self, conninfo: str, consumer: offsets.Consumer, patience_s: float = 30.0) -> None:
        self._conninfo, self._consumer, self._patience_s = conninfo, consumer, patience_s

    async def write(self, letters: Sequence[flush.Letter]) -> None:
        """See `profiles_sink.Letters`."""
        failures = [self._failure(letter) for letter in letters]
        try:
            async with (
                asyncio.timeout(self._patience_s),
                await psycopg.AsyncConnection.connect(self._conninfo) as conn,
            ):
                await dead_letters.write(conn, failures)
        except (psycopg.Error, TimeoutError) as error:
            if isinstance(error, psycopg.Error) and not errors.is_passing(error):
                raise
            raise errors.StoreUnavailable(str(error) or "PostgreSQL did not answer in time") from error

    def _failure(self, letter: flush.Letter) -> dead_letters.Failure:
        of = self._consumer
        return dead_letters.Failure(
            of.group,
            of.topic,
            of.topic_id,
            letter.partition,
            letter.offset,
            letter.key,
            letter.value,
            letter.reason,
            letter.detail,
        )
