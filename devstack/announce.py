"""What the person at the terminal is told."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from devstack import layout, ports
from devstack.settings import DevstackSettings
from devstack.state import State


def say(text: str) -> None:
    """A line for the person, with the time. A terminal that has gone away is no reason to leave processes behind."""
    with suppress(OSError):
        sys.stdout.write(f"{datetime.now(UTC).astimezone():%H:%M:%S}  {text}\n")
        sys.stdout.flush()


def ready(settings: DevstackSettings, state: State, seconds: float) -> str:
    """What runs where, what to try, how to stop."""
    url = f"http://{ports.HOST}:{settings.gateway_port}"
    return "\n".join(
        [
            f"ready after {seconds:.0f} s",
            "",
            "What runs",
            *(f"  {place.name:24} {ports.HOST}:{place.port}" for place in _shown(settings)),
            f"  profiles are kept in {settings.aerospike_hosts or 'PostgreSQL'}",
            f"  debug mode is {'on' if settings.debug_queries else 'off: DEBUG_QUERIES=true make run turns it on'}",
            f"  logs {state.logs}/NAME.log, process ids {state.pids}/NAME.pid",
            f"  for commands beside it: . {state.environment}",
            "",
            "What to try",
            *(f"  {line}" for line in examples(url, datetime.now(UTC))),
            f"  or open {url}/docs, or `make simulate` in another terminal",
            "",
            "How to stop: Ctrl-C. `make run` goes on where it stopped, `make clean-state` forgets everything.",
            "",
        ]
    )


def examples(url: str, now: datetime) -> list[str]:
    """Three curl commands: send a tag of `now`, read the profile, read the aggregates it is counted in."""
    minute = now.replace(second=0, microsecond=0, tzinfo=None)
    later = (minute + timedelta(minutes=5)).isoformat()
    tag = (
        f'{{"time": "{now:%Y-%m-%dT%H:%M:%S}.000Z", "cookie": "me", "country": "PL", "device": "PC", "action": "BUY", '
        f'"origin": "NEWS", "product_info": '
        f'{{"product_id": 1, "brand_id": "Nike", "category_id": "shoes", "price": 100}}}}'
    )
    aggregates = f"time_range={minute.isoformat()}_{later}&action=BUY&aggregates=COUNT&aggregates=SUM_PRICE"
    return [
        f"curl -i {url}/user_tags -H 'Content-Type: application/json' -d '{tag}'",
        f"curl -X POST '{url}/user_profiles/me?time_range={minute.isoformat()}_{later}'",
        f"curl -X POST '{url}/aggregates?{aggregates}'",
    ]


def _shown(settings: DevstackSettings) -> list[layout.Place]:
    servers = [place for place in layout.servers(settings) if place.setting in ("KAFKA_PORT", "DB_PORT")]
    return layout.applications(settings) + servers
