"""Answers of the worker itself, to what no view sees: as every failure, in JSON."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    UnsupportedTransferCoding,
)

from signal_bridge.serving.heads import HEAD_LIMIT_BYTES, LINE_LIMIT_BYTES, Fault

_RETRY_AFTER_SECONDS: Final = 5


class Refusal(NamedTuple):
    """`status`, the word `code`, and a sentence; whether trying again can help."""

    status: HTTPStatus
    code: str
    sentence: str
    retryable: bool = False

    def answer(self, request_id: str) -> bytes:
        """The whole answer, after which the connection ends."""
        problem = {
            "error": self.sentence,
            "code": self.code,
            "retryable": self.retryable,
            "request_id": request_id,
        }
        body = json.dumps(problem, separators=(",", ":"))
        retry = f"Retry-After: {_RETRY_AFTER_SECONDS}\r\n" if self.retryable else ""
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\nConnection: close\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n{retry}X-Request-ID: {request_id}\r\n\r\n"
        )
        return (head + body).encode()


def new_request_id() -> str:
    """A name for a request that brought none we can read."""
    return secrets.token_hex(8)


BAD_HEAD: Final = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_head", "The head of the request is no HTTP/1.1"
)
_LONG_LINE: Final = Refusal(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "head_too_large",
    f"The request's first line is longer than {LINE_LIMIT_BYTES} bytes",
)
_LONG_HEAD: Final = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    f"The head of the request is longer than {HEAD_LIMIT_BYTES} bytes",
)
LATE_HEAD: Final = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "incomplete_request",
    "The head of the request did not come to its end in 10 seconds",
    retryable=True,
)
SLOW_BODY: Final = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "incomplete_request",
    "The request's body came too slowly, or ended before it was complete",
    retryable=True,
)
TOO_BUSY: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_busy",
    "Too many requests are being answered; try again later",
    retryable=True,
)
TOO_MANY: Final = Refusal(
    HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_requests",
    "Too many requests of this client are being answered; try again later",
    retryable=True,
)

OF_FAULTS: Final = {
    Fault.NOT_HTTP: BAD_HEAD,
    Fault.LINE_TOO_LONG: _LONG_LINE,
    Fault.HEAD_TOO_LONG: _LONG_HEAD,
}


def of_parser(error: BaseException, cfg: Any) -> Refusal:
    """What Gunicorn's parser finds wrong with a head, by the limit that was broken."""
    if isinstance(error, LimitRequestLine):
        return _LONG_LINE
    if isinstance(error, LimitRequestHeaders):
        limit = (
            f"The request has more than {cfg.limit_request_fields} header fields,"
            f" or one of more than {cfg.limit_request_field_size} bytes"
        )
        return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", limit)
    if isinstance(error, UnsupportedTransferCoding):
        sentence = "Of Transfer-Encodings only chunked is read"
        return Refusal(HTTPStatus.NOT_IMPLEMENTED, "bad_head", sentence)
    if isinstance(error, ExpectationFailed):
        sentence = "Nothing is known but Expect: 100-continue"
        return Refusal(HTTPStatus.EXPECTATION_FAILED, "bad_head", sentence)
    return BAD_HEAD
