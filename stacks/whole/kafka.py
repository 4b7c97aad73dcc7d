"""Exit status 0 when every broker is in the cluster and every replica of every partition is in sync.

A broker is in the cluster when the active controller has let it in, so there is a quorum of controllers. Until replicas
are in sync, the next broker to restart could leave partitions with fewer than `min.insync.replicas`, and events without
a place.
"""

import sys

from confluent_kafka.admin import AdminClient

members = sys.argv[1].split()
cluster = AdminClient({"bootstrap.servers": ",".join(members)}).list_topics(timeout=20)
if missing := set(members) - {f"{broker.host}:{broker.port}" for broker in cluster.brokers.values()}:
    sys.exit(f"not in the cluster: {' '.join(sorted(missing))}")
behind = [
    f"{name}/{number}"
    for name, topic in sorted(cluster.topics.items())
    for number, partition in sorted(topic.partitions.items())
    if partition.leader < 0 or set(partition.isrs) != set(partition.replicas)
]
if behind:
    sys.exit(f"{len(behind)} partitions with replicas that are not in sync: {' '.join(behind[:5])}")
