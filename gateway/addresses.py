"""Whose address a request comes from, where proxies stand between: only those that a setting trusts are believed."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from gateway import asgi

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_MOST_HOPS: Final = 16
_IPV6_SITE: Final = 64  # one customer has a whole /64, and with it as many addresses as it likes


class Addresses:
    """Reads the client's address."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def of(self, scope: asgi.Scope) -> str:
        """The client's address, of an IPv6 one its /64.

        That is the peer, unless it is trusted: then the last address of X-Forwarded-For that is not. What stands before
        that one the client itself may have written.
        """
        peer = scope.get("client")
        host: str = peer[0] if peer else ""
        if not self._trusted and ":" not in host:
            return host
        address = _parsed(host)
        if address is None:
            return host
        for hop in reversed(_forwarded_for(scope)):
            before = _parsed(hop) if self._is_trusted(address) else None
            if before is None:
                break
            address = before
        return _named(address)

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def parse_networks(text: str) -> list[Network]:
    """`10.0.1.0/24, fd00::/8, 192.0.2.7` as networks. Raises ValueError."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def _forwarded_for(scope: asgi.Scope) -> list[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.decode("latin-1").strip() for hop in b",".join(values).rsplit(b",", _MOST_HOPS)[-_MOST_HOPS:]]


def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _named(address: _Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), _IPV6_SITE), strict=False))
