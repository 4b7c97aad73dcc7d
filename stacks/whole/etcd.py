"""Exit status 0 when every member answers for the cluster. Says which one leads."""

import json
import sys
import urllib.error
import urllib.request


def get(member: str, path: str) -> str:
    """What a member answers, HOST:PORT."""
    try:
        with urllib.request.urlopen(f"http://{member}{path}", timeout=5) as answer:
            return str(answer.read(), "utf-8")
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"{member}: {error}")


for address in sys.argv[1].split():
    name = address.partition(":")[0]
    # A read through the quorum: a member that has lost the others, or has not caught up, does not answer true.
    if json.loads(get(address, "/health"))["health"] != "true":
        sys.exit(f"{name} is not healthy")
    if "\netcd_server_is_leader 1\n" in get(address, "/metrics"):
        print("leader", name)  # noqa: T201  stacks/deploy reads it
