"""Reading a request as the peer reads it: path, query, JSON body (rest-surface.rst 1.2 to 1.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import ClientDisconnected

from signal_bridge.errors import (
    BodyTooLarge,
    ClientGone,
    RequestError,
    TooMuchJson,
    UnreadableBody,
)
from signal_bridge.gunicorn_parts import UNREADABLE_TRAILER
from signal_bridge.jsonlimits import Excess, Limits, Scanner, excess
from signal_bridge.signalcli import addresses
from signal_bridge.spool.longstrings import LONG_STRING_BYTES, LongStringFilter, whole_text
from signal_bridge.spool.pile import Pile
from signal_bridge.web.edge.charsets import NotInCharsetError, utf8_chunks
from signal_bridge.web.edge.context import spool
from signal_bridge.web.edge.jsontext import (
    DECODER,
    MORE_FOLLOWS,
    Mistake,
    end_of_space,
    mistake,
    place_after,
)
from signal_bridge.web.edge.largebodies import into_memory
from signal_bridge.web.schemas.base import BodySchema, wrong_fields

MALFORMED_NUMBER: Final = "Couldn't process request - malformed number"
NUMBER_MISSING: Final = "Couldn't process request - number missing"
INVALID_BODY: Final = "Couldn't process request - invalid request"

LIMITS: Final = Limits()
"""Of every JSON that is read: a thousand times what the largest useful request has."""

MOST_TEXT_BYTES: Final = 4 * 2**20
"""The most of a request that is held in memory, its short strings and those that are no file.

It is also the most that one call tells signal-cli. A character beyond Latin-1 makes a text of
Python two or four times as large, and some copies of it are made.
"""

WholeBefore = Callable[[str, int], Iterable[str]]
"""What a request had before a place in the text that is read in its stead."""

# Less is not measured: in so few bytes nothing is too deep, or too long.
_SMALL_BYTES: Final = 2 * LIMITS.depth

_EMPTY: Final = "The body is empty; a JSON object belongs there"

_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_LONGEST_TIMEOUT_SECONDS: Final = 300
_READ_BYTES: Final = 256 * 1024
# What Content-Encoding says of a body that has to be unpacked. Many write a charset there.
_COMPRESSIONS: Final = frozenset(
    ("gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz")
)
_OTHER_FORMATS: Final = {
    "application/x-www-form-urlencoded": "a form (application/x-www-form-urlencoded)",
    "multipart/form-data": "a form (multipart/form-data)",
}


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
            f"Couldn't process request - {name} parameter needs to be either 'true' or 'false'",
            fields={name: "true or false belongs here"},
        )
    return text == "true"


def query_number(name: str, default: int) -> int:
    """A query parameter that is a whole number of 32 bits. Raises RequestError."""
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        raise RequestError(
            f"Couldn't process request - {name} needs to be numeric!",
            fields={name: "an integer of 32 bits belongs here"},
        )
    return int(text)


def query_timeout_seconds(default: int) -> int:
    """How long the request wants to wait: its `timeout`, 0 to 300 s. Raises RequestError."""
    return max(0, min(query_number("timeout", default), _LONGEST_TIMEOUT_SECONDS))


def read_body(schema: BodySchema) -> Any:
    """What `schema` makes of the JSON body, whatever its Content-Type says of it but the charset.

    What comes after the JSON value is ignored.

    Strings of more than 64 KiB are `LongString`s where the schema lets them, and lie in files of
    this request. Raises RequestError (INVALID_BODY), TooMuchJson, BodyTooLarge for more than 4 MiB
    beside those, TooManyParts, Busy, StoreError, UnreadableBody, ClientGone, or
    Werkzeug's RequestEntityTooLarge for more than the settings allow.
    """
    return _Json(INVALID_BODY).read(schema)


def read_strict_body(schema: BodySchema) -> Any:
    """The JSON body of register, verify and unregister: may be empty, or one value and no more.

    Raises what `read_body` raises (INVALID_BODY and a full stop).
    """
    complaint = f"{INVALID_BODY}."
    if request.content_length == 0 or (request.content_length is None and not request.stream):
        return _load(schema, None, complaint)
    try:
        return _Json(complaint, trailing_allowed=False).read(schema)
    except EmptyBody:
        return _load(schema, None, complaint)


def json_up_to(most_bytes: int) -> Any:
    """The first JSON value of a body that is held in memory; what comes after it is ignored.

    Raises EmptyBody for nothing but white space, RequestError, whose `detail` says where it is no
    JSON, BodyTooLarge, and what `read_body` raises.
    """
    if (request.content_length or 0) > most_bytes:
        raise BodyTooLarge(most_bytes)
    return _Json(INVALID_BODY).up_to(most_bytes)


def json_of(text: str) -> Any:
    """The JSON value that a text is. Raises ValueError, RecursionError or TooMuchJson."""
    _check_size(text.encode(errors="replace"), INVALID_BODY)
    value = DECODER.decode(text)
    return _without_lone_surrogates(value) if "\\u" in text else value


def check_encoding() -> None:
    """Raises UnreadableBody for a compressed body. A word that names no compression is passed."""
    coding = request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in _COMPRESSIONS:
        raise UnreadableBody(
            f"The body is compressed ({coding}); send it as it is, without Content-Encoding"
        )


def read_from_client(stream: IO[bytes]) -> bytes:
    """The next bytes of the body, b"" at its end.

    Raises ClientGone when they do not come.
    """
    try:
        return stream.read(_READ_BYTES)
    except (OSError, ClientDisconnected, UNREADABLE_TRAILER) as error:
        raise ClientGone("The request's body ended before it was complete") from error


class EmptyBody(RequestError):
    """There is no body at all."""


def _load(schema: BodySchema, value: Any, complaint: str) -> Any:
    try:
        return schema.read(value)
    except ValidationError as error:
        raise RequestError(complaint, fields=wrong_fields(error)) from None


@dataclass(frozen=True)
class _Json:
    """How a JSON body is read: what is said first of one that cannot be, and what may follow."""

    complaint: str
    trailing_allowed: bool = True

    def read(self, schema: BodySchema) -> Any:
        """What `schema` makes of the body of this request."""
        if _is_short():
            return _load(schema, self._value_of(b"".join(_body_chunks())), self.complaint)
        scanner = Scanner(LIMITS)
        with closing(LongStringFilter(_new_file, MOST_TEXT_BYTES, into_memory)) as strings:
            for chunk in self._measured(scanner):
                strings.feed(chunk)
            short = strings.finish()
            with into_memory(short.size_bytes, scanner.structure_bytes):
                value = self._parse(short.whole(), strings.whole_before)
                return _load(schema, strings.restore(value), self.complaint)

    def up_to(self, most_bytes: int) -> Any:
        """The value of a body of this request that has no more than that."""
        if _is_short():
            return self._value_of(self._not_blank(b"".join(_body_chunks())))
        scanner = Scanner(LIMITS)
        with closing(Pile(_new_file)) as body:
            for chunk in self._measured(scanner):
                body.add(chunk)
                if body.size_bytes > most_bytes:
                    raise BodyTooLarge(most_bytes)
            with into_memory(body.size_bytes, scanner.structure_bytes):
                return self._parse(self._not_blank(body.whole()), _all_before)

    def _measured(self, scanner: Scanner) -> Iterator[bytes]:
        """The body in UTF-8, up to where it is too much."""
        for chunk in self._in_utf8(_body_chunks()):
            _refuse_excess(scanner.feed(chunk), self.complaint)
            yield chunk

    def _not_blank(self, body: bytes) -> bytes:
        if not body or body.isspace():
            raise EmptyBody(self.complaint, _EMPTY)
        return body

    def _value_of(self, body: bytes) -> Any:
        """The value of a short body."""
        if body[:1] != b"{" or body[1:2] == b"\0" or _declared_charset() is not None:
            body = b"".join(self._in_utf8(iter((body,))))
        _check_size(body, self.complaint)
        return self._parse(body, _all_before)

    def _in_utf8(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from utf8_chunks(chunks, _declared_charset())
        except NotInCharsetError as error:
            raise RequestError(self.complaint, str(error)) from None

    def _parse(self, body: bytes, whole_before: WholeBefore) -> Any:
        """The value. `whole_before` gives what the request had before a place in this text."""
        if not body:
            raise EmptyBody(self.complaint, _EMPTY)
        text = body.decode(errors="replace")
        del body  # the text may be four times as large
        begin = 0 if text.startswith("{") else end_of_space(text, 0)
        try:
            value, end = DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            raise self._mistake(text, mistake(text, error), whole_before) from None
        if not self.trailing_allowed and (more := end_of_space(text, end)) < len(text):
            raise self._mistake(text, Mistake(more, MORE_FOLLOWS), whole_before)
        return _without_lone_surrogates(value) if "\\u" in text else value

    def _mistake(self, text: str, found: Mistake, whole_before: WholeBefore) -> RequestError:
        line, column = place_after(whole_before(text, found.index))
        known = _OTHER_FORMATS.get(request.mimetype)
        other = f". The body is declared as {known}, and JSON is read here" if known else ""
        return RequestError(self.complaint, f"Line {line}, column {column}: {found.belongs}{other}")


def _is_short() -> bool:
    """Whether the body says that it is so short that it may be in memory while it arrives."""
    length_bytes = request.content_length
    return length_bytes is not None and length_bytes <= LONG_STRING_BYTES


def _all_before(text: str, index: int) -> Iterable[str]:
    return (text[:index],)


def _check_size(body: bytes, complaint: str) -> None:
    """Raises RequestError or TooMuchJson. Of a small one Python can make nothing large."""
    if len(body) > _SMALL_BYTES:
        _refuse_excess(excess(body, LIMITS), complaint)


def _refuse_excess(found: Excess | None, complaint: str) -> None:
    if found is not None:
        raise (TooMuchJson if found.is_too_much else RequestError)(complaint, str(found))


def _new_file() -> tuple[Path, IO[bytes]]:
    return spool().open_new("body")


def _declared_charset() -> str | None:
    return request.mimetype_params.get("charset")


def _body_chunks() -> Iterator[bytes]:
    check_encoding()
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
