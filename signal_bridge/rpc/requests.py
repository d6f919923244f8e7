"""JSON-RPC requests as signal-cli takes them, and the answers to them: for who serves its dialect.

Pure: no I/O, no clock. The rules are JSON-RPC 2.0's less what signal-cli forgives and plus what it
does not (signal-cli.rst 1.3, 1.4): a number is a method's name, `null` is an id that gets its
answer, and a member that it does not know makes a request invalid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
"""Any wrong parameter by JSON-RPC; signal-cli says it of `account` alone (signal-cli.rst 2.2)."""
INTERNAL_ERROR: Final = -32603

MAX_STRING_CHARACTERS: Final = 20_000_000
"""At a longer string signal-cli ends the connection without a word (signal-cli.rst 0.5)."""

MEMBERS: Final = ("method", "id", "jsonrpc", "params")
"""All that a request may have, in the order in which signal-cli names them."""

NO_ID: Final = object()
"""The id of a request that has none: it is a notification, which nobody waits for."""

_TYPES: Final = {str: "STRING", list: "ARRAY", bool: "BOOLEAN", type(None): "NULL"}


@dataclass(frozen=True)
class Request:
    """A valid request. `params` are as they came; `id` is whatever it may be, or `NO_ID`."""

    method: str
    params: dict[str, Any] | list[Any] | None = None
    id: Any = NO_ID

    @property
    def wants_reply(self) -> bool:
        """Whether it is a call; a notification gets no reply, whatever becomes of it."""
        return self.id is not NO_ID


@dataclass(frozen=True)
class Invalid:
    """What is no request: `why`, for the error `INVALID_REQUEST`, which is answered under `id`."""

    why: str
    id: Any = None


@dataclass(frozen=True)
class Wording:
    """How to say that a request has a member of an unknown name, or one with a wrong value."""

    unknown_member: Callable[[str], str]
    wrong_value: Callable[[str, Any], str]


BRIEF: Final = Wording(
    lambda name: f'Unrecognized field "{name}", not marked as ignorable',
    lambda name, _value: f"Problem deserializing property '{name}'",
)
"""As signal-cli begins to say it, before it names classes of Java."""


def is_batch(value: Any) -> bool:
    """Whether it is several requests at once. An empty array is not; it is an invalid request."""
    return isinstance(value, list) and bool(value)


def read_request(value: Any, wording: Wording = BRIEF) -> Request | Invalid | None:
    """What a value asks for, checked in signal-cli's order (signal-cli.rst 1.3). Never raises.

    None is a response. signal-cli waits for none, and drops it.
    """
    if not isinstance(value, dict):
        return Invalid("invalid request" if value == [] else unexpected_type(value))
    if "result" in value or "error" in value:
        return None
    request_id = value.get("id", NO_ID)
    flaw = _flaw(value, wording)
    if flaw is not None:
        return Invalid(flaw, request_id if _is_usable(request_id) else None)
    return Request(_name(value["method"]), value.get("params"), request_id)


def unexpected_type(value: Any) -> str:
    """What signal-cli says of a JSON value where an object belongs."""
    return f"unexpected type: {_TYPES.get(type(value), 'NUMBER')}"


def result_reply(request_id: Any, result: Any) -> dict[str, Any]:
    """The answer to a request that was carried out, in signal-cli's order of keys."""
    return {"jsonrpc": "2.0", "result": result, "id": request_id}


def error_reply(request_id: Any, error: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a request that was not. `request_id` None: nobody can tell whose it was."""
    return {"jsonrpc": "2.0", "error": error, "id": request_id}


def error_object(code: int, message: str, data: Any = None) -> dict[str, Any]:
    """The `error` of a reply. signal-cli has `data` in every one, `null` where there is none."""
    return {"code": code, "message": message, "data": data}


def encode(message: Any) -> bytes:
    """A reply, a batch of them or a notification as JSON on one line, without its end.

    An id may be a number of any size, and a text half a surrogate pair (which becomes `?`): both
    are beyond orjson, and go the slow way.
    """
    try:
        return orjson.dumps(message)
    except TypeError:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def _flaw(request: Mapping[str, Any], wording: Wording) -> str | None:
    unknown = next((name for name in request if name not in MEMBERS), None)
    if unknown is not None:
        return wording.unknown_member(unknown)
    if isinstance(request.get("id"), (dict, list)):
        return wording.wrong_value("id", request["id"])
    if not isinstance(request.get("params"), (dict, list, type(None))):
        return wording.wrong_value("params", request["params"])
    if request.get("jsonrpc") != "2.0":
        return "only jsonrpc version 2.0 is supported"
    return "method field must be set" if request.get("method") is None else None


def _is_usable(request_id: Any) -> bool:
    return request_id is not NO_ID and not isinstance(request_id, (dict, list))


def _name(method: Any) -> str:
    """Its JSON, if it is no text. What is nested too deep for that is nobody's name either."""
    try:
        return method if isinstance(method, str) else json.dumps(method)
    except RecursionError:
        return ""
