"""JSON-RPC on the wire: what is answered to what, in which words, and what ends a connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, Client, Sandbox, wait_until

VERSION = '{"jsonrpc":"2.0","method":"version","id":%s}'
UNKNOWN_SOURCE = "\n at [Source: UNKNOWN]"
REQUEST = "org.asamk.signal.jsonrpc.JsonRpcRequest"
NODES = "com.fasterxml.jackson.databind.node"


def send_piece_by_piece(connection: socket.socket, data: bytes) -> None:
    """Unlike `sendall`, the time-out is for each piece."""
    rest = memoryview(data)
    while rest:
        rest = rest[connection.send(rest[:100_000]) :]


def refusal(code: int, message: str, request_id: Any = None) -> dict[str, Any]:
    error = {"code": code, "message": message, "data": None}
    return {"jsonrpc": "2.0", "error": error, "id": request_id}


@pytest.mark.parametrize(
    "request_id",
    ["1", '"abc-Ü"', "1.5", "true", "null", "123456789012345678901234567890", '"\\ud83d\\ude00"'],
)
def test_an_id_comes_back_as_it_was(client: Client, knows: Version, request_id: str) -> None:
    reply = client.ask(VERSION % request_id)
    assert reply["result"] == {"version": knows.number}
    assert reply["id"] == json.loads(request_id)


def test_the_keys_of_a_reply_stand_in_the_order_of_signal_cli(client: Client) -> None:
    assert list(client.ask(VERSION % 1)) == ["jsonrpc", "result", "id"]
    reply = client.ask('{"jsonrpc":"2.0","method":"nope","id":1}')
    assert list(reply) == ["jsonrpc", "error", "id"]
    assert list(reply["error"]) == ["code", "message", "data"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("", refusal(-32700, "Empty input line")),
        ("   ", refusal(-32700, "Empty input line")),
        ("42", refusal(-32600, "unexpected type: NUMBER")),
        ('"x"', refusal(-32600, "unexpected type: STRING")),
        ("null", refusal(-32600, "unexpected type: NULL")),
        ("[]", refusal(-32600, "invalid request")),
        ("{}", refusal(-32600, "only jsonrpc version 2.0 is supported")),
        (
            '{"jsonrpc":"1.0","method":"version","id":3}',
            refusal(-32600, "only jsonrpc version 2.0 is supported", 3),
        ),
        ('{"jsonrpc":"2.0","id":3}', refusal(-32600, "method field must be set", 3)),
        ('{"jsonrpc":"2.0","method":5,"id":3}', refusal(-32601, "Method not implemented", 3)),
        ('{"jsonrpc":"2.0","method":"link","id":3}', refusal(-32601, "Method not implemented", 3)),
        (
            '{"jsonrpc":"2.0","method":"Version","id":3}',
            refusal(-32601, "Method not implemented", 3),
        ),
        (
            '{"jsonrpc":"2.0","method":"version","foo":1,"id":2}',
            refusal(
                -32600,
                f'Unrecognized field "foo" (class {REQUEST}), not marked as ignorable (4 known '
                f'properties: "method", "id", "jsonrpc", "params"]){UNKNOWN_SOURCE} (through '
                f'reference chain: {REQUEST}["foo"])',
                2,
            ),
        ),
        (
            '{"jsonrpc":"2.0","method":"version","params":5,"id":2}',
            refusal(
                -32600,
                "Problem deserializing property 'params' (expected type: [simple type, class "
                f"{NODES}.ContainerNode<java.lang.Object>]; actual type: `{NODES}.IntNode`), "
                f"problem: Can not set {NODES}.ContainerNode field {REQUEST}.params to "
                f"{NODES}.IntNode{UNKNOWN_SOURCE} "
                f'(through reference chain: {REQUEST}["params"])',
                2,
            ),
        ),
        (
            '{"jsonrpc":"2.0","method":"version","id":{"a":1}}',
            refusal(
                -32600,
                "Problem deserializing property 'id' (expected type: [simple type, class "
                f"{NODES}.ValueNode]; actual type: `{NODES}.ObjectNode`), problem: Can not set "
                f"{NODES}.ValueNode field {REQUEST}.id to {NODES}.ObjectNode{UNKNOWN_SOURCE} "
                f'(through reference chain: {REQUEST}["id"])',
            ),
        ),
    ],
)
def test_an_invalid_request_is_refused_in_the_words_of_signal_cli(
    client: Client, line: str, reply: Any
) -> None:
    assert client.ask(line) == reply


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("hello", "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object"),
        ('{"jsonrpc":"2.0","method":"version"', "Unexpected end-of-input"),
        ('{"jsonrpc":"2.0","method":"version","id":NaN}', "Unrecognized token 'NaN'"),
        ('\ufeff{"jsonrpc":"2.0","method":"version","id":1}', "Unrecognized token '\ufeff'"),
        ('{"jsonrpc":"2.0";"method":"version","id":1}', "Unrecognized token ';'"),
    ],
)
def test_a_line_that_is_no_json_is_a_parse_error(client: Client, line: str, start: str) -> None:
    reply = client.ask(line)
    assert reply["error"]["code"] == -32700
    assert reply["error"]["message"].startswith(start)
    assert reply["id"] is None


def test_params_null_is_no_params(client: Client, knows: Version) -> None:
    reply = client.ask('{"jsonrpc":"2.0","method":"version","params":null,"id":2}')
    assert reply["result"] == {"version": knows.number}


def test_only_the_first_value_of_a_line_counts_and_the_last_of_equal_keys(
    client: Client, knows: Version
) -> None:
    reply = client.ask('{"jsonrpc":"2.0","method":"nope","method":"version","id":9} xyz {')
    assert reply == {"jsonrpc": "2.0", "result": {"version": knows.number}, "id": 9}


@pytest.mark.parametrize(
    "silent",
    [
        '{"jsonrpc":"2.0","method":"version"}',
        '{"jsonrpc":"2.0","method":"nope"}',
        '{"jsonrpc":"2.0","result":{},"id":1}',
        '{"jsonrpc":"2.0","error":{},"id":1}',
        '[{"jsonrpc":"2.0","method":"version"}]',
    ],
)
def test_notifications_and_responses_get_no_reply(client: Client, silent: str) -> None:
    client.write(f"{silent}\n")
    assert client.ask(VERSION % '"after"')["id"] == "after"


def test_a_batch_gets_one_array_with_a_reply_for_each_request(client: Client) -> None:
    replies = client.ask(
        '[1,"x",{},{"jsonrpc":"2.0","method":"version","id":1},'
        '{"jsonrpc":"2.0","method":"version"},{"jsonrpc":"2.0","method":"nope","id":2}]'
    )
    assert sorted(reply.get("error", {}).get("code", 0) for reply in replies) == [
        -32601, -32600, -32600, -32600, 0,
    ]  # fmt: skip
    assert replies[0]["error"]["message"] == (
        "Cannot construct instance of `org.asamk.signal.jsonrpc.JsonRpcRequest` (although at least "
        "one Creator exists): no int/Int-argument constructor/factory method to deserialize from "
        f"Number value (1){UNKNOWN_SOURCE}"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_may_end_in_two_ways(client: Client, end: str) -> None:
    client.write(VERSION % 1 + end + VERSION % 2 + end)
    assert {client.read_reply()["id"], client.read_reply()["id"]} == {1, 2}


def test_a_half_closed_connection_gets_its_replies_even_for_an_unfinished_line(
    client: Client,
) -> None:
    client.write(VERSION % 1 + "\n" + VERSION % 2)
    client.connection.shutdown(socket.SHUT_WR)
    assert {client.read_reply()["id"], client.read_reply()["id"]} == {1, 2}
    assert client.read() is None


def test_replies_come_in_any_order_and_each_once(client: Client) -> None:
    for _ in range(10):
        client.write("".join(f"{VERSION % number}\n" for number in range(100)))
        order = [client.read_reply()["id"] for _ in range(100)]
        assert sorted(order) == list(range(100))
        if order != sorted(order):
            return
    raise AssertionError("the order was always that of the requests")


def test_a_slow_request_does_not_hold_up_the_others(client: Client) -> None:
    uri = client.result("startLink", account=None)["deviceLinkUri"]
    params = {"deviceLinkUri": uri}
    slow = {"jsonrpc": "2.0", "method": "finishLink", "params": params, "id": "slow"}
    client.write(json.dumps(slow) + "\n" + VERSION % '"fast"' + "\n")
    assert client.read_reply()["id"] == "fast"
    assert client.read_reply()["id"] == "slow"


@pytest.mark.parametrize(
    "hopeless",
    [
        b'{"jsonrpc":"2.0","method":"\xff\xfe","id":1}',
        ("[" * 1001 + "]" * 1001).encode(),
        ("[" * 100_000).encode(),
        b'{"jsonrpc":"2.0","method":"version","id":' + b"1" * 1001 + b"}",
        b'{"jsonrpc":"2.0","method":"version","id":"' + b"x" * 20_000_001 + b'"}',
        b'{"jsonrpc":"2.0","method":"version","id":1,"params":{"' + b"x" * 50_001 + b'":1}}',
        '{"jsonrpc":"2.0","method":"version","id":1,"params":{"NAME":1}}'.replace(
            "NAME", "\N{GRINNING FACE}" * 25_001
        ).encode(),
    ],
    ids=[
        "invalid UTF-8",
        "too deep",
        "far too deep",
        "too many digits",
        "too long a string",
        "too long a name",
        "too long a name of pairs",
    ],
)
def test_what_signal_cli_cannot_read_ends_the_connection_without_a_reply(
    sandbox: Sandbox, hopeless: bytes
) -> None:
    client = sandbox.connect()
    assert client.ask(hopeless) is None
    assert sandbox.connect().result("version", account=None)


def test_what_is_just_within_the_limits_is_answered(client: Client) -> None:
    assert client.ask("[" * 1000 + "]" * 1000)
    assert client.ask(VERSION % ("1" * 1000))["id"] == int("1" * 1000)
    text = "x" * 19_000_000
    assert client.ask(VERSION % f'"{text}"')["id"] == text
    for name in ("x" * 50_000, "\N{GRINNING FACE}" * 25_000):
        params = f', "params": {{"{name}": 1}}'
        assert client.ask(VERSION % f"1{params}")["id"] == 1


def test_line_separators_of_unicode_are_sent_raw(client: Client) -> None:
    client.write(VERSION % '"a\u2028b\u0085c"' + "\n")
    line = client._file.readline()
    assert "a\u2028b\u0085c".encode() in line


def test_half_a_surrogate_pair_does_no_harm(client: Client) -> None:
    assert client.ask(VERSION % '"\\ud800"')["id"] == "?"
    assert client.call("send", noteToSelf=True, message="\ud800")["result"]


def test_many_connections_are_served_at_once(sandbox: Sandbox) -> None:
    clients = [sandbox.connect() for _ in range(100)]
    for client in clients:
        client.write(VERSION % 1 + "\n")
    assert all(client.read_reply()["id"] == 1 for client in clients)


def test_a_client_that_does_not_read_stops_only_itself(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--receive-mode", "manual")
    deaf = sandbox.connect()
    deaf.connection.settimeout(1)
    request = (VERSION % f'"{"x" * 5000}"' + "\n").encode()
    with pytest.raises(TimeoutError):
        send_piece_by_piece(deaf.connection, request * 5000)
    assert sandbox.connect().result("version", account=None)


def test_a_subscriber_that_does_not_read_does_not_fill_the_memory(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start("--receive-mode", "manual")
    deaf, client = sandbox.connect(), sandbox.connect()
    deaf.result("subscribeReceive", account=ALICE)
    text = "x" * 4_000_000
    for _ in range(10):
        client.result("send", account="+12025550101", recipient=[ALICE], message=text)
    wait_until(lambda: f"The mailbox of {ALICE} is full" in sandbox.text)
    assert client.result("version", account=None)
