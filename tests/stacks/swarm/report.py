"""What became of each step: a line for a person, and JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step; it is good where `failure` is empty. Figures are numbers by name, seconds where the name ends so."""

    name: str
    seconds: float
    figures: dict[str, Any]
    failure: str = ""

    def __str__(self) -> str:
        """A line, or a few where it failed."""
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.figures.items())
        outcome = f"FAILED: {self.failure}" if self.failure else told
        return f"{self.name}: {self.seconds:.0f} s. {outcome}"


@dataclass
class Report:
    """One run."""

    machines: int
    steps: list[Step] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return bool(self.steps) and not any(step.failure for step in self.steps)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"good": self.good, **asdict(self)}, indent=2) + "\n")
