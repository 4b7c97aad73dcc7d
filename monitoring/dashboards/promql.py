"""Expressions that come up in many panels, written once."""

from typing import Final

# What a rate is taken over: four scrapes, or a step of the graph if that is longer.
WINDOW: Final = "$__rate_interval"
# The whole range that is shown, and the same as a number of seconds.
SHOWN: Final = "$__range"
SHOWN_SECONDS: Final = "$__range_s"


def rate(series: str, *, by: str = "", over: str = WINDOW) -> str:
    """A second's increase of counters, added up, for each value of the labels `by`."""
    return _added(f"rate({series}[{over}])", by)


def increase(series: str, *, by: str = "", over: str = WINDOW) -> str:
    """How much counters grew, added up, rounded up: what happened at all is at least 1."""
    return f"ceil({_added(f'increase({series}[{over}])', by)})"


def counted(series: str, *, by: str = "") -> str:
    """How much counters grew in the range that is shown, as `increase`, and what new processes had counted unseen.

    A series is not there before it is read for the first time, and what it says then is no increase: of a process that
    was started within the range it is what happened within the range.
    """
    started = f"max_over_time(process_start_time_seconds[{SHOWN}]) > time() - {SHOWN_SECONDS}"
    new = f"max_over_time({series}[{SHOWN}]) unless {series} offset {SHOWN} and on (job, service, instance) {started}"
    return f"ceil({_added(f'{new} or increase({series}[{SHOWN}])', by)})"


def missing(job: str, there: str) -> str:
    """How many of a job's targets that the layout has are not `there`; nothing where the layout has none of them."""
    return f'sum(allezone:targets_expected{{job="{job}"}}) - ({or_zero(there)})'


def quantile(share: float, histogram: str, *, by: str = "", over: str = WINDOW) -> str:
    """What `share` of the observations were at most; `histogram` is its name without an ending, and its labels."""
    name, brace, selector = histogram.partition("{")
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{name}_bucket{brace}{selector}', by=labels, over=over)})"


def mean(histogram: str, *, by: str = "", over: str = WINDOW) -> str:
    """The mean of a histogram's observations; as for `quantile`."""
    name, brace, selector = histogram.partition("{")
    total = rate(f"{name}_sum{brace}{selector}", by=by, over=over)
    return f"{total} / {some(rate(f'{name}_count{brace}{selector}', by=by, over=over))}"


def or_zero(expression: str, *, label: str = "") -> str:
    """0 where nothing is counted yet: series of errors are not there before the first one.

    With `label` the zero bears the value "none" of it, which a legend shows.
    """
    zero = f'label_replace(vector(0), "{label}", "none", "", "")' if label else "vector(0)"
    return f"{expression} or on() {zero}"


def some(expression: str) -> str:
    """What is divided by: of nothing there is no share."""
    return f"({expression} > 0)"


def _added(expression: str, by: str) -> str:
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"
