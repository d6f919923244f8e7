"""Requests that cost more than they are long: each is refused, and the worker stays small."""

from __future__ import annotations

import json
import threading
import time

import pytest
import requests

from bench.attacks.script import part
from tests.hostile.hands import (
    ANN,
    BOB,
    FORM,
    SECONDS,
    answered,
    assert_honest_clients_are_answered,
    growth_watched,
    post,
    statuses,
)
from tests.support import Bridge

MIB = 2**20
MOST_GROWTH_MIB = 64
SHAPES = {
    "empty objects": b'{"message":[' + b"{}," * (10 * MIB) + b"0]}",
    "empty arrays": b'{"recipients":[' + b"[]," * (5 * MIB) + b"0]}",
    "depth": b"[" * (10 * MIB),
    "keys": b"{" + b",".join(b'"k%d":1' % number for number in range(MIB)) + b"}",
    "one key again and again": b"{" + b'"a":1,' * (2 * MIB) + b'"a":1}',
    "digits": b'{"quote_timestamp":' + b"1" * (10 * MIB) + b"}",
    "a long key": b'{"' + b"k" * (10 * MIB) + b'":1}',
    "short strings": b'{"recipients":[' + b'"",' * (3 * MIB) + b'""]}',
    "blanks": b"{" + b" \n" * (15 * MIB) + b"}",
}
ROUTES = (f"/v1/groups/{ANN}", f"/v1/webhooks/{ANN}", "/v1/configuration")
RPC = "/api/v1/rpc"


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        *(("/v2/send", shape) for shape in SHAPES),
        *((path, "empty arrays") for path in ROUTES),
    ],
)
def test_json_that_no_route_can_use_is_refused_before_it_takes_room(
    bridge: Bridge, path: str, shape: str
) -> None:
    with growth_watched(bridge) as growth_mib:
        answer = answered(bridge, post(path, SHAPES[shape]))
    assert statuses(answer) in ([413], [400]), answer[:300]
    assert growth_mib[0] < MOST_GROWTH_MIB


@pytest.mark.parametrize("shape", SHAPES)
def test_nor_is_it_taken_in_signal_clis_own_dialect(bridge: Bridge, shape: str) -> None:
    with growth_watched(bridge) as growth_mib:
        answer = answered(bridge, post(RPC, SHAPES[shape]))
    assert statuses(answer) in ([413], [400], [200]), answer[:300]  # it refuses with 200, too
    assert b'"result"' not in answer
    assert growth_mib[0] < MOST_GROWTH_MIB


def test_thirty_mib_of_empty_objects_are_too_much(bridge: Bridge) -> None:
    answer = answered(bridge, post("/v2/send", SHAPES["empty objects"]))
    assert statuses(answer) == [413]


def test_a_batch_of_sixty_thousand_calls_is_refused(bridge: Bridge) -> None:
    call = {"jsonrpc": "2.0", "method": "version", "id": 1}
    answer = answered(bridge, post(RPC, json.dumps([call] * 60_000).encode()))
    assert statuses(answer)[0] in (400, 413)
    assert answer.count(b'"version"') == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/send", {"number": ANN, "recipients": [BOB], "message": "{}"}),
        (f"/v1/groups/{ANN}", {"name": "{}", "members": [BOB]}),
        (f"/v1/profiles/{ANN}", {"name": "a", "about": "{}"}),
        (f"/v1/polls/{ANN}", {"recipient": BOB, "question": "{}", "answers": ["a", "b"]}),
    ],
)
def test_a_text_that_signal_cli_would_hang_up_on_costs_nobody_else_a_send(
    bridge: Bridge, path: str, body: dict[str, object]
) -> None:
    message = {"number": ANN, "recipients": [BOB], "message": "innocent"}
    others: list[int] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            sent = requests.post(f"{bridge.url}/v2/send", json=message, timeout=SECONDS)
            others.append(sent.status_code)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    long = json.dumps(body).replace('"{}"', f'"{"x" * 21_000_000}"').encode()
    answer = answered(bridge, post(path, long))
    time.sleep(0.5)
    is_over.set()
    for thread in threads:
        thread.join()
    assert statuses(answer)[0] in (400, 413), answer[:300]
    assert set(others) == {201}


@pytest.mark.parametrize(
    "body",
    [
        part("a", b"x\r\n", "f") * 5000 + b"--b--\r\n",
        part("a", b"\r" * 10_000_000, "f"),
        b"--b\r\nX: " + b"y" * 10_000_000,
        part("message", b"z" * 10_000_000 + b"\r\n") + b"--b--\r\n",
        b"q" * 10_000_000,
    ],
    ids=["many parts", "carriage returns", "a head without end", "a long field", "no part"],
)
def test_a_form_that_is_none_is_refused_and_leaves_nothing(bridge: Bridge, body: bytes) -> None:
    with growth_watched(bridge) as growth_mib:
        answer = answered(bridge, post("/v2/send", body, FORM))
    assert 400 <= statuses(answer)[0] < 500, answer[:300]
    assert growth_mib[0] < MOST_GROWTH_MIB
    assert not list((bridge.config_dir / "bridge" / "uploads").iterdir())


def test_bombs_at_once_are_in_nobodys_way(bridge: Bridge) -> None:
    bomb = post("/v2/send", SHAPES["empty arrays"])
    threads = [threading.Thread(target=answered, args=(bridge, bomb)) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert_honest_clients_are_answered(bridge, times=5)
    for thread in threads:
        thread.join()
