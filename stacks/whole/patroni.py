"""Exit status 0 when there is one primary and every other member streams from it. Says which one is the primary."""

import json
import sys
import urllib.error
import urllib.request

LEAST_LAG = 16 << 20  # bytes: what a busy primary writes between two loops of Patroni


def cluster(addresses: list[str]) -> dict[str, dict[str, object]]:
    """What the first member that answers says of each, by name."""
    for address in addresses:
        try:
            with urllib.request.urlopen(f"http://{address}/cluster", timeout=5) as answer:
                return {found["name"]: found for found in json.load(answer)["members"]}
        except (urllib.error.URLError, TimeoutError) as error:
            reason = f"{address}: {error}"
    sys.exit(reason)


members = sys.argv[1].split()
names = [member.partition(":")[0] for member in members]
found = cluster(members)
leaders = [name for name in names if found.get(name, {}).get("role") == "leader" and found[name]["state"] == "running"]
if len(leaders) != 1:
    sys.exit(f"no primary that runs: {found}")
for name in names:
    member = found.get(name, {})
    lag = member.get("lag", 0)
    if name not in leaders and (member.get("state") != "streaming" or not isinstance(lag, int) or lag > LEAST_LAG):
        sys.exit(f"{name} does not follow {leaders[0]}: {member}")
print("leader", leaders[0])  # noqa: T201  stacks/deploy reads it
