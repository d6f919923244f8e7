"""The real signal-cli lives, whatever clients make of a call, and others get their answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.live.test_real_signal_cli import STRANGER, installed, jvm_of, send
from tests.support import Bridge

pytestmark = pytest.mark.live

LARGE = 3_900_000
WIDE = "\N{CYRILLIC SMALL LETTER ZHE}" + "x" * (LARGE - 2)  # two bytes a character in a JVM
REQUEST = '{"jsonrpc": "2.0", "method": "version", "id": 1, "params": %s}'


@pytest.fixture(scope="module", params=[1, 2])
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """With the heap that it has by default."""
    with Bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI=installed(), BRIDGE_WORKERS=request.param
    ) as bridge:
        yield bridge.wait_ready()


@pytest.fixture(autouse=True)
def _lives(bridge: Bridge) -> Iterator[None]:
    """It is the same afterwards, and whoever asked meanwhile was answered."""
    before, done, others = jvm_of(bridge), threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            others.append(send(bridge).status_code)

    asking = threading.Thread(target=ask, name="innocent", daemon=True)
    asking.start()
    yield
    done.set()
    asking.join(60)
    assert set(others) == {400}
    assert jvm_of(bridge) == before


def raw(bridge: Bridge, params: str) -> requests.Response:
    headers = {"Content-Type": "application/json"}
    return bridge.post("/api/v1/rpc", data=(REQUEST % params).encode(), headers=headers)


def at_once(bridge: Bridge, text: str, count: int) -> Counter[int]:
    body = {"number": STRANGER, "recipients": ["+4915198765"], "message": text}
    with ThreadPoolExecutor(count) as pool:
        answers = pool.map(lambda _: bridge.post("/v2/send", json=body, timeout=120), range(count))
        return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("text", ["x" * LARGE, WIDE], ids=["narrow", "wide"])
def test_thirty_large_messages_at_once_are_answered_or_told_to_come_later(
    bridge: Bridge, text: str
) -> None:
    statuses = at_once(bridge, text, 30)
    assert statuses[400] >= 2  # there is no such account
    assert set(statuses) <= {400, 429, 503}


@pytest.mark.parametrize("size", [5_000_000, 21_000_000])
def test_a_message_that_is_larger_is_refused(bridge: Bridge, size: int) -> None:
    assert at_once(bridge, "x" * size, 1) == {413: 1}


@pytest.mark.parametrize(
    "params",
    [
        '{"a": %s}' % ("[" * 1001 + "]" * 1001),
        '{"a": %s}' % ("[" * 400 + "]" * 400),
        '{"%s": 1}' % ("x" * 60_000),
        '{"a": %s}' % ("1" * 1001),
        '{"a": [%s0]}' % ("{}," * 3_000_000),
        '{"a": [%s0]}' % ("{}," * 66_000),
    ],
    ids=["1001 levels", "400 levels", "a long name", "1001 digits", "9 MB of {}", "200 KB of {}"],
)
def test_a_call_of_a_shape_that_ends_connections_ends_none(bridge: Bridge, params: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: raw(bridge, params), range(10)))
    assert {answer.status_code for answer in answers} <= {200, 400, 413, 429, 503}


def test_texts_of_every_route_are_bounded(bridge: Bridge) -> None:
    text = "x" * 5_000_000
    for method, path, body in (
        ("PUT", f"/v1/profiles/{STRANGER}", {"name": "a", "about": text}),
        ("POST", f"/v1/groups/{STRANGER}", {"name": "a", "members": [], "description": text}),
        ("PUT", f"/v1/contacts/{STRANGER}", {"recipient": "+4915198765", "name": text}),
        ("POST", f"/v1/register/{STRANGER}", {"captcha": text}),
        ("POST", f"/v1/devices/{STRANGER}", {"uri": f"sgnl://linkdevice?uuid=a&pub_key={text}"}),
        ("POST", f"/v1/sticker-packs/{STRANGER}", {"pack_id": text, "pack_key": "b"}),
        ("POST", f"/v1/accounts/{STRANGER}/pin", {"pin": text}),
        ("POST", f"/v1/accounts/{STRANGER}/username", {"username": text}),
    ):
        answer = bridge.request(method, path, json=body, timeout=120)
        assert answer.status_code in (400, 413), (path, answer.text[:200])
