"""Exceptions as the log has them: where, and of which class; in its own words only where those quote no event.

`KeyError: 'cookie-17'`, `ValueError: 'x' is no price`: the errors that speak of a value are the ones that quote it. So
only the words of errors that speak of servers, files and the program itself are told, and only where nothing that led
to them, however far back, has words of another kind: they may repeat those. The class and the lines of code are always
told.
"""

import asyncio
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import psycopg

FRAMES: Final = 25
"""The innermost ones: the whole is to fit into a line, which else loses its middle (runtime/log_line.py)."""

MAX_WORDS: Final = 1_000
WITHHELD: Final = "(its words are not logged: they may quote an event)"
_TELLING: Final = (
    OSError, EOFError, RuntimeError, TypeError, AttributeError, NameError, ImportError, MemoryError,
    asyncio.CancelledError, psycopg.Error,
)  # fmt: skip
_TELLING_PACKAGES: Final = frozenset({"aiokafka", "broker", "cimpl", "pipeline", "stores"})
_QUOTING: Final = (psycopg.DataError, psycopg.IntegrityError)
_MAX_ERRORS: Final = 8
_MAX_DEPTH: Final = 5
_LEFT_OUT: Final = "…"


def render(error: BaseException) -> str:
    """The whole of it, causes first, as Python writes it but for what is withheld."""
    found: list[BaseException] = []
    _collect(error, found)
    return "\n".join(line for each in reversed(found) for line in _told(each))


def words(error: BaseException) -> str:
    """The class, and what the error says if that can quote nothing."""
    said = " ".join(_said(error).split())
    if not said:
        return type(error).__name__
    return f"{type(error).__name__}: {said[:MAX_WORDS] if _tells(error) else WITHHELD}"


def in_words(value: Any) -> Any:
    """`value` with `words` in the place of every exception in it; the very same where there is none."""
    return _in_words(value, _MAX_DEPTH)


def _in_words(value: Any, depth: int) -> Any:
    if isinstance(value, BaseException):
        return words(value)
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return value
    if depth == 0:  # too deep to look into, or a circle
        return _LEFT_OUT
    if isinstance(value, Mapping):
        pairs = {_in_words(key, depth - 1): _in_words(each, depth - 1) for key, each in value.items()}
        return value if _same(pairs, value) and _same(pairs.values(), value.values()) else pairs
    told = [_in_words(each, depth - 1) for each in value]
    if _same(told, value):
        return value
    return tuple(told) if isinstance(value, tuple) else told


def _same(some: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(one is other for one, other in zip(some, others, strict=False))


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as defect:  # a class of a library's: its defect must not take the place of what happened
        return f"({type(defect).__name__} from its words)"


def _tells(error: BaseException) -> bool:
    return _is_telling(error) and all(_is_telling(each) or not _said(each) for each in _led_to(error))


def _led_to(error: BaseException) -> list[BaseException]:
    """The causes, or else what was being handled, `from None` or not: it can be quoted as well."""
    found = [error]
    while (before := found[-1].__cause__ or found[-1].__context__) is not None and before not in found:
        found.append(before)
    return found[1:]


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
