"""docs/settings.md, written from the settings' own classes: `python -m devstack.settings_page > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from devstack import paths
from devstack.monitoring.settings import MonitoringSettings
from devstack.settings import DevstackSettings
from gateway.settings import GatewaySettings
from pipeline.settings import AggregatesSettings, ProfilesSettings, WorkerSettings
from runtime import settings
from simulator.settings import SimulatorSettings
from stores.role_settings import PasswordSettings, RoleSettings

_INTRODUCTION: Final = """# Settings

Written by `python -m devstack.settings_page > docs/settings.md`; a test holds the two together.

Every setting is an environment variable, read once at start. `NAME_FILE` instead of `NAME` names a file to read the
value from, which is how a Docker secret arrives. A bad value ends the process with a sentence and exit status 2, and so
does, unless `ENVIRONMENT=local`, a password that is missing or an example.
"""

_GROUPS: Final[list[tuple[str, str, type[settings.Settings]]]] = [
    ("Every process", "", settings.Settings),
    ("Kafka", "Gateway and workers.", settings.KafkaSettings),
    ("PostgreSQL", "Gateway and workers.", settings.DatabaseSettings),
    ("Aerospike", "Gateway and profiles worker.", settings.AerospikeSettings),
    ("Roles", "`python -m stores roles`; DB_USER and DB_PASSWORD are a superuser's there.", RoleSettings),
    ("One role's password", "`python -m stores set-password ROLE`; likewise.", PasswordSettings),
    ("Gateway", "`python -m gateway`", GatewaySettings),
    ("Both workers", "", WorkerSettings),
    ("Aggregates worker", "`python -m pipeline aggregates`", AggregatesSettings),
    ("Profiles worker", "`python -m pipeline profiles`", ProfilesSettings),
    ("The whole system on one machine", "`make run`", DevstackSettings),
    ("Monitoring on one machine", "`make run-monitoring`", MonitoringSettings),
    ("Simulator", "`make simulate`, `python -m simulator`; each also an option there.", SimulatorSettings),
]


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    """A section a group; each setting in the first group that has it, unless a later one changes it."""
    described: dict[str, str] = {}
    for title, process, kind in _GROUPS:
        rows = {name: _row(name, field) for name, field in kind.model_fields.items()}
        new = {name: row for name, row in rows.items() if described.get(name) != row}
        described |= new
        introduction = f"{process}\n\n" if process else ""
        table = "\n".join(["| variable | default | what it is |", "|---|---|---|", *new.values()])
        yield f"## {title}\n\n{introduction}{table}\n"


def _row(name: str, field: FieldInfo) -> str:
    description = (field.description or "").replace("|", "\\|")
    return f"| `{name.upper()}` | {_default(field)} | {description}{_choices(field)} |"


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if isinstance(default, SecretStr) or default in (None, ""):
        return ""
    if default == paths.STATE:
        return "`.local`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _choices(field: FieldInfo) -> str:
    options = getattr(field.annotation, "__args__", ())
    named = [f"`{option}`" for option in options if isinstance(option, str)]
    return f" One of {', '.join(named)}." if named else ""


if __name__ == "__main__":
    sys.stdout.write(page())
