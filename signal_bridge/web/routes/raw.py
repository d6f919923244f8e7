"""signal-cli's own HTTP dialect, so that what was written for its daemon works unchanged.

    GET  /api/v1/check     200 while the bridge answers
    POST /api/v1/rpc       JSON-RPC 2.0: one request, or a batch
    GET  /api/v1/events    what the accounts receive, as server-sent events

Served in the json-rpc modes and the sandbox. Requests go to the daemon as they are, and its
answers come back as they are, under the caller's id. The bridge answers by itself only what is
no request, in signal-cli's words (signal-cli.rst 1.3, 1.4, 1.11), and what would take the
feed away from it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from flask import Response, request
from flask.typing import ResponseReturnValue

from signal_bridge.clock import Deadline
from signal_bridge.errors import (
    AccountNotLoaded,
    BodyTooLarge,
    Busy,
    CallTimedOut,
    ClientGone,
    DaemonError,
    DaemonUnavailable,
    Refused,
    RequestError,
    TooManyParts,
    TooMuchJson,
)
from signal_bridge.feed.account_book import UNLINKED
from signal_bridge.feed.filters import EVERY_ACCOUNT, Filter
from signal_bridge.feed.formats import frame
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.rpc.requests import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Invalid,
    Request,
    encode,
    error_object,
    error_reply,
    is_batch,
    read_request,
    result_reply,
)
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.linker import Linker
from signal_bridge.signalcli import accounts, addresses
from signal_bridge.signalcli.call import Call
from signal_bridge.web.edge.context import bridge, client
from signal_bridge.web.edge.inputs import MOST_TEXT_BYTES, EmptyBody, json_up_to
from signal_bridge.web.edge.problems import RAW_ROOT, shortened, status_of
from signal_bridge.web.streams import sse
from signal_bridge.web.streams.reading import live_reader

MODES: Final = ("json-rpc", "json-rpc-native", "sandbox")
ROOT: Final = RAW_ROOT

# The bridge receives, for everybody: a second receiver would take messages from the first.
# In signal-cli's words: it receives already, and to subscribe takes a connection that stays.
_OURS: Final = {
    "receive": (
        -1,  # a user's error (signal-cli.rst 2.2)
        "Receive command cannot be used if messages are already being received.",
    ),
    **dict.fromkeys(
        (
            "subscribeReceive",
            "unsubscribeReceive",
            "subscribeCallEvents",
            "unsubscribeCallEvents",
        ),
        (METHOD_NOT_FOUND, "Method not implemented"),
    ),
}
# They are about all accounts, or about one that is to be (signal-cli.rst 1.6).
_OF_NO_ACCOUNT: Final = frozenset(
    (
        "version",
        "listAccounts",
        "startLink",
        "finishLink",
        "register",
        "verify",
        "deleteLocalAccountData",
    )
)
_LINKING: Final = {
    "startLink": accounts.START_LINK_SECONDS,
    "finishLink": accounts.FINISH_LINK_SECONDS,
}
_ONLY_READS: Final = re.compile("(list|get)[A-Z].*|version")

# Reserved by JSON-RPC for servers, never used by signal-cli: it was not asked, or was lost.
_NO_DAEMON: Final = -32000

# It is held in memory, some times over. Larger files go by /v2/send, or by their path.
_LARGEST_BODY: Final = MOST_TEXT_BYTES
# Of one batch.
_MOST_CALLS: Final = 100
_BATCH_AT_ONCE: Final = 8
_NOT_BEGUN: Final = "the requests of the batch before this one took too long"
# Beside the thread that each batch has anyway.
_HELPERS: Final = 16


def check() -> ResponseReturnValue:
    """200 without a body: this server speaks signal-cli's HTTP dialect."""
    return "", 200


def rpc() -> ResponseReturnValue:
    """A JSON-RPC 2.0 request, or a batch of them, for signal-cli.

    200 with the reply, errors of signal-cli's included; 201 when there is none to give
    (notifications); 413 above 4 MiB, and for a batch of more than 100 requests; 415 unless
    `Content-Type` begins with `application/json`. When signal-cli cannot be asked or is lost: 503,
    502 or 504, with a JSON-RPC error (-32000) all the same, which is also that of a batch's
    requests that have not begun when one call could have timed out. With it 429 or 503, too, when
    as many devices are being linked as may be.
    """
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        return "", 415
    try:
        value = json_up_to(_LARGEST_BODY)
    except EmptyBody:
        return _response(_refusal(None, INVALID_REQUEST, "unexpected type: MISSING"))
    except (BodyTooLarge, TooMuchJson, ClientGone):
        raise
    except RequestError as error:
        why = f"The request is not JSON: {error.detail or error}"
        return _response(_refusal(None, PARSE_ERROR, why))
    if not is_batch(value):
        return _response(_dialect().answer(value))
    if len(value) > _MOST_CALLS:
        raise TooManyParts(_MOST_CALLS, "The batch has more requests")
    return _batch_response(_Batch(_dialect(), value).answers())


def events() -> ResponseReturnValue:
    """What `account` (default: every account) receives from now on, as server-sent events.

    `event:receive`, `data:{"envelope":…,"account":…}` and, beyond signal-cli, `id:`; a client
    that comes back with `Last-Event-ID` gets what it missed. 400 for an unknown account.
    """
    account = addresses.account(request.args.get("account", ""))
    if account and not _is_known(account):
        raise RequestError(f"There is no account {account}")
    return sse.stream(live_reader(Filter(account or EVERY_ACCOUNT)), "receive", frame)


def _dialect() -> _Dialect:
    settings = bridge().settings
    begin_by = Deadline(settings.call_timeout_seconds)
    return _Dialect(
        bridge().gateway, bridge().links.linker, client(), settings.default_account, begin_by
    )


def _is_known(account: str) -> bool:
    """Known from earlier, or else to signal-cli by now."""
    if any(each.number == account and each.state != UNLINKED for each in bridge().accounts.all()):
        return True
    try:
        listed = bridge().gateway.run(accounts.list_accounts())
    except Refused as error:
        if error.rpc_code != METHOD_NOT_FOUND:
            raise
        return True  # it was started for one account, and does not say for which
    return account in accounts.account_numbers(listed)


# -- one request -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """The `reply` to one request, None when it wants none; `lost` says why signal-cli gave none."""

    reply: Mapping[str, Any] | None
    lost: DaemonError | Busy | None = None


@dataclass(frozen=True)
class _Dialect:
    """Whom requests go to, whose they are, the account of those that name none, and until when
    they begin."""

    gateway: Gateway
    linker: Linker
    client: str
    default_account: str | None
    begin_by: Deadline

    def answer(self, value: Any) -> _Answer:
        """Never raises because of what the caller sent."""
        found = read_request(value)
        if found is None:
            return _Answer(None)
        if isinstance(found, Invalid):
            return _refusal(found.id, INVALID_REQUEST, found.why)
        if found.wants_reply:
            return self._ask(found, found.id)
        answer = self._ask(found, None)
        return answer if answer.lost else _Answer(None)

    def _ask(self, asked: Request, request_id: Any) -> _Answer:
        if asked.method in _OURS:
            why = {"reason": f"The bridge receives for all accounts; read GET {ROOT}events"}
            return _refusal(request_id, *_OURS[asked.method], why)
        call = self._call(asked)
        try:
            if self.begin_by.expired():
                raise CallTimedOut(_NOT_BEGUN, request_written=False)
            return _Answer(_reply(request_id, self._answer(call)))
        except AccountNotLoaded as error:
            # Its own words, which clients know; what is so stands in `data`.
            details = {**_details(error), "reason": str(error)}
            words = "Specified account does not exist"
            return _refusal(request_id, INVALID_PARAMS, words, details)
        except (DaemonError, Busy) as error:
            return _refusal(request_id, _NO_DAEMON, str(error), _details(error), lost=error)
        except RequestError as error:  # more than the gateway lets through
            return _refusal(request_id, INVALID_PARAMS, str(error), error.detail or None)

    def _answer(self, call: Call) -> Reply:
        """signal-cli's. A link counts as all links do, whoever waits for its phone."""
        if call.method not in _LINKING:
            return self.gateway.answer(call)
        with self.linker.place(self.client) as place:
            reply = self.gateway.answer(call)
            if call.method == "startLink" and reply.error is None:
                self.linker.leave_open(place)
            return reply

    def _call(self, asked: Request) -> Call:
        return Call(
            asked.method,
            self._params(asked),
            repeatable=_ONLY_READS.fullmatch(asked.method) is not None,
            timeout_seconds=_LINKING.get(asked.method),
        )

    def _params(self, asked: Request) -> Any:
        """Of several accounts signal-cli takes none by itself; DEFAULT_ACCOUNT says which."""
        params = {} if asked.params is None else asked.params
        if not self.default_account or asked.method in _OF_NO_ACCOUNT:
            return asked.params
        if not isinstance(params, dict) or params.get("account") is not None:
            return asked.params
        return {**params, "account": self.default_account}


def _reply(request_id: Any, said: Reply) -> dict[str, Any]:
    """What signal-cli said, under the caller's id."""
    if said.error is None:
        return result_reply(request_id, said.result)
    return error_reply(request_id, said.error)


def _refusal(
    request_id: Any,
    code: int,
    message: str,
    data: Any = None,
    lost: DaemonError | Busy | None = None,
) -> _Answer:
    return _Answer(error_reply(request_id, error_object(code, shortened(message), data)), lost)


def _details(error: DaemonError | Busy) -> dict[str, Any]:
    """What every error of the bridge says of itself (problems.py)."""
    is_sent = isinstance(error, DaemonError) and error.request_written
    return {
        "code": error.code,
        "retryable": error.retryable,
        "outcome": "unknown" if is_sent else "not_sent",
    }


# -- many requests, and what becomes of them -------------------------------------------------------


class _Batch:
    """Requests of one body, several at once as in signal-cli.

    The thread of the batch itself works on them, and those of a pool that all batches share, as
    many as are free: so no batch waits for another, and no number of batches makes more threads.
    """

    def __init__(self, dialect: _Dialect, values: list[Any]) -> None:
        self._dialect = dialect
        self._lock = Lock()  # guards _left
        self._left = iter(enumerate(values))
        self._answers = [_Answer(None)] * len(values)

    def answers(self) -> list[_Answer]:
        """In the order of the requests."""
        most_helpers = min(_BATCH_AT_ONCE, len(self._answers)) - 1
        helpers = [_helpers().submit(self._work) for _ in range(most_helpers)]
        self._work()
        for helper in helpers:
            if not helper.cancel():
                helper.result()
        return self._answers

    def _work(self) -> None:
        while (found := self._next()) is not None:
            index, value = found
            self._answers[index] = self._dialect.answer(value)

    def _next(self) -> tuple[int, Any] | None:
        with self._lock:
            return next(self._left, None)


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    """The threads that work on batches, one pool in a process; it is made after the fork."""
    return ThreadPoolExecutor(_HELPERS, thread_name_prefix="raw-batch")


def _batch_response(answers: list[_Answer]) -> Response:
    """An array of replies. It fails as a whole only when signal-cli answered to none of them."""
    lost = [answer.lost for answer in answers if answer.lost]
    replies = [answer.reply for answer in answers if answer.reply is not None]
    return _json(replies or None, lost[0] if len(lost) == len(answers) else None)


def _response(answer: _Answer) -> Response:
    return _json(answer.reply, answer.lost)


def _json(value: Any, lost: DaemonError | Busy | None) -> Response:
    if value is None:
        return Response(status=201)
    response = Response(encode(value), content_type="application/json")
    if lost is not None:
        response.status_code = status_of(lost)
    if isinstance(lost, (DaemonUnavailable, Busy)):
        response.headers["Retry-After"] = str(lost.retry_after_seconds)
    return response
