"""Where a webhook may connect to, as tables; and that a connection keeps to it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.delivery.webhooks.addresses import Network, Rules, literal
from signal_bridge.delivery.webhooks.connecting import CheckedAdapter
from tests.webhooks.receiver import Receiver


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.17.0.2", "192.168.1.1", "100.64.0.1", "8.8.8.8",
        "::1", "fd00::1", "2001:db8::1", "2606:4700::1111",
        "::ffff:10.0.0.1", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ],
)  # fmt: skip
def test_public_and_private_addresses_are_allowed(address: str) -> None:
    assert Rules().refusal(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("169.254.169.254", "link-local"),
        ("169.254.0.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%2", "link-local"),
        ("febf::1", "link-local"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("255.255.255.255", "reserved"),
        # the same inside other forms
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:0.0.0.0", "unspecified"),
        ("::169.254.169.254", "link-local"),
        ("64:ff9b::169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::169.254.169.254", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
    ],
)
def test_where_clouds_keep_credentials_is_not(address: str, why: str) -> None:
    assert why in str(Rules().refusal(ipaddress.ip_address(address)))


@pytest.mark.parametrize(
    ("allow", "deny", "address", "allowed"),
    [
        ([], ["10.0.0.0/8"], "10.1.2.3", False),
        ([], ["10.0.0.0/8"], "11.1.2.3", True),
        ([], ["10.0.0.0/8"], "::ffff:10.1.2.3", False),
        ([], ["0.0.0.0/0", "::/0"], "2001:db8::1", False),
        (["10.1.0.0/16"], ["10.0.0.0/8"], "10.1.2.3", True),
        (["10.1.0.0/16"], ["10.0.0.0/8"], "10.2.2.3", False),
        (["169.254.169.254/32"], [], "169.254.169.254", True),
        (["169.254.169.254/32"], [], "169.254.169.253", False),
        (["fe80::/10"], ["::/0"], "fe80::1", True),
    ],
)
def test_the_operator_has_the_say(
    allow: list[str], deny: list[str], address: str, allowed: bool
) -> None:
    rules = Rules(networks(*allow), networks(*deny))
    assert (rules.refusal(ipaddress.ip_address(address)) is None) is allowed


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_alike(address: ipaddress.IPv4Address) -> None:
    rules = Rules(deny=networks("10.0.0.0/8"))
    for prefix in ("::ffff:", "64:ff9b::"):
        inside = ipaddress.IPv6Address(f"{prefix}{address}")
        assert rules.refusal(inside) == rules.refusal(address)


@given(st.ip_addresses())
def test_every_address_is_judged(address: Any) -> None:
    assert isinstance(Rules().refusal(address), str | None)


@pytest.mark.parametrize("host", ["example.com", "localhost", "", "1.2.3", "0x7f.1"])
def test_a_name_is_no_literal(host: str) -> None:
    assert literal(host) is None


def found(*addresses: str) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in addresses]


def through(rules: Rules) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", CheckedAdapter(rules))
    return session


class Resolver:
    """Answers each question of a name differently."""

    def __init__(self, *answers: list[Any]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self._real = socket.getaddrinfo

    def __call__(self, host: str, *arguments: Any, **options: Any) -> list[Any]:
        if not host.endswith(".test"):
            return self._real(host, *arguments, **options)  # type: ignore[return-value]
        self.asked.append(host)
        return self.answers.pop(0)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(*answers: list[Any]) -> Resolver:
        resolver = Resolver(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        return resolver

    return install


def test_a_name_is_resolved_once_and_stays_the_host(resolve: Any, receiver: Receiver) -> None:
    resolver = resolve(found("127.0.0.1"), found("169.254.169.254"))
    answer = through(Rules()).post(f"http://bot.test:{receiver.port}/hook", data=b"{}")
    assert answer.status_code == 204
    assert resolver.asked == ["bot.test"]
    assert receiver.posts[0].headers["host"] == f"bot.test:{receiver.port}"


def test_a_name_of_refused_addresses_only_is_refused(resolve: Any, receiver: Receiver) -> None:
    resolve(found("169.254.169.254", "127.0.0.1"))
    with pytest.raises(requests.ConnectionError, match="link-local"):
        through(Rules(deny=networks("127.0.0.0/8"))).post(
            f"http://bot.test:{receiver.port}/hook", data=b"{}"
        )
    assert receiver.posts == []


def test_of_several_addresses_the_allowed_one_is_used(resolve: Any, receiver: Receiver) -> None:
    resolve(found("169.254.169.254", "127.0.0.1"))
    answer = through(Rules()).post(f"http://bot.test:{receiver.port}/hook", data=b"{}")
    assert answer.status_code == 204
