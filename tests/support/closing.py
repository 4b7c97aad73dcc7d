"""Lines that a test has for the end of the whole run's output, from whichever process it ran in.

They go with the test's report: under pytest-xdist nothing else comes back from the process that ran it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import pytest

_KEY: Final = "closing"

Say = Callable[[str, str], None]


def teller(node: pytest.Item) -> Say:
    """What a test calls with a section's title and some text, of one line or more."""
    return lambda section, text: node.user_properties.append((_KEY, [section, text]))


def write(terminal: pytest.TerminalReporter) -> None:
    """All that was told, by section."""
    for section, texts in sorted(_told(terminal).items()):
        terminal.section(section)
        for text in texts:
            terminal.write_line(text)


def _told(terminal: pytest.TerminalReporter) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = defaultdict(list)
    for report in _reports(terminal):
        for key, value in report.user_properties:
            if key == _KEY and isinstance(value, list):
                sections[str(value[0])].append(str(value[1]))
    return sections


def _reports(terminal: pytest.TerminalReporter) -> Iterable[pytest.TestReport]:
    """One a test that ran: those of its setting up and clearing away carry the same lines."""
    every = (report for reports in terminal.stats.values() for report in reports)
    return (each for each in every if isinstance(each, pytest.TestReport) and each.when == "call")
