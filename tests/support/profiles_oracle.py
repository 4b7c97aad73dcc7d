"""What a profile store must answer, worked out the plain way."""

from collections.abc import Iterable

from stores.profiles import KEPT, Profile, ProfileWrite

_TIME_BIAS = 2**63


def expected(writes: Iterable[ProfileWrite], cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
    """The answer to a read after these writes, whatever their order."""
    views, buys = (_newest(writes, cookie, action, from_ms, to_ms, limit) for action in ("VIEW", "BUY"))
    return Profile(views, buys)


def _newest(
    writes: Iterable[ProfileWrite], cookie: str, action: str, from_ms: int, to_ms: int, limit: int
) -> list[bytes]:
    entries = {write.entry_key: write.value for write in writes if (write.cookie, write.action) == (cookie, action)}
    kept = sorted(entries, reverse=True)[:KEPT]
    in_range = [key for key in kept if from_ms <= int.from_bytes(key[:8], "big") - _TIME_BIAS < to_ms]
    return [entries[key] for key in in_range[:limit]]
