"""JSON-RPC 2.0 as signal-cli speaks it: build a request, and say what an arriving line is.

Pure: no I/O, no clock. Replies carry `jsonrpc`, `result` or `error`, and `id`; notifications carry
`method` and `params` and no id (signal-cli.rst 1.3, 1.8).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from signal_bridge.errors import RequestError

RequestId = str | int
Params = Mapping[str, Any] | list[Any]

_ID: Final = re.compile(rb'"id"\s*:\s*"([0-9a-zA-Z-]{1,64})"')
# In a string of a message the quotation marks would have backslashes.
_METHOD: Final = re.compile(rb'"method"\s*:\s*"([a-zA-Z]{1,64})"')
_ACCOUNT: Final = re.compile(rb'"account"\s*:\s*"([0-9a-zA-Z+-]{1,64})"')
_TIMESTAMP: Final = re.compile(rb'"timestamp"\s*:\s*([0-9]{1,15})')
# Without an end it goes on to that of the line: nothing is looked at twice.
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# What may stand in a string after a backslash, and what may not stand in one at all.
_IN_STRING: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r'|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
    r"|(?P<backslash>\\)"
    r"|(?P<control>[\x00-\x1f])"
)


# What orjson says of values that JSON has, or that came as JSON, and that it cannot write.
_UNWRITABLE: Final = {
    "Recursion limit reached": "it is nested too deep",
    "Integer exceeds 64-bit range": "a number has more than 64 bits",
    "str is not valid UTF-8: surrogates not allowed": "a text has half a surrogate pair in it",
}


@dataclasses.dataclass(frozen=True)
class Reply:
    """The answer to request `id`: a `result`, or an `error` object."""

    id: RequestId
    result: Any = None
    error: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class Notice:
    """Something the daemon says without being asked, such as a received message."""

    method: str
    params: Any


@dataclasses.dataclass(frozen=True)
class Lost:
    """A notification that cannot be read. `why` and `digest` hold nothing of its content.

    `account` and `timestamp_ms` are what can still be seen of them, else empty and 0. `digest`
    tells it from others.
    """

    method: str
    why: str
    account: str
    timestamp_ms: int
    digest: str


@dataclasses.dataclass(frozen=True)
class Nonsense:
    """A line that is neither. `why` is fit for a log: it holds nothing of the line's content.

    `id` is the request it seems to be meant for, if that can be told.
    """

    why: str
    id: str | None = None


def encode_request(request_id: RequestId, method: str, params: Params | None) -> bytes:
    """The line that asks for `method`, with its line feed. `params` None leaves the key out.

    Raises RequestError when `params` hold something that came as JSON and cannot be told to
    signal-cli, TypeError when it is nothing that JSON has.
    """
    request: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": request_id}
    if params is not None:
        request["params"] = params
    try:
        return orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:
        if why := _UNWRITABLE.get(str(error)):
            raise RequestError(f"signal-cli cannot be told this: {why}") from None
        raise


def decode_line(line: bytes) -> Reply | Notice | Lost | Nonsense:
    """What an arriving line is. Never raises.

    Text that is no Unicode (half a surrogate pair, a byte that is not UTF-8) has U+FFFD in its
    place; control characters and backslashes that JSON does not have are what they seem to be:
    somebody's message is in it, and the rest of that is whole.
    """
    try:
        message = _parse(line)
    except orjson.JSONDecodeError:
        return lost_line(f"a line of {len(line)} bytes that is not JSON", line)
    if not isinstance(message, dict):
        return Nonsense(f"a JSON {type(message).__name__} where an object belongs")
    if "method" in message:
        return _notice(message)
    return _reply(message)


def lost_line(why: str, seen: bytes) -> Lost | Nonsense:
    """What a line was that cannot be read, of which `seen` is all, or its beginning and end."""
    method = _METHOD.search(seen)
    if method is None:
        return Nonsense(why, _id_in(seen))
    account, timestamp = _ACCOUNT.findall(seen), _TIMESTAMP.search(seen)
    return Lost(
        method[1].decode(),
        why,
        account=account[-1].decode() if account else "",
        timestamp_ms=int(timestamp[1]) if timestamp else 0,
        digest=hashlib.sha256(seen).hexdigest()[:16],
    )


def _parse(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        text = line.decode(errors="replace")
        return orjson.loads(_STRING.sub(lambda string: _mended(string[0]), text))


def _mended(string: str) -> str:
    return _IN_STRING.sub(_mended_part, string)


def _mended_part(part: re.Match[str]) -> str:
    if part["half"]:
        return r"\ufffd"
    if part["control"]:
        return f"\\u{ord(part[0]):04x}"
    return r"\\" if part["backslash"] else part[0]


def _id_in(line: bytes) -> str | None:
    """A garbled reply may still name its request, at its end, whose caller then need not wait."""
    found = _ID.findall(line)
    return found[-1].decode() if found else None


def _notice(message: dict[str, Any]) -> Notice | Nonsense:
    method = message["method"]
    if not isinstance(method, str):
        return Nonsense("a notification whose method is not a string")
    return Notice(method, message.get("params"))


def _reply(message: dict[str, Any]) -> Reply | Nonsense:
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, (str, int)):
        return Nonsense("a reply without a usable id" + _refusal_code(message))
    error = message.get("error")
    if error is None:
        return Reply(request_id, result=message.get("result"))
    if not isinstance(error, dict):
        error = {"code": 0, "message": "an error that is not an object"}
    return Reply(request_id, error=error)


def _refusal_code(message: dict[str, Any]) -> str:
    """The code tells a parse error of ours from a stray line; the text may hold content."""
    error = message.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return f" (error {code})" if isinstance(code, int) else ""
