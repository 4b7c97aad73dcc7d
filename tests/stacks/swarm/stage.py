"""All that the steps play on, put together once; `close` leaves nothing."""

import functools
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stacks.swarm import cluster, deployment, images, machines, probe, traffic

COUNT = 6  # Kafka and Patroni need three each, and no two databases share a node
_CONNECT_SECONDS = 10.0


@dataclass
class Stage:
    """`log` is what the commands said; `release` is a name that was never used before."""

    folder: Path
    log: Path
    release: str
    machines: machines.Machines
    cluster: cluster.Cluster
    deployed: deployment.Deployment
    traffic: traffic.Traffic

    @property
    def probe(self) -> probe.Probe:
        """One that trusts the certificate of this run."""
        address = deployment.edge()
        connect = functools.partial(socket.create_connection, (address, 443), _CONNECT_SECONDS)
        return probe.Probe(self.deployed.certificate, self.deployed.token, address, connect)

    def broken_image(self) -> str:
        """An application image without a gateway, in the registry."""
        return images.broken(self.release, f"{self.release}-broken", self.log)


def build(folder: Path) -> Stage:
    """Nothing is started yet."""
    log = folder / "commands.log"
    there = machines.Machines(COUNT, log)
    asked = cluster.Cluster(there)
    deployed = deployment.Deployment(folder, log)
    release = f"test-{int(time.time())}"
    return Stage(folder, log, release, there, asked, deployed, traffic.Traffic(asked, deployed, folder))
