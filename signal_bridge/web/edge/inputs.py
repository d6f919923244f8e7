"""Reading a request as the peer reads it: path, query, JSON body (rest-surface.rst 1.2 to 1.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final
from urllib.parse import unquote

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import ClientDisconnected

from signal_bridge.errors import BodyTooLarge, ClientGone, RequestError
from signal_bridge.signalcli import addresses
from signal_bridge.spool.longstrings import LONG_STRING_BYTES, LongStringFilter, whole_text
from signal_bridge.web.edge.context import spool
from signal_bridge.web.schemas.base import BodySchema

MALFORMED_NUMBER: Final = "Couldn't process request - malformed number"
NUMBER_MISSING: Final = "Couldn't process request - number missing"
INVALID_BODY: Final = "Couldn't process request - invalid request"

_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_JSON_SPACE: Final = " \t\r\n"
_LONGEST_TIMEOUT_SECONDS: Final = 300
_READ_BYTES: Final = 256 * 1024


def account_number(text: str) -> str:
    """The account in a path, in signal-cli's spelling (rest-surface.rst 3.3).

    It is percent-decoded once more (rest-surface.rst C21); `+` stays a plus. Raises RequestError.
    """
    return addresses.account(_decoded_twice(text))


def number_to_register(text: str) -> str:
    """The number in a path of which an account is to be made; may be empty. Raises RequestError."""
    return addresses.number_to_register(_decoded_twice(text))


def required_number(text: str) -> str:
    """`account_number`, and it must not be empty. Raises RequestError."""
    number = account_number(text)
    if not number:
        raise RequestError(NUMBER_MISSING)
    return number


def _decoded_twice(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise RequestError(MALFORMED_NUMBER)
    return unquote(text)


def query_flag(name: str) -> bool:
    """A query parameter that is `true` or `false`; false when it is absent.

    Raises RequestError, also for one that is there and empty.
    """
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise RequestError(
            f"Couldn't process request - {name} parameter needs to be either 'true' or 'false'"
        )
    return text == "true"


def query_number(name: str, default: int) -> int:
    """A query parameter that is a whole number of 32 bits. Raises RequestError."""
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        raise RequestError(f"Couldn't process request - {name} needs to be numeric!")
    return int(text)


def query_timeout_seconds(default: int) -> int:
    """How long the request wants to wait: its `timeout`, 0 to 300 s. Raises RequestError."""
    return max(0, min(query_number("timeout", default), _LONGEST_TIMEOUT_SECONDS))


def read_body(schema: BodySchema) -> Any:
    """What `schema` makes of the JSON body, whatever its Content-Type says.

    What comes after the JSON value is ignored.

    Strings of more than 64 KiB are `LongString`s where the schema lets them, and lie in files of
    this request. Raises RequestError (INVALID_BODY), StoreError, or what `whole_body` raises.
    """
    return _load(schema, _parse_json(trailing_allowed=True), INVALID_BODY)


def read_strict_body(schema: BodySchema) -> Any:
    """The JSON body of register, verify and unregister: may be empty, or one value and no more.

    Raises RequestError (INVALID_BODY and a full stop).
    """
    if request.content_length == 0 or (request.content_length is None and not request.stream):
        return _load(schema, None, INVALID_BODY)
    try:
        value = _parse_json(trailing_allowed=False)
    except _EmptyBodyError:
        value = None
    except RequestError as error:
        raise RequestError(f"{error}.") from None
    return _load(schema, value, f"{INVALID_BODY}.")


def whole_body() -> bytes:
    """The body as it is, in memory.

    Raises ClientGone, or Werkzeug's RequestEntityTooLarge for more than the settings allow.
    """
    return b"".join(_body_chunks())


def body_up_to(limit_bytes: int) -> bytes:
    """As `whole_body`, of which no more than that is read. Raises BodyTooLarge as well."""
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    body = bytearray()
    for chunk in _body_chunks():
        body += chunk
        if len(body) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
    return bytes(body)


def json_value(body: bytes) -> Any:
    """The first JSON value of a body; what comes after it is ignored. Raises RequestError."""
    return _value_of(body, trailing_allowed=True)


class _EmptyBodyError(RequestError):
    """There is no body at all."""


def _load(schema: BodySchema, value: Any, complaint: str) -> Any:
    try:
        return schema.read(value)
    except ValidationError:
        raise RequestError(complaint) from None


def _parse_json(trailing_allowed: bool) -> Any:
    length_bytes = request.content_length
    if length_bytes is not None and length_bytes <= LONG_STRING_BYTES:
        return _value_of(whole_body(), trailing_allowed)
    long_strings = LongStringFilter(lambda: spool().open_new("long-string"))
    try:
        for chunk in _body_chunks():
            long_strings.feed(chunk)
        return long_strings.restore(_value_of(long_strings.finish(), trailing_allowed))
    finally:
        long_strings.close()


def _value_of(body: bytes, trailing_allowed: bool) -> Any:
    if not body:
        raise _EmptyBodyError(INVALID_BODY)
    text = body.decode(errors="replace")
    value = _first_value(text, trailing_allowed)
    try:
        return _without_lone_surrogates(value) if "\\u" in text else value
    except RecursionError:  # nested deeper than anything that is meant
        raise RequestError(INVALID_BODY) from None


def read_from_client(stream: IO[bytes]) -> bytes:
    """The next bytes of the body, b"" at its end.

    Raises ClientGone when they do not come.
    """
    try:
        return stream.read(_READ_BYTES)
    except (OSError, ClientDisconnected) as error:
        raise ClientGone("The request's body ended before it was complete") from error


def _first_value(text: str, trailing_allowed: bool) -> Any:
    begin = len(text) - len(text.lstrip(_JSON_SPACE))
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except (ValueError, RecursionError):
        raise RequestError(INVALID_BODY) from None
    if not trailing_allowed and text[end:].strip(_JSON_SPACE):
        raise RequestError(INVALID_BODY)
    return value


def _body_chunks() -> Iterator[bytes]:
    while chunk := read_from_client(request.stream):
        yield chunk


def _without_lone_surrogates(value: Any) -> Any:
    """Half of a pair is not text; it becomes U+FFFD (rest-surface.rst 1.4)."""
    if isinstance(value, str):
        return value if value.isascii() else whole_text(value)
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_lone_surrogates(item) for key, item in value.items()}
    return value


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
