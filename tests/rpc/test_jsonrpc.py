"""What an arriving line is, and how a request is written."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.rpc.jsonrpc import (
    Lost,
    Nonsense,
    Notice,
    Reply,
    decode_line,
    encode_request,
)

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
    ("raw", "text"),
    [
        pytest.param(b"caf\xe9", "caf\ufffd", id="a byte that is not UTF-8"),
        pytest.param(b"caf\xe9 noir", "caf\ufffd noir", id="and what follows it"),
        pytest.param(b"\xe2\x82", "\ufffd", id="a character cut off"),
        pytest.param(b"\xe2\x82\xe2\x82\xac", "\ufffd€", id="a character after one cut off"),
        pytest.param(b"\xc0\xafx", "\ufffd\ufffdx", id="a character written too long"),
        pytest.param(b"\xed\xa0\xbdx", "\ufffd" * 3 + "x", id="half a pair in bytes"),
        pytest.param(rb"half \ud83d pair", "half \ufffd pair", id="the first half of a pair"),
        pytest.param(rb"half \ude00 pair", "half \ufffd pair", id="the second half of a pair"),
        pytest.param(rb"\uD83D", "\ufffd", id="half a pair at the end"),
        pytest.param(rb"\ude00\ud83d", "\ufffd\ufffd", id="a pair the wrong way round"),
        pytest.param(rb"\ud83d\ud83d\ude00", "\ufffd😀", id="half a pair before a pair"),
        pytest.param(rb"\ud83d\uDE00\ude00", "😀\ufffd", id="half a pair after a pair"),
        pytest.param(rb"\ud83d\n", "\ufffd\n", id="half a pair before another escape"),
        pytest.param(rb"\\ud83d \ud83d", "\\ud83d \ufffd", id="a backslash and letters are none"),
        pytest.param(rb"\\\ud83d", "\\\ufffd", id="half a pair behind a backslash"),
        pytest.param(b"\\ud83d\xff", "\ufffd\ufffd", id="both at once"),
        pytest.param("\u2028\u0085\\ud83d".encode(), "\u2028\u0085\ufffd", id="line separators"),
        pytest.param(b"a\0b", "a\0b", id="a NUL as it is"),
        pytest.param(b"a\tb\rc\x1bd", "a\tb\rc\x1bd", id="other control characters as they are"),
        pytest.param(rb"a\u0000b", "a\0b", id="a NUL in an escape"),
        pytest.param(rb"C:\Users\x41", "C:\\Users\\x41", id="backslashes that escape nothing"),
        pytest.param(rb"\u12", "\\u12", id="an escape that is too short"),
        pytest.param(b"\\\xff", "\\\ufffd", id="a backslash before a broken byte"),
    ],
)
def test_text_that_is_no_unicode_is_kept_but_for_what_is_broken(raw: bytes, text: str) -> None:
    notice = b'{"method":"receive","params":{"' + raw + b'":[1,"' + raw + b'"]}}'
    assert decode_line(notice) == Notice("receive", {text: [1, text]})
    assert decode_line(b'{"result":"' + raw + b'","id":"x"}') == Reply("x", text)
    refusal = b'{"error":{"code":-1,"message":"' + raw + b'"},"id":"x"}'
    assert decode_line(refusal) == Reply("x", None, {"code": -1, "message": text})


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
        b'{"result":"\xff","id":"x"',
        b'{"result":"\\ud83d","id":"x",}',
        b'{"result":NaN,"text":"\\ud83d","id":"x"}',
        b'\xff{"result":1,"id":"x"}',
        b"NaN",
        b"[" * 5000,
        b'{"result":"\\ud83d","id":"x","deep":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"result":"\xff","id":"x","deep":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    ],
)
def test_a_line_that_makes_none(line: bytes) -> None:
    assert isinstance(decode_line(line), Nonsense)


@pytest.mark.parametrize(
    "broken",
    [
        b'"message":"SECRET" "viewOnce":false',
        b'"message":"SECRET',
        b'"message":NaN',
        b'"message":"SECRET",',
        b'"deep":' + b"[" * 5000 + b"]" * 5000,
    ],
)
def test_a_notification_that_cannot_be_read_is_one_still(broken: bytes) -> None:
    line = (
        b'{"jsonrpc":"2.0","method":"receive","params":{"envelope":{"timestamp":1700000000123,'
        b'"dataMessage":{"timestamp":17,' + broken + b'}},"account":"+15550001111"}}'
    )
    lost = decode_line(line)
    assert isinstance(lost, Lost)
    assert (lost.method, lost.account) == ("receive", "+15550001111")
    assert lost.timestamp_ms == 1700000000123
    assert lost.why == f"a line of {len(line)} bytes that is not JSON"
    assert "SECRET" not in str(lost)
    assert decode_line(line) == lost
    assert decode_line(line + b" ") != lost


def test_of_a_notification_that_is_cut_off_not_all_can_be_seen() -> None:
    lost = decode_line(b'{"method":"receive","params":{"env')
    assert isinstance(lost, Lost)
    assert (lost.account, lost.timestamp_ms) == ("", 0)


def test_words_in_a_message_are_not_taken_for_members() -> None:
    said = json.dumps('{"account":"+1","id":"x"}')
    lost = decode_line(
        b'{"method":"receive","params":{"account":"+2","said":' + said.encode() + b",}}"
    )
    assert isinstance(lost, Lost)
    assert lost.account == "+2"
    reply = decode_line(b'{"result":{"id":"contact","said":' + said.encode() + b'},"id":"x-1",}')
    assert reply == Nonsense("a line of 82 bytes that is not JSON", "x-1")


def test_a_null_id_tells_the_code_of_the_error_but_not_its_text() -> None:
    line = b'{"error":{"code":-32700,"message":"at secret"},"id":null}'
    assert decode_line(line) == Nonsense("a reply without a usable id (error -32700)")


@given(st.binary())
def test_any_bytes_are_something(line: bytes) -> None:
    assert isinstance(decode_line(line), Reply | Notice | Lost | Nonsense)


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


finite_json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
# What may stand between quotation marks: no end of the string, no control character.
inner_bytes = st.binary(max_size=8).map(
    lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte not in b'"\\')
)
escaped_surrogates = st.lists(
    st.integers(0xD800, 0xDFFF).map(lambda code: f"\\u{code:04x}".encode()), max_size=3
).map(b"".join)


@given(finite_json_values, st.text(), inner_bytes | escaped_surrogates, st.text(), st.booleans())
def test_whatever_is_broken_within_a_string_the_rest_of_the_message_survives(
    value: Any, before: str, broken: bytes, after: str, escaped: bool
) -> None:
    def within(text: str) -> bytes:
        return json.dumps(text, ensure_ascii=escaped)[1:-1].encode()

    rest = json.dumps(value, ensure_ascii=escaped).encode()
    text = within(before) + broken + within(after)
    line = b'{"method":"receive","params":[%b,"%b",{"%b":%b}]}' % (rest, text, text, rest)
    decoded = decode_line(line)
    assert isinstance(decoded, Notice)
    first, message, last = decoded.params
    assert first == value
    assert list(last.values()) == [value]
    assert list(last) == [message]
    assert message.startswith(before)
    assert message.endswith(after)
    assert message.encode().decode() == message


def test_a_string_that_never_ends_is_read_once() -> None:
    # Were it read again from each of its quotation marks, this would take hours.
    line = b'{"method":"receive","params":{"account":"+1","m":"' + b'\\"' * 2**20
    lost = decode_line(line)
    assert isinstance(lost, Lost)
    assert lost.account == "+1"


@given(st.text(), escaped_surrogates, st.text(), st.booleans())
def test_escaped_surrogates_become_what_they_mean_in_pairs_and_nothing_else(
    before: str, escapes: bytes, after: str, escaped: bool
) -> None:
    begin, end = (json.dumps(text, ensure_ascii=escaped)[1:-1] for text in (before, after))
    text = f'"{begin}{escapes.decode()}{end}"'
    expected = re.sub("[\ud800-\udfff]", "\ufffd", json.loads(text))
    assert decode_line(b'{"id":"x","result":' + text.encode() + b"}") == Reply("x", expected)


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
