"""Whose a request is: its peer's, or behind a trusted proxy the right-most hop that is not one."""

from __future__ import annotations

import ipaddress

import pytest

from signal_bridge.clientaddress import UNKNOWN, client_of

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("10.0.0.2", "10.0.0.4,10.0.0.3", "10.0.0.4"),
        ("10.0.0.2", "198.51.100.7" + ",10.0.0.3" * 15, "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7" + ",10.0.0.3" * 17, UNKNOWN),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "nonsense", UNKNOWN),
        ("10.0.0.2", "203.0.113.9, ", UNKNOWN),
        ("10.0.0.2", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.2", "[2001:db8::7]:4711", "2001:db8::/64"),
        ("fd00::2", "2001:db8:0:0:1::7", "2001:db8::/64"),
        ("::ffff:10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("fe80::1%lo", "", "fe80::/64"),
        ("::1", "", "::1"),
        ("", "", UNKNOWN),
    ],
)
def test_the_client_is_the_right_most_hop_that_no_trusted_proxy_is(
    peer: str, forwarded_for: str, client: str
) -> None:
    assert client_of(peer, forwarded_for, PROXIES) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_of("127.0.0.1", "198.51.100.7") == "127.0.0.1"
