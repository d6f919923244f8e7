"""JSON-RPC as signal-cli speaks it: one line in, one line out. Pure.

signal-cli-rpc.md 1.2 and 1.3 say what is accepted, what is refused in which words, and what ends
the connection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.errors import RpcError

MAX_STRING: Final = 20_000_000
MAX_DEPTH: Final = 1000
MAX_DIGITS: Final = 1000

NOTIFICATION: Final = object()
"""The id of a request that wants no reply."""

_KNOWN: Final = ("method", "id", "jsonrpc", "params")
_REQUEST_CLASS: Final = "org.asamk.signal.jsonrpc.JsonRpcRequest"
_WHITESPACE: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(r"[A-Za-z_$][\w$]*")
_EXPECTED: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


class Hopeless(Exception):
    """What came ends the connection without a reply."""


class BadRequest(RpcError):
    """A request that cannot be run. `request_id` is the id to answer with."""

    def __init__(self, error: RpcError, request_id: Any) -> None:
        super().__init__(error.code, error.message)
        self.request_id = request_id


@dataclass(frozen=True)
class Request:
    """One valid request."""

    method: str
    params: Any
    id: Any

    @property
    def wants_reply(self) -> bool:
        return self.id is not NOTIFICATION


def parse_line(line: bytes) -> Any:
    """The first JSON value of a line; what follows it is ignored."""
    text = _decode(line)
    start = _WHITESPACE.match(text)
    begin = start.end() if start else 0
    if begin == len(text):
        raise RpcError(errors.PARSE, "Empty input line")
    try:
        value, _ = _DECODER.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise RpcError(errors.PARSE, _jackson_text(text, error.pos)) from None
    except RecursionError:
        raise Hopeless("nested too deep") from None
    _refuse_excess(line, value)
    return value


def read_request(value: Any) -> Request | None:
    """Check one request object. None: it is a response, which is dropped."""
    if "result" in value or "error" in value:
        return None
    request_id = value.get("id", NOTIFICATION)
    try:
        _check(value)
    except RpcError as error:
        answerable = request_id is not NOTIFICATION and not isinstance(request_id, (dict, list))
        raise BadRequest(error, request_id if answerable else None) from None
    return Request(_text(value["method"]), value.get("params"), request_id)


def json_type(value: Any) -> str:
    """The name of a JSON type, as in `unexpected type: NUMBER`."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOLEAN"
    return "STRING" if isinstance(value, str) else "NUMBER"


def result_reply(request_id: Any, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result, "id": request_id}


def error_reply(request_id: Any, error: RpcError) -> dict[str, Any]:
    body = {"code": error.code, "message": error.message, "data": error.data}
    return {"jsonrpc": "2.0", "error": body, "id": request_id}


def notification(params: Mapping[str, Any], subscription: int | None) -> dict[str, Any]:
    """A `receive` notification: wrapped for an explicit subscription, else bare (1.8)."""
    if subscription is not None:
        params = {"subscription": subscription, "result": params}
    return {"jsonrpc": "2.0", "method": "receive", "params": params}


def encode(message: Any) -> bytes:
    """One line. Huge integers and half surrogates are beyond orjson; the slow way takes them."""
    try:
        return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        return f"{text}\n".encode("utf-8", "replace")


def _check(value: dict[str, Any]) -> None:
    for key in value:
        if key not in _KNOWN:
            raise errors.unknown_field(key, _REQUEST_CLASS, _KNOWN)
    if isinstance(value.get("id"), (dict, list)):
        raise errors.wrong_property("id", "ValueNode", _node(value["id"]))
    if not isinstance(value.get("params"), (dict, list, type(None))):
        container = "ContainerNode<java.lang.Object>"
        raise errors.wrong_property("params", container, _node(value["params"]))
    if value.get("jsonrpc") != "2.0":
        raise errors.invalid_request("only jsonrpc version 2.0 is supported")
    if value.get("method") is None:
        raise errors.invalid_request("method field must be set")


def _node(value: Any) -> str:
    if isinstance(value, bool):
        return "BooleanNode"
    names = {dict: "ObjectNode", list: "ArrayNode", str: "TextNode", float: "DoubleNode"}
    return names.get(type(value), "IntNode")


def _text(method: Any) -> str:
    return method if isinstance(method, str) else json.dumps(method)


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Hopeless("invalid UTF-8") from None


def _number(convert: type[int] | type[float], text: str) -> int | float:
    if len(text) > MAX_DIGITS:
        raise Hopeless("a number is too long")
    return convert(text)


def _no_constant(name: str) -> None:
    raise RpcError(
        errors.PARSE,
        f"Non-standard token '{name}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
    )


_DECODER: Final = json.JSONDecoder(
    parse_int=lambda text: _number(int, text),
    parse_float=lambda text: _number(float, text),
    parse_constant=_no_constant,
)


def _jackson_text(text: str, position: int) -> str:
    token = _TOKEN.match(text, position)
    if position >= len(text):
        problem = "Unexpected end-of-input"
    elif token:
        problem = f"Unrecognized token '{token[0]}': was expecting {_EXPECTED}"
        position = token.end()
    else:
        char = text[position]
        problem = f"Unexpected character ('{char}' (code {ord(char)})): expected a valid value"
        problem = f"{problem} {_EXPECTED}"
    source = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
    return f"{problem}\n at {source}; line: 1, column: {position + 1}]"


def _refuse_excess(line: bytes, value: Any) -> None:
    """Walk the value only if the line is such that a limit may have been passed."""
    if len(line) <= MAX_STRING and line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    depth = 0
    while level:
        if any(isinstance(each, str) and len(each) > MAX_STRING for each in level):
            raise Hopeless("a string is too long")
        containers = [each for each in level if isinstance(each, (dict, list))]
        depth += bool(containers)
        if depth > MAX_DEPTH:
            raise Hopeless("nested too deep")
        level = [child for each in containers for child in _children(each)]


def _children(container: dict[str, Any] | list[Any]) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else container
