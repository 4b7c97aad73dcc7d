"""What became of one fault, and the table of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

_HEAD = ("fault", "alert", "raised after", "resolved after", "result")


@dataclass
class Outcome:
    """Seconds from the fault to its alert and from the mend to its end; None: not seen. `beside` fired as well."""

    fault: str
    alert: str
    raised_s: float | None = None
    resolved_s: float | None = None
    beside: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Raised, resolved, and nothing to complain of."""
        return not self.failures and self.raised_s is not None and self.resolved_s is not None

    def cells(self) -> tuple[str, ...]:
        """Its line of the table."""
        times = ("-" if each is None else f"{each:.0f} s" for each in (self.raised_s, self.resolved_s))
        return (self.fault, self.alert, *times, "passed" if self.good else "FAILED")


def table(outcomes: Sequence[Outcome]) -> str:
    """A line each, under a head, and below it what failed and what else fired."""
    rows = [_HEAD, *(outcome.cells() for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"FAILED {each.fault}: {failure}" for each in outcomes for failure in each.failures]
    lines += [f"beside {each.fault}: {', '.join(each.beside)}" for each in outcomes if each.beside]
    return "\n".join(lines)
