"""`python -m monitoring.configs`: gives every config of the stacks the name that its content has now.

A Docker config cannot be changed, so its name ends in the first eight digits of its content's SHA-256: a changed file
is another config. After a change of a rule, a dashboard or a configuration this writes the new name into the stacks.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

STACKS: Final = Path(__file__).parents[1] / "stacks"


def main() -> int:
    """Rename, and say what was renamed."""
    for path in sorted([*STACKS.glob("*.yaml"), *STACKS.glob("layouts/*.yaml")]):
        before = path.read_text("utf-8")
        after = renamed(before)
        if after != before:
            path.write_text(after, "utf-8")
            sys.stdout.write(f"{path.relative_to(STACKS.parent)}\n")
    return 0


def renamed(text: str) -> str:
    """A stack file with the names that its configs are to have. Raises FileNotFoundError."""
    for key, name in _names(yaml.safe_load(text)):
        text = re.sub(rf"\ballezone_{key}_[0-9a-f]{{8}}\b", name, text)
    return text


def name_of(key: str, file: Path) -> str:
    """The name of the config `key` with the content of `file`."""
    return f"allezone_{key}_{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"


def _names(stack: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, config in (stack.get("configs") or {}).items():
        if "file" in config:  # relative to the first of the files that are deployed together, which is in stacks/
            yield key, name_of(key, STACKS / config["file"])


if __name__ == "__main__":
    sys.exit(main())
