"""`time_range=<from>_<to>`, in the two forms that queries have."""

from collections.abc import Callable
from typing import Final

from gateway import fields
from gateway.errors import FieldError
from schemas import timestamps
from schemas.errors import InvalidTimestamp

MAX_MINUTES: Final = 10


class TimeRange:
    """A kind of field: two times, the earlier first, at most so far apart."""

    def __init__(self, parse_time: Callable[[str], int], takes: str, longest: int | None = None) -> None:
        """`parse_time` raises InvalidTimestamp; `longest` is in its unit."""
        self.takes = takes
        self._parse_time = parse_time
        self._longest = longest

    def problem(self, loc: fields.Loc, value: object) -> FieldError | None:
        try:
            start, end = self.read(str(value))
        except InvalidTimestamp as error:
            return FieldError(loc, f"{loc[-1]}: {error}; it takes {self.takes}", "time_form")
        except ValueError:
            return fields.bad(self, loc, "has not two times with _ between them", "time_range")
        if start > end:
            return fields.bad(self, loc, "is reversed", "time_range")
        if self._longest is not None and end - start > self._longest:
            return fields.bad(self, loc, "is too long", "time_range")
        return None

    def read(self, text: str) -> tuple[int, int]:
        """Both ends. Raises ValueError."""
        start, end = (self._parse_time(part) for part in text.split("_"))
        return start, end


MILLIS: Final = TimeRange(
    timestamps.parse_millis_time,
    f"<from>_<to>, each of the form {timestamps.MILLIS_FORM} or {timestamps.SECONDS_FORM}, the earlier first",
)
MINUTES: Final = TimeRange(
    timestamps.parse_minute,
    f"<from>_<to>, each of the form {timestamps.SECONDS_FORM} and on a minute boundary, the earlier first, "
    f"at most {MAX_MINUTES} minutes",
    MAX_MINUTES,
)
