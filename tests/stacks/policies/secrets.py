"""Where secrets are: in files of the one account that reads them, and nowhere else."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.stacks.rendering import Stack

_NAME: Final = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY", re.IGNORECASE)
_NO_SECRETS: Final = {"ETCD_INITIAL_CLUSTER_TOKEN"}  # keeps two clusters apart by mistake, not by secrecy
_IN_AN_ADDRESS: Final = re.compile(r"://[^/@\s]+:[^/@\s]+@")
_GIVEN: Final = re.compile(r"-*(?P<name>[\w.-]+)[=:]\s*(?P<value>\S+)")
_SETTINGS: Final = {"password_encryption"}  # about passwords, and none itself
_VERSIONED: Final = re.compile(r"allezone_[a-z_]+_v\d+")


def secrets_are_files(stack: Stack) -> Iterator[str]:
    """Neither in the environment nor in a command: `docker inspect` shows both, and `ps` the second."""
    for name, service in stack.services.items():
        own = {_path(secret) for secret in service.get("secrets", [])}
        for variable, value in service.get("environment", {}).items():
            if _IN_AN_ADDRESS.search(str(value)):
                yield f"{name}: {variable} holds a password in an address"
            if not _NAME.search(variable) or variable in _NO_SECRETS:
                continue
            if not variable.endswith("_FILE"):
                yield f"{name}: {variable} is in the environment, where `docker inspect` shows it"
            elif value not in own:
                yield f"{name}: {variable} names {value}, which is no secret of this service"
        for word in _given_in_commands(service):
            yield f"{name}: its command holds a secret: {word}"


def secrets_have_owners_and_uses(stack: Stack) -> Iterator[str]:
    used = {_source(secret) for service in stack.services.values() for secret in service.get("secrets", [])}
    for name in sorted(used ^ stack.secrets.keys()):
        yield f"secret {name}: is used and not declared, or declared and not used"


def secrets_are_dockers_and_versioned(stack: Stack) -> Iterator[str]:
    for name, secret in stack.secrets.items():
        if not secret.get("external") or not _VERSIONED.fullmatch(secret.get("name", "")):
            yield f"secret {name}: is not external with a version in its name"


def secrets_are_their_readers_alone(stack: Stack) -> Iterator[str]:
    """The short form makes a file of root that everybody in the container may read."""
    for name, service in stack.services.items():
        user, _, group = str(service.get("user", "")).partition(":")
        for secret in service.get("secrets", []):
            if not isinstance(secret, dict) or (secret.get("uid"), secret.get("gid")) != (user, group):
                yield f"{name}: the secret {_source(secret)} is not its own account's"
            elif secret.get("mode") != 0o400:
                yield f"{name}: the secret {_source(secret)} is not only to be read, by its owner alone"


def _given_in_commands(service: Mapping[str, Any]) -> Iterator[str]:
    """Words of commands and checks that hold a secret, or are one behind the option that takes it."""
    for key in ("command", "entrypoint", "healthcheck"):
        words = service.get(key) or []
        words = words.get("test", []) if isinstance(words, dict) else words
        words = words.split() if isinstance(words, str) else [str(word) for word in words]
        for before, word in zip(["", *words], words, strict=False):
            if _IN_AN_ADDRESS.search(word):
                yield word
            given = _GIVEN.search(word)
            if given is not None and _is_secret(given["name"], given["value"]):
                yield word
            elif before.startswith("-") and "=" not in before and _is_secret(before.lstrip("-"), word):
                yield f"{before} {word}"


def _is_secret(name: str, value: str) -> bool:
    """A path of a secret, or the name of another option, is none."""
    return bool(_NAME.search(name)) and name not in _SETTINGS and not value.startswith(("/run/secrets/", "-"))


def _source(secret: str | dict[str, Any]) -> str:
    return secret if isinstance(secret, str) else str(secret["source"])


def _path(secret: str | dict[str, Any]) -> str:
    return f"/run/secrets/{secret if isinstance(secret, str) else secret.get('target', secret['source'])}"
