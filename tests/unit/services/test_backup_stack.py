"""stacks/backup.yaml, which is laid over the databases' stack."""

import pytest

from devstack import paths
from tests.stacks import rendering
from tests.support import scripts

configure = scripts.load(paths.SERVICES / "postgres" / "configure.py")
VARIABLES = rendering.environment() | {"BACKUP_BUCKET": "bucket", "BACKUP_ENDPOINT": "s3.internal"}


def test_every_member_is_told_what_configure_knows() -> None:
    services = rendering.render("backup", VARIABLES).services
    assert set(services) == {name for name in rendering.render("1.stateful").services if name.startswith("patroni")}
    secrets = {f"{name}_FILE" for name in configure.BACKUP_SECRETS}
    for service in services.values():
        told = service["environment"]
        assert told.keys() <= configure.BACKUP_DEFAULTS.keys() | secrets | {"BACKUP_ENDPOINT"}
        assert secrets <= told.keys()


def test_the_defaults_of_both_are_the_same() -> None:
    """Whoever deploys without the file and whoever deploys with it get the same."""
    (told, *_) = (service["environment"] for service in rendering.render("backup", VARIABLES).services.values())
    shared = told.keys() & configure.BACKUP_DEFAULTS.keys() - {"BACKUP_BUCKET"}
    assert {name: told[name] for name in shared} == {name: configure.BACKUP_DEFAULTS[name] for name in shared}


def test_secrets_are_the_servers_own() -> None:
    stack = rendering.render("backup", VARIABLES)
    for service in stack.services.values():
        paths_told = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
        assert {f"/run/secrets/{secret['target']}" for secret in service["secrets"]} == paths_told
        assert {(secret["uid"], secret["mode"]) for secret in service["secrets"]} == {("999", 0o400)}
    assert {secret["source"] for secret in service["secrets"]} == stack.secrets.keys()


@pytest.mark.parametrize("name", ["BACKUP_BUCKET", "BACKUP_ENDPOINT"])
def test_a_deployment_says_where_to(name: str) -> None:
    with pytest.raises(rendering.VariableMissing, match=name):
        rendering.render("backup", {key: value for key, value in VARIABLES.items() if key != name})
