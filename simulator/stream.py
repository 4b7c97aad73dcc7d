"""The test stream: which tag comes at which place, as a pure function of the seed and the run.

Any tag can be made again from its serial number, so nobody has to keep it. Event time starts at `start` and advances
1 ms a tag (docs/contract.md 7), with one departure: every `tie_every`-th tag takes the cookie and the millisecond of
the tag before it, for docs/contract.md 3 wants all tags of one millisecond kept, and every other such tag is an exact
copy. `tie_every=0` gives the plain stream.
"""

import hashlib
import itertools
import struct
from bisect import bisect
from functools import lru_cache
from typing import Final

import msgspec

from simulator import names, times

HOT_COOKIES: Final = 32
_HOT_SHARE: Final = 0.08
_DRAWS: Final = struct.Struct(">8I")
_DRAW_RANGE: Final = 2**32
_INT32_EDGES: Final = (2**31 - 1, -(2**31), 0, -1)


class ProductInfo(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The product of a tag; `product_id` keeps its type."""

    product_id: int | str
    brand_id: str
    category_id: str
    price: int


class Tag(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A user tag in the form of docs/contract.md 1."""

    time: str
    cookie: str
    country: str
    device: str
    action: str
    origin: str
    product_info: ProductInfo


class Stream:
    """All tags of one run, by serial number from 0."""

    def __init__(self, seed: int, run_id: int, start: int, cookies: int = 1_000_000, tie_every: int = 100) -> None:
        """`start` is the first tag's event time in milliseconds; `cookies` is how many users there are, hot included.

        `run_id` sets this run's cookies apart from those of every other run.
        """
        self.start, self.cookies, self.tie_every = start, cookies, tie_every
        self._key = hashlib.blake2b(f"{seed}/{run_id}".encode(), digest_size=32).digest()
        self._prefix = self._key[:5].hex()
        self._hot = _zipf(min(HOT_COOKIES, cookies))
        self.tag = lru_cache(maxsize=20_000)(self._make)

    def time(self, serial: int) -> int:
        """Event time of a tag in milliseconds; never less than that of the tag before."""
        return self.start + serial - self._is_tie(serial)

    def is_watched(self, serial: int, watched: int) -> bool:
        """Whether the tag is of one of the first `watched` users."""
        return watched >= self.cookies or self._user_of(serial) < watched

    def is_hot(self, serial: int) -> bool:
        """Whether the tag is of one of the few users with many tags."""
        return self._user_of(serial) <= len(self._hot)

    def draws(self, purpose: bytes, serial: int) -> tuple[int, ...]:
        """Eight numbers below 2**32 that depend on seed, run, purpose and serial alone."""
        digest = hashlib.blake2b(serial.to_bytes(8, "big"), key=self._key, person=purpose, digest_size=32)
        return _DRAWS.unpack(digest.digest())

    def hot_cookie(self, rank: int) -> str:
        """One of the few users with many tags; 0 is the busiest."""
        return self._cookie(rank % (len(self._hot) + 1))

    def absent_cookie(self, number: int) -> str:
        """A user that no tag of this run names."""
        return self._cookie(self.cookies + number)

    def _make(self, serial: int) -> Tag:
        if self._is_tie(serial):
            before = self.tag(serial - 1)
            if (serial // self.tie_every) % 2:
                return before
            return self._draw(serial, before.cookie)
        return self._draw(serial, None)

    def _draw(self, serial: int, cookie: str | None) -> Tag:
        who, where, what, origin, brand, category, product, price = self.draws(b"tag", serial)
        return Tag(
            time=times.millis_text(self.time(serial)) + "Z",
            cookie=cookie or self._cookie(self._user(who)),
            country=names.COUNTRIES[where % 100],
            device=names.DEVICES[where // 100 % 3],
            action=names.ACTIONS[what % 3 == 0],
            origin=names.ORIGINS[origin % 1000],
            product_info=ProductInfo(
                product_id=_product_id(product),
                brand_id=names.BRANDS[brand % 250],
                category_id=names.CATEGORIES[category % 67],
                price=_price(price),
            ),
        )

    def _is_tie(self, serial: int) -> bool:
        return self.tie_every > 1 and serial % self.tie_every == self.tie_every - 1

    def _user_of(self, serial: int) -> int:
        original = serial - 1 if self._is_tie(serial) else serial
        return self._user(self.draws(b"tag", original)[0])

    def _user(self, draw: int) -> int:
        share = draw / _DRAW_RANGE
        if share < _HOT_SHARE:
            return bisect(self._hot, share / _HOT_SHARE)
        return int((share - _HOT_SHARE) / (1 - _HOT_SHARE) * self.cookies)

    def _cookie(self, number: int) -> str:
        name = f"{self._prefix}-{number}"
        if number % 16 == 5:
            return f"{name} {names.HOSTILE[number // 16 % len(names.HOSTILE)]}"[:256]
        return name


def _zipf(count: int) -> list[float]:
    """Upper ends of the shares of `count` users of which the n-th is 1/n as busy as the first; the last end is left
    out, so that `bisect` never gives `count`."""
    ends = list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))
    return [end / ends[-1] for end in ends[:-1]]


def _product_id(draw: int) -> int | str:
    """Half strings (digits among them, so that "7" and 7 meet), half integers up to the ends of int64."""
    if draw % 2:
        return str(draw) if draw % 4 == 1 else f"product {names.HOSTILE[draw // 4 % len(names.HOSTILE)]}"[:256]
    return draw if draw % 4 else (2**63 - 1 - draw if draw % 8 else draw - 2**63)


def _price(draw: int) -> int:
    """Mostly everyday prices; one in 64 at an end of int32, so that sums of a minute exceed 32 bits."""
    if draw % 64 == 0:
        return _INT32_EDGES[draw // 64 % 4]
    return draw // 64 % 100_000
