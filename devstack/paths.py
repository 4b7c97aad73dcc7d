"""Where things are in a checkout."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SERVICES = PROJECT / "services"
CACHE = PROJECT / ".cache"  # what can be fetched or made again; never state
STATE = PROJECT / ".local"  # what `make clean-state` forgets
