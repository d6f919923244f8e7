"""A webhook that calls the bridge which calls it."""

from __future__ import annotations

import socket

import pytest
import requests

from tests.hostile.hands import BOB, assert_honest_clients_are_answered
from tests.support import Bridge

NAMES = (
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "[::ffff:127.0.0.1]",
    "127.1",
    "2130706433",
    "0x7f000001",
    socket.gethostname(),
)


def was_taken(tried: requests.Response) -> bool:
    """Whether a trial was made, and the receiver took it."""
    return tried.status_code < 400 and tried.json()["status"] in range(200, 300)


@pytest.mark.parametrize("name", NAMES)
def test_trying_a_webhook_that_is_its_own_trial_ends(bridge: Bridge, name: str) -> None:
    path = f"/v1/webhooks/{BOB}"
    made = bridge.post(path, json={"webhook": "http://127.0.0.1:9/"})
    own = f"{path}/{made.json()['id']}"
    changed = bridge.put(own, json={"url": f"http://{name}:{bridge.port}{own}/test"})
    if changed.status_code < 400:
        assert not was_taken(bridge.post(f"{own}/test"))
    assert_honest_clients_are_answered(bridge, times=3)
    assert bridge.delete(own).status_code == 204


def test_two_webhooks_that_try_each_other_end(bridge: Bridge) -> None:
    path = f"/v1/webhooks/{BOB}"
    made = [bridge.post(path, json={"webhook": f"http://127.0.0.1:9/{n}"}) for n in range(2)]
    first, second = (f"{path}/{one.json()['id']}" for one in made)
    for own, other in ((first, second), (second, first)):
        bridge.put(own, json={"url": f"http://localhost:{bridge.port}{other}/test"})
    assert not was_taken(bridge.post(f"{first}/test"))
    assert_honest_clients_are_answered(bridge, times=3)
