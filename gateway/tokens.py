"""Bearer tokens: what a file says of them, who one belongs to, and how one is made.

A line a token, two at most of one name, so that a client can change over from one to the other:

    # name  scopes      hash of the token
    shop    write       sha256:0a1b...
    reports read,admin  sha256:2c3d...

What is stored is one SHA-256, without salt or rounds. Those slow down the guessing of what people choose; a token is
256 random bits, which nobody guesses at any speed, and a slow hash would be paid with every request (this one: 0.5 us).
"""

import enum
import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from gateway.errors import BrokenTokens

PREFIX: Final = "azt_"  # so that scanners for leaked secrets can tell
OF_ONE_NAME: Final = 2
_RANDOM_BYTES: Final = 32
_MOST: Final = 1_000
_LONGEST_HEADER: Final = 256
_SELECTOR: Final = 8
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")


class Scope(enum.StrEnum):
    """What a token may be used for. None holds another: a token that writes reads nothing."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


class Entry(msgspec.Struct, frozen=True):
    """One line of the file: whose token, what for, and the SHA-256 of it."""

    name: str
    scopes: frozenset[Scope]
    digest: bytes

    def line(self) -> str:
        """The line itself."""
        scopes = ",".join(scope for scope in Scope if scope in self.scopes)
        return f"{self.name} {scopes} sha256:{self.digest.hex()}"


class Tokens:
    """The tokens of one reading of the file."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries: Final = tuple(entries)
        # Found by a part of its hash, which whoever sends a token cannot choose; settled in constant time.
        self._by_selector = {entry.digest[:_SELECTOR]: entry for entry in entries}

    def find(self, authorization: bytes) -> Entry | None:
        """Whose the token of an `Authorization: Bearer TOKEN` is; None: nobody's, or it is no such header."""
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or len(token) > _LONGEST_HEADER:
            return None
        digest = hashlib.sha256(token).digest()
        entry = self._by_selector.get(digest[:_SELECTOR])
        return entry if entry is not None and hmac.compare_digest(entry.digest, digest) else None


def make(name: str, scopes: frozenset[Scope]) -> tuple[str, Entry]:
    """A new token, and what is stored of it. Raises `BrokenTokens` for a name that no file takes."""
    token = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    entry = Entry(name, scopes, hashlib.sha256(token.encode()).digest())
    parse(entry.line())
    return token, entry


def parse(text: str) -> Tokens:
    """The tokens that a file's text names. Raises `BrokenTokens`, which says where and why, but nothing of a hash.

    No token at all is broken too: a file that was emptied by mistake must not lock everybody out.
    """
    entries = list(_entries(text))
    if not entries:
        message = "it names no token"
        raise BrokenTokens(message)
    if len(entries) > _MOST:
        message = f"it names {len(entries)} tokens: {_MOST} are the most"
        raise BrokenTokens(message)
    name, count = Counter(entry.name for entry in entries).most_common(1)[0]
    if count > OF_ONE_NAME:
        message = f"{name} has {count} tokens: {OF_ONE_NAME} of one name are the most, the old and the new"
        raise BrokenTokens(message)
    if len({entry.digest[:_SELECTOR] for entry in entries}) < len(entries):
        message = "it names one token twice"
        raise BrokenTokens(message)
    return Tokens(entries)


def scopes_of(text: str) -> frozenset[Scope]:
    """`write,read`. Raises `BrokenTokens` for a word that is no scope, or none."""
    words = text.split(",")
    unknown = [word for word in words if word not in set(Scope)]
    if unknown:
        message = f"{unknown[0]!r} is no scope: the scopes are {', '.join(Scope)}, with commas between them"
        raise BrokenTokens(message)
    return frozenset(Scope(word) for word in words)


def _entries(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            try:
                yield _entry(words)
            except BrokenTokens as error:
                message = f"line {number}: {error}"
                raise BrokenTokens(message) from error


def _entry(words: Sequence[str]) -> Entry:
    if len(words) != 3:
        message = f"it has {len(words)} words: NAME SCOPES sha256:HASH are three"
        raise BrokenTokens(message)
    name, scopes, hashed = words
    if not _NAME.fullmatch(name):
        message = "the name takes 1 to 64 letters, digits and . _ -"
        raise BrokenTokens(message)
    digest = _HASH.fullmatch(hashed)
    if not digest:
        message = "the hash is not sha256: and 64 hexadecimal digits, lower case"
        raise BrokenTokens(message)
    return Entry(name, scopes_of(scopes), bytes.fromhex(digest[1]))
