"""New passwords for the superuser and for pg_rewind, as docs/operations/secrets.md has it, on a whole cluster."""

import json
import secrets
from collections.abc import Iterator
from typing import Final

import psycopg
import pytest

from stores import passwords, roles
from stores.role_settings import PasswordSettings, RoleSettings
from tests.support.patroni import cluster as clusters
from tests.support.patroni.cluster import Cluster

SECONDS: Final = 60.0
ROUND_SECONDS: Final = 1
KINDS: Final = {"postgres": "SUPERUSER", "rewinder": "REWIND"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """With the roles of production on it."""
    with clusters.prepared(2) as made:
        made.start(SECONDS)
        assert made.primary().ask("PATCH", "/config", {"loop_wait": ROUND_SECONDS}, made.credentials())[0] == 200
        made.wait(lambda: _leads_to_primary(made), SECONDS, "the proxy leads to no primary")  # it asks once a second
        own = {setting: secrets.token_urlsafe(24) for setting in roles.ROLES.values()}
        own["replication_password"] = made.primary().password("REPLICATION")
        told = RoleSettings.model_validate({**_superuser(made), **own})
        assert "GRANT CONNECT ON DATABASE postgres TO rewinder" in roles.apply(told)
        yield made


@pytest.mark.parametrize("role", list(KINDS))
def test_members_go_on_with_the_old_one_until_each_is_started_with_the_new_one(cluster: Cluster, role: str) -> None:
    old, new = cluster.primary().password(KINDS[role]), secrets.token_urlsafe(24)
    leader, before = cluster.primary(), _seen(cluster)
    cluster.wait(lambda: _leads_to_primary(cluster), SECONDS, "the proxy leads to no primary")

    assert passwords.change(PasswordSettings.model_validate({**_superuser(cluster), "new_password": new}), role)

    # What runs has its connections: it goes through rounds as before, and nobody else becomes primary.
    cluster.wait(lambda: _seen(cluster) > before + 2 * ROUND_SECONDS, SECONDS, "a member stands still")
    assert cluster.wait_whole(SECONDS) is leader

    cluster.secrets[f"{KINDS[role]}_PASSWORD"].write_text(new)
    for member in [*cluster.replicas(), leader]:
        member.stop()
        member.start()
        cluster.wait_whole(SECONDS)

    for member in cluster.members:
        with member.connect(user=role, password=new) as conn:
            assert conn.execute("SELECT current_user").fetchone() == (role,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            member.connect(user=role, password=old)


def _superuser(cluster: Cluster) -> dict[str, object]:
    """How a job logs in: by the proxy."""
    return {
        "db_host": "127.0.0.1",
        "db_port": cluster.proxy.primary,
        "db_user": "postgres",
        "db_password": cluster.primary().password(),
    }


def _leads_to_primary(cluster: Cluster) -> bool:
    try:
        cluster.primary().connect(port=cluster.proxy.primary, target_session_attrs="read-write").close()
    except psycopg.OperationalError:
        return False
    return True


def _seen(cluster: Cluster) -> int:
    """When, in seconds, the member that is behind last went through a round."""
    return min(int(json.loads(member.ask("GET", "/patroni")[1])["dcs_last_seen"]) for member in cluster.members)
