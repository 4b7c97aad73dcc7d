"""Exceptions as the log has them: where, and of which class; in its own words only where those quote no event.

`KeyError: 'cookie-17'`, `ValueError: 'x' is no price`: the errors that speak of a value are the ones that quote it. So
only the words of errors that speak of servers, files and the program itself are told, and of a wrapper only those that
its cause might say too. The class and the lines of code are always told.
"""

import traceback
from collections.abc import Iterator
from typing import Final

import psycopg

FRAMES: Final = 25
"""The innermost ones: a log driver cuts a line at 16 KiB, and then it is no JSON any more."""

MAX_WORDS: Final = 1_000
WITHHELD: Final = "(its words are not logged: they may quote an event)"
_TELLING: Final = (OSError, RuntimeError, TypeError, AttributeError, NameError, ImportError, MemoryError, psycopg.Error)
_TELLING_PACKAGES: Final = frozenset({"aiokafka", "broker", "cimpl", "pipeline", "stores"})
_QUOTING: Final = (psycopg.DataError, psycopg.IntegrityError)
_MAX_ERRORS: Final = 8


def render(error: BaseException) -> str:
    """The whole of it, causes first, as Python writes it but for what is withheld."""
    found: list[BaseException] = []
    _collect(error, found)
    return "\n".join(line for each in reversed(found) for line in _told(each))


def words(error: BaseException) -> str:
    """The class, and what the error says if that can quote nothing."""
    said = " ".join(str(error).split())
    if not said:
        return type(error).__name__
    return f"{type(error).__name__}: {said[:MAX_WORDS] if _tells(error) else WITHHELD}"


def _tells(error: BaseException) -> bool:
    return _is_telling(error) and (error.__cause__ is None or _is_telling(error.__cause__))


def _is_telling(error: BaseException) -> bool:
    if isinstance(error, _QUOTING):
        return False
    return isinstance(error, _TELLING) or type(error).__module__.partition(".")[0] in _TELLING_PACKAGES


def _collect(error: BaseException, found: list[BaseException]) -> None:
    """`error`, what it holds and what led to it, each once, whatever circles there are."""
    if error in found or len(found) == _MAX_ERRORS:
        return
    found.append(error)
    for each in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        _collect(each, found)
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        _collect(before, found)


def _told(error: BaseException) -> Iterator[str]:
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        for frame in traceback.format_tb(error.__traceback__, limit=-FRAMES):
            yield frame.rstrip("\n")
    yield words(error)
