"""What keeps a run from starting; each message is a sentence that says what to do.

SimulatorError
├── NotReady      the system does not answer, or says that it is not ready
├── StartAhead    the stream would run more than 24 h ahead of the clock
└── WindowTaken   the system already counts events in the minutes of this run
"""


class SimulatorError(Exception):
    """Base of everything that simulator/ raises."""


class NotReady(SimulatorError):
    """Nothing to test."""


class StartAhead(SimulatorError):
    """docs/contract.md 6 has such tags refused."""


class WindowTaken(SimulatorError):
    """The right answers could not be known."""
