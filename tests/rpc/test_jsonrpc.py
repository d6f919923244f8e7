"""What an arriving line is, and how a request is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.rpc.jsonrpc import Nonsense, Notice, Reply, decode_line, encode_request

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b'{"jsonrpc":"2.0","result":{"a":1},"id":"x-1"}', Reply("x-1", {"a": 1}),
                     id="a reply to a string id"),
        pytest.param(b'{"jsonrpc":"2.0","result":[],"id":7}', Reply(7, []),
                     id="a reply to an integer id"),
        pytest.param(b'{"result":null,"id":"x"}', Reply("x", None), id="a null result"),
        pytest.param(b'{"id":"x"}', Reply("x", None), id="neither result nor error"),
        pytest.param(b'{"error":{"code":-1,"message":"no","data":null},"id":"x"}',
                     Reply("x", None, {"code": -1, "message": "no", "data": None}),
                     id="an error reply"),
        pytest.param(b'{"error":null,"result":5,"id":"x"}', Reply("x", 5), id="a null error"),
        pytest.param(b'{"error":"no","id":"x"}',
                     Reply("x", None, {"code": 0, "message": "an error that is not an object"}),
                     id="an error that is a string"),
        pytest.param(b'{"error":{},"id":"x"}', Reply("x", None, {}), id="an empty error"),
        pytest.param(b'{"method":"receive","params":{"a":1}}', Notice("receive", {"a": 1}),
                     id="a notice"),
        pytest.param(b'{"method":"receive"}', Notice("receive", None),
                     id="a notice without params"),
        pytest.param(b'{"method":"receive","params":[],"id":null}', Notice("receive", []),
                     id="a notice with a null id"),
        pytest.param('{"result":"a\u2028b\u0085","id":"x"}'.encode(),
                     Reply("x", "a\u2028b\u0085"), id="line separators within a string"),
        pytest.param(b' {"result":1,"id":"x"} \r', Reply("x", 1), id="space around"),
    ],
)  # fmt: skip
def test_a_line_that_makes_sense(line: bytes, expected: Reply | Notice) -> None:
    assert decode_line(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b'{"result":1,"id":null}',
        b'{"result":1}',
        b'{"result":1,"id":true}',
        b'{"result":1,"id":1.5}',
        b'{"result":1,"id":[]}',
        b'{"result":1,"id":{}}',
        b'{"method":5,"params":{}}',
        b'{"method":null}',
        b"{}",
        b"[]",
        b'[{"result":1,"id":"x"}]',
        b"null",
        b"42",
        b'"text"',
        b"true",
        b"",
        b"hello",
        b'{"result":1,"id":"x"',
        b'{"result":"\xff","id":"x"}',
        b"NaN",
        b"[" * 5000,
    ],
)
def test_a_line_that_makes_none(line: bytes) -> None:
    assert isinstance(decode_line(line), Nonsense)


def test_a_null_id_tells_the_code_of_the_error_but_not_its_text() -> None:
    line = b'{"error":{"code":-32700,"message":"at secret"},"id":null}'
    assert decode_line(line) == Nonsense("a reply without a usable id (error -32700)")


@given(st.binary())
def test_any_bytes_are_something(line: bytes) -> None:
    assert isinstance(decode_line(line), Reply | Notice | Nonsense)


@given(json_values)
def test_any_json_is_something_and_a_complaint_holds_none_of_it(value: Any) -> None:
    decoded = decode_line(json.dumps({"marker-key": "marker", "x": value}).encode())
    assert isinstance(decoded, Reply | Notice | Nonsense)
    if isinstance(decoded, Nonsense):
        assert "marker" not in decoded.why


@given(st.dictionaries(st.sampled_from(["id", "method", "result", "error", "params"]), json_values))
def test_any_members_of_a_message_are_something(message: dict[str, Any]) -> None:
    decoded = decode_line(json.dumps(message).encode())
    assert isinstance(decoded, Reply | Notice | Nonsense)
    if isinstance(decoded, Reply):
        assert isinstance(decoded.id, str | int)
        assert not isinstance(decoded.id, bool)


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_request_is_one_line_with_what_was_asked(method: str, params: dict[str, str]) -> None:
    line = encode_request("a-1", method, params)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"jsonrpc": "2.0", "method": method, "id": "a-1", "params": params}


def test_a_request_without_params_leaves_them_out() -> None:
    assert "params" not in json.loads(encode_request(1, "version", None))
    assert json.loads(encode_request(1, "version", {}))["params"] == {}


def test_params_that_json_cannot_express_are_a_type_error() -> None:
    with pytest.raises(TypeError):
        encode_request(1, "send", {"x": object()})
