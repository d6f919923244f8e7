"""A signal-cli that dies, hangs, babbles or is not there: what its callers are told.

A scripted daemon behind the real bridge, which must never need a restart of its own.
"""

from __future__ import annotations

import http.client
import json
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT
from tests.journeys.reading import texts_until
from tests.support import Bridge, Process, ScriptedDaemon, eventually
from tests.support.scripted_daemon import (
    Answer,
    Connection,
    Gate,
    Request,
    after,
    drop,
    error,
    result,
    silence,
    text_envelope,
    twice,
)

CALL_SECONDS = 2
START_WAIT_SECONDS = 1
SENT = result({"timestamp": 1})


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def shared(script: ScriptedDaemon) -> Iterator[Bridge]:
    with Bridge(
        MODE="json-rpc",
        BRIDGE_SIGNAL_CLI_RPC=script.address,
        BRIDGE_CALL_TIMEOUT_SECONDS=CALL_SECONDS,
        BRIDGE_START_WAIT_SECONDS=START_WAIT_SECONDS,
    ) as bridge:
        yield bridge.wait_ready()


@pytest.fixture
def daemon(script: ScriptedDaemon, shared: Bridge) -> Iterator[ScriptedDaemon]:
    """Without a script; afterwards everything must work again, in the same processes."""
    processes = web_processes(shared)
    script.forget()
    script.on("send", SENT)
    yield script
    script.resume_reading()
    script.forget()
    script.on("send", SENT)
    eventually(lambda: send(shared).status_code == 201, 20, "a send after the fault")
    shared.wait_ready()
    assert web_processes(shared) == processes


@pytest.fixture
def bridge(shared: Bridge, daemon: ScriptedDaemon) -> Bridge:
    return shared


def web_processes(bridge: Bridge) -> list[Process]:
    return [child for child in bridge.children() if "gunicorn" in child.command]


def send(bridge: Bridge, text: str = "hi") -> requests.Response:
    body = {"number": ACCOUNT, "recipients": ["+4915198765"], "message": text}
    return bridge.post("/v2/send", json=body)


def groups(bridge: Bridge) -> requests.Response:
    return bridge.get(f"/v1/groups/{ACCOUNT}")


def check_problem(answer: requests.Response, status: int, outcome: str) -> dict[str, Any]:
    """A failure with a body that a program can act on."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    body: dict[str, Any] = answer.json()
    assert body["error"]
    assert body["code"]
    assert body["outcome"] == outcome
    assert body["retryable"] == (outcome == "not_sent")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.text
    return body


# -- it dies -----------------------------------------------------------------------------------


def test_a_send_whose_daemon_dies_has_an_unknown_outcome_and_is_not_repeated(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", drop, SENT)
    check_problem(send(bridge), 502, "unknown")
    assert len(daemon.asked("send")) == 1
    assert send(bridge).status_code == 201


def test_a_read_whose_daemon_dies_is_not_repeated_and_its_caller_may(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    """It may be what the daemon died of."""
    daemon.on("listGroups", drop, result([]))
    answer = groups(bridge)
    assert answer.status_code == 502, answer.text
    assert (answer.json()["retryable"], answer.json()["outcome"]) == (True, "unknown")
    assert len(daemon.asked("listGroups")) == 1
    assert groups(bridge).json() == []


def test_all_who_wait_are_told_when_the_daemon_dies(bridge: Bridge, daemon: ScriptedDaemon) -> None:
    gate = Gate()
    daemon.on("send", gate(SENT))
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(send, bridge) for _ in range(20)]
        gate.wait_for(20)
        daemon.on("send", SENT)
        daemon.drop_connections()
        for each in waiting:
            check_problem(each.result(), 502, "unknown")


# -- it hangs ----------------------------------------------------------------------------------


def test_a_daemon_that_never_answers_is_a_504(bridge: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", silence)
    daemon.on("listGroups", silence)
    with ThreadPoolExecutor(2) as pool:
        sending, listing = pool.submit(send, bridge), pool.submit(groups, bridge)
        check_problem(sending.result(), 504, "unknown")
        assert listing.result().status_code == 504
    assert len(daemon.asked("send")) == 1


def test_an_answer_that_comes_too_late_reaches_nobody(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    late = after(CALL_SECONDS + 0.5, result({"timestamp": 666}))
    daemon.on("send", late, result({"timestamp": 2}))
    check_problem(send(bridge), 504, "unknown")
    for _ in range(20):
        assert send(bridge).json()[0]["timestamp"] == "2"


def test_others_go_on_while_one_call_hangs(bridge: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", silence)
    daemon.on("listGroups", result([]))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(send, bridge)
        daemon.wait_for("send")
        for _ in range(20):
            assert groups(bridge).status_code == 200
        check_problem(hanging.result(), 504, "unknown")


def test_a_daemon_that_stops_reading_holds_nobody_for_ever(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.stop_reading()
    # Together far more than the socket takes without a reader.
    text = "x" * 1_000_000
    with ThreadPoolExecutor(12) as pool:
        sending = [pool.submit(send, bridge, text) for _ in range(12)]
        while not all(each.done() for each in sending):
            assert bridge.get("/livez").status_code == 200
    for each in sending:
        answer = each.result()
        assert answer.status_code in (502, 503, 504), answer.text
        assert answer.json()["outcome"] in ("unknown", "not_sent")
    assert bridge.get("/readyz").status_code == 503


# -- it talks nonsense -------------------------------------------------------------------------

NONSENSE = {
    "not JSON": b"Exception in thread main\n",
    "an empty line": b"\n\n\n",
    "half a line of JSON": b'{"jsonrpc":"2.0","result"\n',
    "an array": b"[1,2,3]\n",
    "a number": b"42\n",
    "null": b"null\n",
    "not UTF-8": b'{"jsonrpc":"2.0","result":"\xff\xfe","id":"1"}\n',
    "binary": bytes(range(256)) * 50 + b"\n",
    "an answer with a null id": b'{"jsonrpc":"2.0","error":{"code":-1,"message":"?"},"id":null}\n',
    "an answer to nobody": b'{"jsonrpc":"2.0","result":{"timestamp":666},"id":"nobody"}\n',
    "an answer with an id of a wrong kind": b'{"jsonrpc":"2.0","result":1,"id":{"a":[]}}\n',
    "neither an answer nor a message": b'{"jsonrpc":"2.0"}\n',
    "a message of an unknown method": b'{"jsonrpc":"2.0","method":"surprise","params":[1]}\n',
    "a message without parameters": b'{"jsonrpc":"2.0","method":"receive"}\n',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "a very long line": b'{"x":"' + b"x" * 5_000_000 + b'"}\n',
}  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_before_an_answer_harms_neither_it_nor_others(
    bridge: Bridge, daemon: ScriptedDaemon, nonsense: bytes
) -> None:
    def babble(connection: Connection, request: Request) -> None:
        connection.write(nonsense)
        SENT(connection, request)

    gate = Gate()
    daemon.on("listGroups", gate(result([])))
    daemon.on("send", babble)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(groups, bridge)
        gate.wait_for(1)
        assert send(bridge).status_code == 201
        gate.open()
        assert other.result().status_code == 200
    assert len(daemon.asked("send")) == 1


def test_babble_is_logged_once_and_not_word_for_word(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    def babble(connection: Connection, request: Request) -> None:
        connection.write(b"s3cret words of the daemon\n" * 1000)
        SENT(connection, request)

    daemon.on("send", babble)
    before = len(bridge.log.splitlines())
    assert send(bridge).status_code == 201
    assert "s3cret" not in bridge.log
    assert len(bridge.log.splitlines()) - before < 20


def test_an_answer_given_twice_counts_once(bridge: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", twice(result({"timestamp": 7})), result({"timestamp": 8}))
    assert send(bridge).json()[0]["timestamp"] == "7"
    for _ in range(5):
        assert send(bridge).json()[0]["timestamp"] == "8"


def test_answers_in_reverse_order_reach_those_who_asked(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    def echo(connection: Connection, request: Request) -> None:
        timestamp = int(request.params["message"])
        connection.reply(request, {"result": {"timestamp": timestamp}})

    gate = Gate()
    daemon.on("send", gate(echo))
    with ThreadPoolExecutor(30) as pool:
        sending = {number: pool.submit(send, bridge, str(number)) for number in range(30)}
        gate.wait_for(30)
        gate.open(in_reverse=True)
        for number, each in sending.items():
            assert each.result().json()[0]["timestamp"] == str(number)


@pytest.mark.parametrize(
    "answer",
    [
        error(-1, "Failed to send message"),
        lambda c, r: c.send({"jsonrpc": "2.0", "error": "just a text", "id": r.id}),
        lambda c, r: c.send({"jsonrpc": "2.0", "error": [], "id": r.id}),
        lambda c, r: c.send({"jsonrpc": "2.0", "error": {"code": "x", "message": 5}, "id": r.id}),
        lambda c, r: c.send({"jsonrpc": "2.0", "error": {}, "id": r.id}),
        result("a text"),
        result([1, 2]),
        result(None),
        result({"timestamp": "soon"}),
        result({"timestamp": 1, "results": "none"}),
        result({"timestamp": 1, "results": [{"type": 5, "recipientAddress": 7}]}),
        lambda c, r: c.send({"jsonrpc": "2.0", "id": r.id}),
    ],
)
def test_an_odd_answer_is_never_an_empty_500(
    bridge: Bridge, daemon: ScriptedDaemon, answer: Answer
) -> None:
    daemon.on("send", answer)
    given = send(bridge)
    assert given.status_code != 500, given.text
    assert given.json()
    assert given.status_code == 201 or given.json()["error"]


# -- it is not there ---------------------------------------------------------------------------


def test_without_a_daemon_http_is_open_and_says_what_is_wrong_until_it_is_back(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.stop()
    try:
        # Until its end is noticed, what is written to it may have been carried out.
        eventually(lambda: send(bridge).status_code == 503)
        body = check_problem(send(bridge), 503, "not_sent")
        assert body["error"]
        assert int(send(bridge).headers["Retry-After"]) > 0
        assert bridge.get("/livez").status_code == 200
        assert bridge.get("/v1/about").json()["versions"] == ["v1", "v2"]
        for path in ("/readyz", "/v1/health"):
            health = bridge.get(path)
            assert health.status_code == 503
            assert health.json()["error"]
            assert health.json()["reasons"]
            assert health.headers["Retry-After"]
        # Down for longer than a start may take: nobody waits any more, and is told why.
        eventually(lambda: "is not running" in send(bridge).json()["error"])
    finally:
        daemon.start()
    eventually(lambda: bridge.get("/v1/health").status_code == 204, 20)
    assert bridge.get("/readyz").status_code == 200
    assert send(bridge).status_code == 201


def test_receiving_goes_on_when_the_daemon_is_back(bridge: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.stop()
    daemon.start()
    daemon.wait_subscribed()
    daemon.notify(ACCOUNT, text_envelope("+4915198765", "after the break", 42))
    assert texts_until(bridge, ACCOUNT, 1) == ["after the break"]


def test_a_request_waits_for_a_daemon_that_is_on_its_way(
    start_bridge: Callable[..., Bridge],
) -> None:
    daemon = ScriptedDaemon(accounts=[ACCOUNT])
    with daemon:  # to learn its address
        pass
    daemon.on("send", SENT)
    # Far longer than the test takes.
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, BRIDGE_START_WAIT_SECONDS=60
    )
    assert bridge.get("/livez").status_code == 200
    assert bridge.get("/readyz").status_code == 503
    begun = threading.Event()

    def patient() -> requests.Response:
        begun.set()
        return send(bridge)

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(patient) for _ in range(8)]
        begun.wait()
        assert bridge.get("/livez").status_code == 200
        with daemon:
            for each in waiting:
                assert each.result().status_code == 201, each.result().text
            bridge.wait_ready()


def test_a_request_that_waits_for_a_daemon_is_answered_when_the_bridge_stops(
    start_bridge: Callable[..., Bridge],
) -> None:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        address = daemon.address  # where nobody will be
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=address, BRIDGE_START_WAIT_SECONDS=300
    )
    waiting = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=60)
    waiting.request("GET", f"/v1/groups/{ACCOUNT}")
    assert bridge.get("/livez").status_code == 200  # the worker has taken both, in that order
    bridge.signal(signal.SIGTERM)
    answer = waiting.getresponse()
    assert answer.status == 503
    body = json.loads(answer.read())
    assert (body["code"], body["outcome"]) == ("daemon_unavailable", "not_sent")
    assert body["error"] == "signal-cli is not ready, and the bridge is stopping"
    assert bridge.wait_exit() == 0
