"""POST /api/v1/rpc: what comes in goes to the daemon, and what it says comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.raw.conftest import ACCOUNT, Dialect, request
from tests.support import Bridge, ScriptedDaemon, free_port
from tests.support.scripted_daemon import (
    Connection,
    Gate,
    Request,
    drop,
    error,
    result,
    silence,
)

INVALID, NO_METHOD, PARSE, INTERNAL, NO_DAEMON = -32600, -32601, -32700, -32603, -32000
USER, INVALID_PARAMS = -1, -32602


def refusal(code: int, message: str, request_id: Any = None) -> dict[str, Any]:
    problem = {"code": code, "message": message, "data": None}
    return {"jsonrpc": "2.0", "error": problem, "id": request_id}


# -- one request -----------------------------------------------------------------------------------


def test_a_call_reaches_the_daemon_with_its_parameters(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", result({"timestamp": 7, "results": []}))
    reply = dialect.call("send", "abc", account=ACCOUNT, recipient=["+491"], message="hé\u2028")
    assert reply == {"jsonrpc": "2.0", "result": {"timestamp": 7, "results": []}, "id": "abc"}
    (asked,) = daemon.asked("send")
    assert asked.params == {"account": ACCOUNT, "recipient": ["+491"], "message": "hé\u2028"}


def test_a_call_without_parameters_has_none_on_the_wire(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    dialect.post(b'{"jsonrpc":"2.0","method":"listGroups","id":1}')
    assert daemon.asked("listGroups")[0].params is None


def test_a_list_of_parameters_is_passed_on(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    dialect.post(b'{"jsonrpc":"2.0","method":"listGroups","params":[1],"id":1}')
    assert daemon.asked("listGroups")[0].params == [1]


@pytest.mark.parametrize(
    "written", ["1", '"x"', "null", "true", "1.5", "123456789012345678901234567890", '"\\u00e9"']
)
def test_an_id_comes_back_as_it_was(dialect: Dialect, written: str) -> None:
    body = b'{"jsonrpc":"2.0","method":"version","id":%s}' % written.encode()
    answer = dialect.post(body)
    assert answer.status_code == 200
    expected = written.replace("\\u00e9", "é")
    assert answer.content.decode().endswith(f',"id":{expected}}}')


def test_a_refusal_is_the_daemons_own(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    data = {"response": {"results": [{"type": "RATE_LIMIT_FAILURE", "token": "t"}]}}
    daemon.on("send", error(-5, "Failed to send message due to rate limiting", data))
    assert dialect.call("send", 3)["error"] == {
        "code": -5,
        "message": "Failed to send message due to rate limiting",
        "data": data,
    }


def test_a_rate_limit_is_told_in_the_feed(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    data = {"response": {"results": [{"type": "RATE_LIMIT_FAILURE", "token": "mine"}]}}
    daemon.on("send", error(-5, "slow down", data))
    dialect.call("send", account=ACCOUNT)
    events = dialect.bridge.get("/v1/events?types=account.rate_limited&limit=1000").json()
    assert any(event["challenge_tokens"] == ["mine"] for event in events["events"])


def test_a_notification_is_done_and_gets_no_body(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    answer = dialect.post({"jsonrpc": "2.0", "method": "sendTyping", "params": {"stop": True}})
    assert (answer.status_code, answer.content) == (201, b"")
    assert daemon.asked("sendTyping")[0].params == {"stop": True}


def test_only_the_first_value_of_a_body_counts(dialect: Dialect) -> None:
    body = b'\n {"jsonrpc":"2.0",\n"method":"version","id":1} {"more": 1'
    assert dialect.post(body).json()["id"] == 1


# -- what is no request ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", refusal(INVALID, "unexpected type: MISSING")),
        (b"  \n", refusal(INVALID, "unexpected type: MISSING")),
        (b"42", refusal(INVALID, "unexpected type: NUMBER")),
        (b'"x"', refusal(INVALID, "unexpected type: STRING")),
        (b"null", refusal(INVALID, "unexpected type: NULL")),
        (b"[]", refusal(INVALID, "invalid request")),
        (b"{}", refusal(INVALID, "only jsonrpc version 2.0 is supported")),
        (
            b'{"method":"version","id":"a"}',
            refusal(INVALID, "only jsonrpc version 2.0 is supported", "a"),
        ),
        (b'{"jsonrpc":"2.0","id":1}', refusal(INVALID, "method field must be set", 1)),
        (
            b'{"jsonrpc":"2.0","method":"version","params":3,"id":1}',
            refusal(INVALID, "Problem deserializing property 'params'", 1),
        ),
        (
            b'{"jsonrpc":"2.0","method":"version","id":[1]}',
            refusal(INVALID, "Problem deserializing property 'id'"),
        ),
        (
            b'{"jsonrpc":"2.0","method":"version","id":1,"foo":2}',
            refusal(INVALID, 'Unrecognized field "foo", not marked as ignorable', 1),
        ),
    ],
)
def test_what_is_no_request_is_refused_as_signal_cli_does(
    dialect: Dialect, daemon: ScriptedDaemon, body: bytes, expected: dict[str, Any]
) -> None:
    answer = dialect.post(body)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert not daemon.asked("version")


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b'{"jsonrpc":"2.0"',
        b"NaN",
        b"[" * 5000,
        b"[" * 900 + b'"\\u0041"' + b"]" * 900,
    ],
)
def test_what_is_not_json_is_a_parse_error(dialect: Dialect, body: bytes) -> None:
    answer = dialect.post(body)
    assert answer.status_code == 200
    assert (answer.json()["error"]["code"], answer.json()["id"]) == (PARSE, None)
    assert "Line 1, column " in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Content-Encoding": "gzip"}, "gzip"),
        ({"Content-Type": "application/json; charset=klingon"}, "charset"),
    ],
)
def test_what_cannot_be_read_is_a_parse_error_that_says_why(
    dialect: Dialect, headers: dict[str, str], word: str
) -> None:
    given = {"Content-Type": "application/json", **headers}
    answer = dialect.bridge.post("/api/v1/rpc", data=b"{}", headers=given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, PARSE)
    assert word in answer.json()["error"]["message"]


def test_a_response_is_dropped(dialect: Dialect) -> None:
    answer = dialect.post({"jsonrpc": "2.0", "result": {}, "id": 1})
    assert (answer.status_code, answer.content) == (201, b"")


def test_a_method_that_is_a_number_is_asked_for_by_its_name(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    daemon.on("42", error(NO_METHOD, "Method not implemented"))
    body = b'{"jsonrpc":"2.0","method":42,"id":1}'
    assert dialect.post(body).json() == refusal(NO_METHOD, "Method not implemented", 1)


@pytest.mark.parametrize("content_type", [None, "text/plain", "Application/json", "text/json"])
def test_another_content_type_is_415(dialect: Dialect, content_type: str | None) -> None:
    answer = dialect.post(request("version", 1), content_type)
    assert (answer.status_code, answer.content) == (415, b"")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/jsonx"])
def test_a_content_type_only_has_to_begin_well(dialect: Dialect, content_type: str) -> None:
    assert dialect.post(request("version", 1), content_type).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_405(dialect: Dialect, method: str) -> None:
    answer = dialect.bridge.request(method, "/api/v1/rpc")
    assert (answer.status_code, answer.content) == (405, b"")


def test_a_deeper_path_is_404(dialect: Dialect) -> None:
    assert dialect.bridge.post("/api/v1/rpc/more", json={}).status_code == 404


# -- what the bridge keeps to itself ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        (
            "receive",
            USER,
            "Receive command cannot be used if messages are already being received.",
        ),
        ("subscribeReceive", NO_METHOD, "Method not implemented"),
        ("unsubscribeReceive", NO_METHOD, "Method not implemented"),
        ("subscribeCallEvents", NO_METHOD, "Method not implemented"),
    ],
)
def test_nobody_else_receives(
    dialect: Dialect, daemon: ScriptedDaemon, method: str, code: int, message: str
) -> None:
    reply = dialect.call(method, 5, account=ACCOUNT)
    assert (reply["error"]["code"], reply["id"]) == (code, 5)
    assert reply["error"]["message"] == message
    assert "/api/v1/events" in reply["error"]["data"]["reason"]
    assert not daemon.asked(method)


def test_a_body_that_is_larger_than_a_call_may_be_is_413(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"jsonrpc":"2.0","method":"send","params":{"message":"'
        for _ in range(5):
            yield b"x" * 2**20

    headers = {"Content-Type": "application/json"}
    for data in (pieces(), b"".join(pieces())):
        answer = dialect.bridge.post("/api/v1/rpc", data=data, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not daemon.asked("send")


def test_a_call_may_be_large(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    text = "x\n\u20ac" * 400_000
    dialect.call("send", 6, message=text)
    assert daemon.asked("send")[0].params["message"] == text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"jsonrpc":"2.0","method":"version","id":1,"params":{"a":[' + b"{}," * 300_000,
         "more than 262144 bytes lie outside of strings"),
        (b"[" + b'{"":0},' * 30_000, "there are more than 20000 keys"),
    ],
)  # fmt: skip
def test_structure_that_would_fill_the_memory_is_413(
    dialect: Dialect, daemon: ScriptedDaemon, body: bytes, words: str
) -> None:
    answer = dialect.post(body)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_much_json")
    assert words in answer.json()["detail"]
    assert not daemon.asked("version")


def test_a_number_beyond_64_bits_is_kept_from_the_daemon(dialect: Dialect) -> None:
    assert dialect.call("send", 6, timestamp=2**70)["error"]["code"] == INVALID_PARAMS


# -- batches ---------------------------------------------------------------------------------------


def test_a_batch_is_answered_by_an_array(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    daemon.on("listContacts", error(-1, "no"))
    batch = [request("version", 1), request("listContacts", "b"), 42, request("receive", 2)]
    answer = dialect.post([*batch, {"jsonrpc": "2.0", "method": "version"}])
    assert answer.status_code == 200
    replies = answer.json()
    assert [reply["id"] for reply in replies] == [1, "b", None, 2]
    codes = [reply.get("error", {}).get("code") for reply in replies]
    assert codes == [None, -1, INVALID, USER]


def test_the_calls_of_a_batch_run_at_once(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    gate = Gate()
    daemon.on("listContacts", gate(result([])))

    def open_gate(connection: Connection, asked: Request) -> None:
        gate.wait_for(1)
        gate.open()
        connection.reply(asked, {"result": []})

    daemon.on("listGroups", open_gate)
    batch = [request("listContacts", 1), request("listGroups", 2)]
    assert [reply["id"] for reply in dialect.post(batch).json()] == [1, 2]


@pytest.mark.parametrize("method", ["version", "receive"])
def test_a_batch_has_a_bounded_number_of_requests(
    dialect: Dialect, daemon: ScriptedDaemon, method: str
) -> None:
    batch = [request(method, number) for number in range(101)]
    assert [reply["id"] for reply in dialect.post(batch[:100]).json()] == list(range(100))
    daemon.forget()
    for too_many in (batch, [{"jsonrpc": "2.0", "method": method}] * 101):
        answer = dialect.post(too_many)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")
        assert answer.json()["error"] == "The batch has more requests than the limit of 100"
    assert not daemon.asked(method)


def test_more_batches_than_threads_are_all_answered(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    gate = Gate()
    daemon.on("listContacts", gate(result([])))
    batch = [request("listContacts", number) for number in range(8)]
    with ThreadPoolExecutor(6, thread_name_prefix="batch") as pool:
        posted = [pool.submit(dialect.post, batch) for _ in range(6)]
        gate.wait_for(16)
        daemon.on("listContacts", result([]))
        while wait(posted, timeout=0.05).not_done:
            gate.open()
        answers = [each.result().json() for each in posted]
    assert [[reply["id"] for reply in answer] for answer in answers] == [list(range(8))] * 6


def test_requests_of_a_batch_that_come_too_late_are_not_begun(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon
) -> None:
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, BRIDGE_CALL_TIMEOUT_SECONDS="1"
    )
    daemon.on("listContacts", silence)
    batch = [request("listContacts", number) for number in range(20)]
    answer = Dialect(bridge.wait_ready()).post(batch)
    assert answer.status_code == 504
    outcomes = [reply["error"]["data"]["outcome"] for reply in answer.json()]
    assert outcomes == ["unknown"] * 8 + ["not_sent"] * 12
    assert len(daemon.asked("listContacts")) == 8


def test_a_batch_of_notifications_gets_no_body(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    answer = dialect.post([{"jsonrpc": "2.0", "method": "sendTyping"}] * 3)
    assert (answer.status_code, answer.content) == (201, b"")
    assert len(daemon.asked("sendTyping")) == 3


# -- the daemon is away ----------------------------------------------------------------------------


def test_a_call_that_is_lost_says_so_and_is_not_repeated(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", drop, result({}))
    answer = dialect.post(request("send", "x"))
    assert answer.status_code == 502
    problem = answer.json()["error"]
    assert (problem["code"], problem["data"]["outcome"]) == (NO_DAEMON, "unknown")
    assert answer.json()["id"] == "x"
    assert len(daemon.asked("send")) == 1


def test_a_call_that_only_reads_is_not_repeated_either_and_its_caller_may(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    daemon.on("listGroups", drop, result([{"id": "g"}]))
    answer = dialect.post(request("listGroups", "x"))
    assert (answer.status_code, answer.json()["error"]["data"]["retryable"]) == (502, True)
    assert len(daemon.asked("listGroups")) == 1


def test_without_a_daemon_it_is_503_and_still_json_rpc(start_bridge: Callable[..., Bridge]) -> None:
    nobody = f"tcp:127.0.0.1:{free_port()}"
    dialect = Dialect(
        start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=nobody, BRIDGE_START_WAIT_SECONDS="0.2")
    )
    single = dialect.post(request("version", 9))
    assert (single.status_code, single.json()["id"]) == (503, 9)
    assert single.json()["error"]["code"] == NO_DAEMON
    assert single.json()["error"]["data"]["outcome"] == "not_sent"
    assert int(single.headers["Retry-After"]) > 0
    batch = dialect.post([request("version", 1), request("send", 2)])
    assert (batch.status_code, [reply["id"] for reply in batch.json()]) == (503, [1, 2])
    notification = dialect.post({"jsonrpc": "2.0", "method": "sendTyping"})
    assert (notification.status_code, notification.json()["id"]) == (503, None)
    assert dialect.bridge.get("/api/v1/check").status_code == 200
    assert dialect.bridge.get("/api/v1/events?account=%2B491").status_code == 503


# -- which account ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_default() -> Iterator[tuple[Dialect, ScriptedDaemon]]:
    with (
        ScriptedDaemon(accounts=["+491", "+492"]) as daemon,
        Bridge(
            MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, DEFAULT_ACCOUNT="+492"
        ) as bridge,
    ):
        yield Dialect(bridge.wait_ready()), daemon


def test_the_default_account_is_meant_where_none_is_named(
    with_default: tuple[Dialect, ScriptedDaemon],
) -> None:
    dialect, daemon = with_default
    daemon.forget()
    daemon.on("send", result({"timestamp": 7, "results": []}))
    dialect.call("send", message="a")
    dialect.call("send", message="b", account=None)
    dialect.call("send", message="c", account="+491")
    dialect.post(b'{"jsonrpc":"2.0","method":"send","id":1}')
    dialect.post([request("send", 1, message="in a batch")])
    asked = [one.params["account"] for one in daemon.asked("send")]
    assert asked == ["+492", "+492", "+491", "+492", "+492"]


@pytest.mark.parametrize("method", ["version", "listAccounts", "startLink", "register"])
def test_what_is_not_about_an_account_is_passed_on_as_it_is(
    with_default: tuple[Dialect, ScriptedDaemon], method: str
) -> None:
    dialect, daemon = with_default
    daemon.forget()
    daemon.on(method, result({}))
    dialect.call(method, more=1)
    assert {"more": 1} in [one.params for one in daemon.asked(method)]


def test_parameters_in_a_list_name_no_account(
    with_default: tuple[Dialect, ScriptedDaemon],
) -> None:
    dialect, daemon = with_default
    daemon.forget()
    dialect.post(b'{"jsonrpc":"2.0","method":"listGroups","params":[1],"id":1}')
    assert daemon.asked("listGroups")[0].params == [1]


# -- links -----------------------------------------------------------------------------------------


def test_links_count_for_their_client_as_all_links_do(start_bridge: Callable[..., Bridge]) -> None:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        daemon.on("startLink", result({"deviceLinkUri": "sgnl://linkdevice?uuid=x"}))
        bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address)
        dialect = Dialect(bridge.wait_ready())
        begun = dialect.post([request("startLink", number) for number in range(8)])
        assert all("result" in reply for reply in begun.json())
        for method in ("startLink", "finishLink"):
            refused = dialect.post(request(method, 9))
            assert refused.status_code == 429
            assert int(refused.headers["Retry-After"]) > 0
            problem = refused.json()["error"]
            assert problem["code"] == NO_DAEMON
            assert problem["data"]["code"] == "too_many_requests"
            assert problem["data"]["outcome"] == "not_sent"
        assert bridge.post("/v1/link").status_code == 429
        assert len(daemon.asked("startLink")) == 8
        assert dialect.call("version")["result"]
