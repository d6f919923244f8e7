"""JSON-RPC as signal-cli speaks it: one line in, one line out. Pure.

signal-cli.rst 1.2 and 1.3 say what is accepted and what ends the connection. What a value asks
for is said in `signal_bridge.rpc.requests`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from signal_bridge.rpc.requests import MAX_STRING_CHARACTERS, PARSE_ERROR, encode
from signal_bridge.sandbox.errors import RpcError
from signal_bridge.sandbox.jackson import unrecognized_token

MAX_DEPTH: Final = 1000
MAX_DIGITS: Final = 1000
MAX_NAME_UNITS: Final = 50_000
"""Of UTF-16, in the name of a member."""

_WHITESPACE: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(r"[\w$]+|.", re.DOTALL)


class Hopeless(Exception):
    """What came ends the connection without a reply."""


def parse_line(line: bytes) -> Any:
    """The first JSON value of a line; what follows it is ignored."""
    text = _decode(line)
    start = _WHITESPACE.match(text)
    begin = start.end() if start else 0
    if begin == len(text):
        raise RpcError(PARSE_ERROR, "Empty input line")
    try:
        value, _ = _DECODER.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise RpcError(PARSE_ERROR, _complaint(text, error.pos)) from None
    except RecursionError:
        raise Hopeless("nested too deep") from None
    _refuse_excess(line, value)
    return value


def notification(
    method: str, params: Mapping[str, Any], subscription: int | None
) -> dict[str, Any]:
    """A notification: `receive` or `callEvent`.

    Wrapped for an explicit subscription, else bare (signal-cli.rst 1.8).
    """
    if subscription is not None:
        params = {"subscription": subscription, "result": params}
    return {"jsonrpc": "2.0", "method": method, "params": params}


def encode_line(message: Any) -> bytes:
    """A reply, or several, or a notification, with its line feed."""
    return encode(message) + b"\n"


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
    raise RpcError(PARSE_ERROR, unrecognized_token(name))


_DECODER: Final = json.JSONDecoder(
    parse_int=lambda text: _number(int, text),
    parse_float=lambda text: _number(float, text),
    parse_constant=_no_constant,
)


def _complaint(text: str, position: int) -> str:
    token = _TOKEN.match(text, position)
    return unrecognized_token(token[0]) if token else "Unexpected end-of-input"


def _refuse_excess(line: bytes, value: Any) -> None:
    """Walk the value only if the line is such that a limit may have been passed."""
    if len(line) <= MAX_NAME_UNITS and line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    depth = 0
    while level:
        if any(isinstance(each, str) and len(each) > MAX_STRING_CHARACTERS for each in level):
            raise Hopeless("a string is too long")
        if any(_is_long_name(name) for each in level if isinstance(each, dict) for name in each):
            raise Hopeless("a name is too long")
        containers = [each for each in level if isinstance(each, (dict, list))]
        depth += bool(containers)
        if depth > MAX_DEPTH:
            raise Hopeless("nested too deep")
        level = [child for each in containers for child in _children(each)]


def _is_long_name(name: str) -> bool:
    return (
        len(name) > MAX_NAME_UNITS // 2
        and len(name.encode("utf-16-le", "surrogatepass")) > 2 * MAX_NAME_UNITS
    )


def _children(container: dict[str, Any] | list[Any]) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else container
