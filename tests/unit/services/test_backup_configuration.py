"""What becomes of the backups' settings in a container."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack import paths
from tests.support import scripts

FOLDER = paths.SERVICES / "postgres"
configure = scripts.load(FOLDER / "configure.py")


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, str]:
    """Without backups."""
    told = {"NODE_NAME": "patroni1", "ETCD_HOSTS": "etcd1:2379"}
    return told | {f"{name}_FILE": _secret(tmp_path, name) for name in configure.SECRETS}


@pytest.fixture
def environment(plain: dict[str, str], tmp_path: Path) -> dict[str, str]:
    told = plain | {"BACKUP_BUCKET": "bucket", "BACKUP_ENDPOINT": "s3.internal:9000"}
    return told | {f"{name}_FILE": _secret(tmp_path, name) for name in configure.BACKUP_SECRETS}


def test_without_a_bucket_nothing_is_archived(plain: dict[str, str]) -> None:
    parameters = _patroni(plain)["postgresql"]["parameters"]
    assert (parameters["archive_mode"], parameters["archive_command"], parameters["archive_timeout"]) == (
        "on",
        "true",
        "0",
    )
    assert _patroni(plain)["bootstrap"]["method"] == "initdb"
    assert configure.backup_values(plain) == {}


def test_with_a_bucket_wal_is_archived_within_a_minute(environment: dict[str, str]) -> None:
    parameters = _patroni(environment)["postgresql"]["parameters"]
    assert parameters["archive_command"] == "pgbackrest archive-push %p"
    assert parameters["archive_timeout"] == "60s"
    assert _patroni(environment)["bootstrap"]["method"] == "initdb"


def test_standbys_ask_no_archive(environment: dict[str, str]) -> None:
    """With S3 away a promotion would wait for it."""
    assert "restore_command" not in str(_patroni(environment)["postgresql"])


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("latest", "pgbackrest restore"),
        (
            "2026-11-22 05:00:00+00",
            "pgbackrest restore --type=time '--target=2026-11-22 05:00:00+00' --target-action=promote",
        ),
    ],
)
def test_a_new_cluster_is_made_from_a_backup_where_one_is_asked_for(
    environment: dict[str, str], target: str, command: str
) -> None:
    bootstrap = _patroni({**environment, "RESTORE_TARGET": target})["bootstrap"]
    assert bootstrap["method"] == "restore"
    assert bootstrap["restore"]["command"] == command


def test_a_target_without_backups_is_refused(plain: dict[str, str]) -> None:
    with pytest.raises(configure.Unusable, match="no BACKUP_BUCKET"):
        configure.values({**plain, "RESTORE_TARGET": "latest"})


@pytest.mark.parametrize("name", ["BACKUP_KEY_FILE", "BACKUP_KEY_SECRET_FILE", "BACKUP_CIPHER_FILE", "BACKUP_ENDPOINT"])
def test_half_of_the_settings_are_refused(environment: dict[str, str], name: str) -> None:
    with pytest.raises(configure.Unusable, match=f"{name} is not set"):
        configure.values({key: value for key, value in environment.items() if key != name})


def test_a_secret_of_two_lines_is_refused(environment: dict[str, str]) -> None:
    """It would be a line of its own in pgBackRest's configuration."""
    Path(environment["BACKUP_KEY_FILE"]).write_text("0123456789abcdef\nrepo1-path=/elsewhere")
    with pytest.raises(configure.Unusable, match="more than one line"):
        configure.backup_values(environment)


def _patroni(environment: dict[str, str]) -> dict[str, Any]:
    template = (FOLDER / "patroni.yaml").read_text("utf-8")
    content: dict[str, Any] = yaml.safe_load(configure.fill(template, configure.values(environment)))
    return content


def _secret(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text(f"{name} for tests, long enough\n")
    return str(path)
