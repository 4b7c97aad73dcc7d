"""What a gateway tells about itself on its internal port: whether it is ready, and what its debug mode counted."""

from simulator import addresses, comparison, preflight, wire


class Inside:
    """That port of one gateway; None: it cannot be reached, nobody is asked, and nothing is known of either."""

    def __init__(self, url: str | None, ca_file: str | None = None) -> None:
        """`url` as addresses.py takes it."""
        self._url = url
        if url is not None:
            self._pool = addresses.pool(url, 1, 1, ca_file)
            self._requests = wire.Requests(addresses.host(url))
            self._comparison = comparison.Comparison(self._pool, self._requests)

    async def begin(self) -> None:
        """Remember where the counters stand. Raises `errors.NotReady`."""
        if self._url is not None:
            self._pool.start()
            await preflight.check_ready(self._pool, self._requests, self._url)
            await self._comparison.begin()

    async def compared(self) -> comparison.Counts | None:
        """What was counted since; None where nothing of the kind is."""
        return None if self._url is None else await self._comparison.since_begin()

    async def close(self) -> None:
        """Close the connection."""
        if self._url is not None:
            await self._pool.close()
