"""Exit status 0 when every node is in the cluster and has the records that it should have: no migration goes on."""

import sys

import aerospike

members = sys.argv[1].split()
client = aerospike.client({"hosts": [(host, int(port)) for host, _, port in (m.partition(":") for m in members)]})
client.connect()
answers = client.info_all(f"cluster-stable:size={len(members)};ignore-migrations=false")
for node, (error, answer) in answers.items():
    if error is not None or "ERROR" in answer:
        sys.exit(f"{node}: {error or answer.strip()}")
if len(answers) != len(members):
    sys.exit(f"{len(answers)} of {len(members)} nodes answer")
client.close()
