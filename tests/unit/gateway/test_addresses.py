"""Whose address counts, where proxies stand between."""

from typing import Any

import pytest

from gateway.addresses import Addresses, parse_networks


def _scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"client": (peer, 12345) if peer is not None else None, "headers": [(b"host", b"h"), *headers]}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "192.0.2.7", [], "192.0.2.7"),
        ("", "192.0.2.7", ["198.51.100.1"], "192.0.2.7"),  # anybody may write that
        ("10.0.0.0/8", "192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/8", "10.0.0.2", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # the client wrote the first itself
        ("10.0.0.0/8", "10.0.0.2", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/8", "10.0.0.2", ["198.51.100.1, 10.0.0.3"], "198.51.100.1"),  # two proxies
        ("10.0.0.2", "10.0.0.2", ["198.51.100.1, 10.0.0.3"], "10.0.0.3"),
        ("10.0.0.0/8", "10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.0/8", "10.0.0.2", ["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.0/8", "10.0.0.2", ["unknown"], "10.0.0.2"),
        ("10.0.0.0/8", "10.0.0.2", ["198.51.100.1, unknown"], "10.0.0.2"),
        ("10.0.0.0/8", "10.0.0.2", ["198.51.100.1,"], "10.0.0.2"),
        ("10.0.0.0/8", "::ffff:10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("", "::ffff:192.0.2.7", [], "192.0.2.7"),
        ("", "2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("fd00::/8", "fd00::1", ["2001:db8:1:2::7"], "2001:db8:1:2::/64"),
        ("", None, [], ""),
        ("10.0.0.0/8", "", ["198.51.100.1"], ""),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_has(
    trusted: str, peer: str | None, forwarded: list[str], client: str
) -> None:
    assert Addresses(parse_networks(trusted)).of(_scope(peer, *forwarded)) == client


def test_addresses_of_one_ipv6_site_are_one_client() -> None:
    addresses = Addresses()

    assert len({addresses.of(_scope(f"2001:db8:1:2::{number:x}")) for number in range(100)}) == 1


def test_a_long_chain_is_not_followed_to_its_end() -> None:
    chain = ", ".join(["198.51.100.1", *["10.0.0.3"] * 100_000])

    assert Addresses(parse_networks("10.0.0.0/8")).of(_scope("10.0.0.2", chain)) == "10.0.0.3"
