"""The forms that times take on the wire, and their numbers: milliseconds or minutes since 1970-01-01T00:00:00Z."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas import errors, tags

TAG_FORM: Final = "2022-03-22T12:15:00.000Z"
MILLIS_FORM: Final = "2022-03-22T12:15:00.000"
SECONDS_FORM: Final = "2022-03-22T12:15:00"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MINUTE: Final = timedelta(minutes=1)
_SECONDS_PATTERN: Final = r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_TAG_TIME: Final = re.compile(_SECONDS_PATTERN + r"\.\d{3}Z", re.ASCII)
_MILLIS_TIME: Final = re.compile(_SECONDS_PATTERN + r"(?:\.\d{3})?", re.ASCII)
_SECONDS_TIME: Final = re.compile(_SECONDS_PATTERN, re.ASCII)


def parse_tag_time(text: str) -> int:
    """Milliseconds of a tag's `time`. Raises `errors.InvalidTimestamp` on any other form and on no real date."""
    return _millis(_parse(text, _TAG_TIME, TAG_FORM))


def format_tag_time(millis: int) -> str:
    """The inverse of `parse_tag_time`."""
    return _format_millis(millis) + "Z"


def parse_millis_time(text: str) -> int:
    """Milliseconds of one end of a profile query's range: with or without the fraction, no `Z`."""
    return _millis(_parse(text, _MILLIS_TIME, f"{MILLIS_FORM} or {SECONDS_FORM}"))


def format_millis_time(millis: int) -> str:
    """The inverse of `parse_millis_time`, always with the fraction."""
    return _format_millis(millis)


def parse_minute(text: str) -> int:
    """Minutes of one end of an aggregates query's range. Raises `errors.InvalidTimestamp` off a minute boundary."""
    moment = _parse(text, _SECONDS_TIME, SECONDS_FORM)
    if moment.second:
        message = f"{_shown(text)} is not on a minute boundary: the seconds must be 00"
        raise errors.InvalidTimestamp(message)
    return (moment - _EPOCH) // _MINUTE


def format_minute(minute: int) -> str:
    """A minute's start, as aggregates' answers and queries write it: `2022-03-01T00:05:00`."""
    return (_EPOCH + minute * _MINUTE).replace(tzinfo=None).isoformat(timespec="seconds")


def minute_of(millis: int) -> int:
    """The minute that a moment in milliseconds lies in."""
    return millis // tags.MILLIS_PER_MINUTE


def _parse(text: str, form: re.Pattern[str], example: str) -> datetime:
    if not form.fullmatch(text):
        message = f"{_shown(text)} is not a time of the form {example}"
        raise errors.InvalidTimestamp(message)
    try:
        return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")
    except ValueError as error:
        message = f"{_shown(text)} is no real date: {error}"
        raise errors.InvalidTimestamp(message) from error


def _millis(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _format_millis(millis: int) -> str:
    return (_EPOCH + millis * _MILLISECOND).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _shown(text: str) -> str:
    """What the client sent, bounded: it goes into an error message."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
