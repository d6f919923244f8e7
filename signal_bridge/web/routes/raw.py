"""signal-cli's own HTTP dialect, so that what was written for its daemon works unchanged.

    GET  /api/v1/check     200 while the bridge answers
    POST /api/v1/rpc       JSON-RPC 2.0: one request, or a batch
    GET  /api/v1/events    what the accounts receive, as server-sent events

Served in the json-rpc modes and the sandbox. Requests go to the daemon as they are, and its
answers come back as they are, under the caller's id. The bridge answers by itself only what is
no request, in signal-cli's words (signal-cli-rpc.md 1.3, 1.4, 1.11), and what would take the
feed away from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from flask import Response, request
from flask.typing import ResponseReturnValue

from signal_bridge.errors import DaemonError, DaemonUnavailable, RequestError
from signal_bridge.feed.account_book import UNLINKED
from signal_bridge.feed.filters import EVERY_ACCOUNT, Filter
from signal_bridge.feed.shapes import frame
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.session.gateway import Gateway
from signal_bridge.signalcli import accounts
from signal_bridge.signalcli.call import Call
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import json_value, whole_body
from signal_bridge.web.edge.problems import status_of
from signal_bridge.web.streams import sse
from signal_bridge.web.streams.reading import live_reader

MODES: Final = ("json-rpc", "json-rpc-native", "sandbox")
ROOT: Final = "/api/v1/"

# The bridge receives, for everybody: a second receiver would take messages from the first.
_OURS: Final = frozenset(
    {
        "receive",
        "subscribeReceive",
        "unsubscribeReceive",
        "subscribeCallEvents",
        "unsubscribeCallEvents",
    }
)
_SLOW: Final = {
    "startLink": accounts.START_LINK_SECONDS,
    "finishLink": accounts.FINISH_LINK_SECONDS,
}
_ONLY_READS: Final = re.compile("(list|get)[A-Z].*|version")

_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_NO_METHOD: Final = -32601
_INTERNAL_ERROR: Final = -32603
# Reserved by JSON-RPC for servers, never used by signal-cli: the daemon was not asked, or was lost.
_NO_DAEMON: Final = -32000

# signal-cli ends the connection without a word at a longer string (signal-cli-rpc.md 0.5).
_LONGEST_STRING: Final = 20_000_000
# It is held in memory, some times over. Larger files go by /v2/send, or by their path.
_LARGEST_BODY: Final = 64 * 2**20
_BATCH_AT_ONCE: Final = 8
_KNOWN_KEYS: Final = ("method", "id", "jsonrpc", "params")
_NO_ID: Final = object()


def check() -> ResponseReturnValue:
    """200 without a body: this server speaks signal-cli's HTTP dialect."""
    return "", 200


def rpc() -> ResponseReturnValue:
    """A JSON-RPC 2.0 request, or a batch of them, for signal-cli.

    200 with the reply, errors of signal-cli's included; 201 when there is none to give
    (notifications); 413 above 64 MiB; 415 unless `Content-Type` begins with `application/json`.
    When signal-cli cannot be asked or is lost: 503, 502 or 504, with a JSON-RPC error (-32000) all
    the same.
    """
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        return "", 415
    request.max_content_length = min(_LARGEST_BODY, bridge().settings.max_body_bytes)
    body = whole_body()
    if not body.strip():
        return _response(_invalid("unexpected type: MISSING"))
    try:
        value = json_value(body)
    except RequestError:
        return _response(_failed(None, _PARSE_ERROR, "The request is not JSON"))
    if isinstance(value, list) and value:
        return _batch_response(_batch(bridge().gateway, value))
    return _response(_answer(bridge().gateway, value))


def events() -> ResponseReturnValue:
    """What `account` (default: every account) receives from now on, as server-sent events.

    `event:receive`, `data:{"envelope":…,"account":…}` and, beyond signal-cli, `id:`; a client
    that comes back with `Last-Event-ID` gets what it missed. 400 for an unknown account.
    """
    # A plus that was not escaped has become a space on the way.
    account = re.sub("^ ", "+", request.args.get("account", ""))
    if account and not _is_known(account):
        raise RequestError(f"There is no account {account}")
    return sse.stream(live_reader(Filter(account or EVERY_ACCOUNT)), "receive", frame)


def _is_known(account: str) -> bool:
    """Known from earlier, or else to signal-cli by now."""
    if any(each.number == account and each.state != UNLINKED for each in bridge().accounts.all()):
        return True
    listed = bridge().gateway.run(accounts.list_accounts())
    return account in accounts.account_numbers(listed)


# -- one request -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """The `reply` to one request, None when it wants none; `lost` says why signal-cli gave none."""

    reply: Mapping[str, Any] | None
    lost: DaemonError | None = None


class _NotARequest(Exception):
    """signal-cli would not take it for a request."""


def _answer(gateway: Gateway, value: Any) -> _Answer:
    """Never raises because of what the caller sent."""
    if not isinstance(value, dict):
        return _invalid("invalid request" if value == [] else f"unexpected type: {_type(value)}")
    if "result" in value or "error" in value:
        return _Answer(None)  # it is a response, and signal-cli is not waiting for any
    request_id = value.get("id", _NO_ID)
    try:
        call = _call(value)
    except _NotARequest as why:
        answerable = request_id is not _NO_ID and not isinstance(request_id, (dict, list))
        return _invalid(str(why), request_id if answerable else None)
    answer = _asked(gateway, call, None if request_id is _NO_ID else request_id)
    return answer if request_id is not _NO_ID or answer.lost else _Answer(None)


def _call(value: Mapping[str, Any]) -> Call:
    """The call that a request asks for. Raises _NotARequest, checked in signal-cli's order."""
    for key in value:
        if key not in _KNOWN_KEYS:
            raise _NotARequest(f'Unrecognized field "{key}", not marked as ignorable')
    method, params = value.get("method"), value.get("params")
    if isinstance(value.get("id"), (dict, list)):
        raise _NotARequest("Problem deserializing property 'id'")
    if not isinstance(params, (dict, list, type(None))):
        raise _NotARequest("Problem deserializing property 'params'")
    if value.get("jsonrpc") != "2.0":
        raise _NotARequest("only jsonrpc version 2.0 is supported")
    if method is None:
        raise _NotARequest("method field must be set")
    name = method if isinstance(method, str) else json.dumps(method)
    return Call(
        name,
        params,
        repeatable=_ONLY_READS.fullmatch(name) is not None,
        timeout_seconds=_SLOW.get(name),
    )


def _asked(gateway: Gateway, call: Call, request_id: Any) -> _Answer:
    if call.method in _OURS:
        why = {"reason": f"The bridge receives for all accounts; read GET {ROOT}events"}
        return _failed(request_id, _NO_METHOD, "Method not implemented", why)
    if _is_too_much(call.params):
        return _failed(request_id, _INTERNAL_ERROR, "An internal server error has occurred.")
    try:
        return _passed_on(request_id, gateway.answer(call))
    except DaemonError as error:
        return _failed(request_id, _NO_DAEMON, str(error), _details(error), lost=error)


def _passed_on(request_id: Any, reply: Reply) -> _Answer:
    said = {"result": reply.result} if reply.error is None else {"error": reply.error}
    return _Answer({"jsonrpc": "2.0", **said, "id": request_id})


def _is_too_much(params: Any) -> bool:
    """Whether signal-cli would end the connection, which all calls share, over them."""
    try:
        size = len(orjson.dumps(params))
    except TypeError:  # nested too deep, or a number of too many digits
        return True
    return size > _LONGEST_STRING and _has_long_string(params)


def _has_long_string(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _LONGEST_STRING
    if isinstance(value, dict):
        return any(map(_has_long_string, (*value, *value.values())))
    return isinstance(value, list) and any(map(_has_long_string, value))


def _invalid(message: str, request_id: Any = None) -> _Answer:
    return _failed(request_id, _INVALID_REQUEST, message)


def _failed(
    request_id: Any, code: int, message: str, data: Any = None, lost: DaemonError | None = None
) -> _Answer:
    error = {"code": code, "message": message, "data": data}
    return _Answer({"jsonrpc": "2.0", "error": error, "id": request_id}, lost)


def _details(error: DaemonError) -> dict[str, Any]:
    """What every error of the bridge says of itself (problems.py)."""
    return {
        "code": error.code,
        "retryable": error.retryable,
        "outcome": "unknown" if error.request_written else "not_sent",
    }


def _type(value: Any) -> str:
    """The name of a JSON type, as signal-cli calls it."""
    if isinstance(value, (str, list)):
        return "STRING" if isinstance(value, str) else "ARRAY"
    if isinstance(value, bool):
        return "BOOLEAN"
    return "NULL" if value is None else "NUMBER"


# -- many requests, and what becomes of them -------------------------------------------------------


def _batch(gateway: Gateway, values: list[Any]) -> list[_Answer]:
    """All of them, several at once as in signal-cli; the answers in the order of the requests."""
    with ThreadPoolExecutor(_BATCH_AT_ONCE, thread_name_prefix="raw-batch") as pool:
        return list(pool.map(partial(_answer, gateway), values))


def _batch_response(answers: list[_Answer]) -> Response:
    """An array of replies. It fails as a whole only when signal-cli answered to none of them."""
    lost = [answer.lost for answer in answers if answer.lost]
    replies = [answer.reply for answer in answers if answer.reply is not None]
    return _json(replies or None, lost[0] if len(lost) == len(answers) else None)


def _response(answer: _Answer) -> Response:
    return _json(answer.reply, answer.lost)


def _json(value: Any, lost: DaemonError | None) -> Response:
    if value is None:
        return Response(status=201)
    response = Response(_encoded(value), content_type="application/json")
    if lost is not None:
        response.status_code = status_of(lost)
    if isinstance(lost, DaemonUnavailable):
        response.headers["Retry-After"] = str(lost.retry_after_seconds)
    return response


def _encoded(value: Any) -> bytes:
    """An id may be a number of any size, which is beyond orjson."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
