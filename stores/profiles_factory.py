"""Which profile store a process uses: Aerospike where hosts are named, else PostgreSQL."""

from typing import Any, Final

import aerospike

from runtime.settings import AerospikeSettings, DatabaseSettings
from stores import pools
from stores.aerospike_profiles import AerospikeProfiles
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import ProfileStore

_DEFAULT_PORT: Final = 3000
_CONNECT_TIMEOUT_MS: Final = 2_000


class ProfileStoreSettings(DatabaseSettings, AerospikeSettings):
    """What choosing and reaching a profile store takes."""


async def open_profiles(settings: ProfileStoreSettings) -> ProfileStore:
    """The store. It need not be there yet: each call raises ProfileStoreUnavailable until it is."""
    if settings.aerospike_hosts:
        hosts = parse_hosts(settings.aerospike_hosts)
        return AerospikeProfiles(lambda: connect(hosts), settings.aerospike_namespace, settings.aerospike_set)
    pool = pools.for_profiles(settings.conninfo("allezone profiles"))
    await pool.open(wait=False)
    return PostgresProfiles(pool)


def parse_hosts(text: str) -> list[tuple[str, int]]:
    """ "a:3000,b" as [("a", 3000), ("b", 3000)]. Raises ValueError for anything else."""
    hosts = []
    for part in text.split(","):
        host, _, port = part.strip().partition(":")
        if not host:
            message = f"AEROSPIKE_HOSTS takes host:port, by commas, not {text!r}"
            raise ValueError(message)
        hosts.append((host, int(port or _DEFAULT_PORT)))
    return hosts


def connect(hosts: list[tuple[str, int]]) -> Any:
    """A connected client of the cluster that these hosts belong to. Raises AerospikeError."""
    return aerospike.client({"hosts": hosts, "connect_timeout": _CONNECT_TIMEOUT_MS})
