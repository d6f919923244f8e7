"""`multipart/form-data`, as browsers and `curl -F` send it: files go to disk as they arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Any, Final, NoReturn

from flask import request
from marshmallow import ValidationError
from marshmallow.exceptions import SCHEMA
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from signal_bridge.errors import BodyTooLarge, RequestError, TooManyParts
from signal_bridge.signalcli.attachments import Upload
from signal_bridge.spool.pile import Pile
from signal_bridge.web.edge.charsets import NotInCharsetError, text_of
from signal_bridge.web.edge.context import bridge, spool
from signal_bridge.web.edge.inputs import (
    INVALID_BODY,
    MOST_TEXT_BYTES,
    check_encoding,
    json_of,
    read_from_client,
)
from signal_bridge.web.edge.largebodies import into_memory
from signal_bridge.web.edge.werkzeug_parts import (
    Data,
    Epilogue,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)
from signal_bridge.web.schemas.base import BodySchema, Flag, Text, Texts, Whole, wrong_fields

# A form has a few fields; thousands of parts are an attack.
_MOST_PARTS: Final = 200
_FIELD_BYTES: Final = 1 << 20
# What stands around a boundary: a line end, two dashes, two more, and another line end.
_AROUND_BOUNDARY_BYTES: Final = 8
_FILES: Final = "attachment"
# Browsers tell the charset of a form's fields in one of this name (RFC 7578, section 4.6).
_CHARSET: Final = "_charset_"
_WHOLE: Final = re.compile("[+-]?[0-9]{1,20}")


def read_form(schema: BodySchema) -> tuple[Any, list[Upload]]:
    """What `schema` makes of the fields, and the files of all parts, which lie in the spool.

    A field has the name it has in JSON; one that repeats, or ends in `[]`, is an array; one that
    holds an object is JSON text. Raises RequestError, BodyTooLarge, TooManyParts, TooMuchJson,
    Busy, UnreadableBody, ClientGone or StoreError.
    """
    check_encoding()
    form = _Form(schema)
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or not boundary.isascii():
        _refuse("Content-Type names no boundary of its parts")
    decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=_FIELD_BYTES)
    with closing(form.data):
        try:
            for event in _events(decoder, boundary.encode()):
                form.take(event)
        except ValueError:  # Werkzeug's, of what it can make no sense of
            _refuse("The form does not consist of parts and an end as its Content-Type says")
        with into_memory(form.data.size_bytes):
            return form.body(), form.files


@dataclass
class _Field:
    """A field of a form, as it arrives: its data is what was added to those of all fields."""

    name: str
    charset: str | None
    begin: int
    size_bytes: int = 0

    def of(self, data: memoryview) -> bytes:
        """Its own data."""
        return bytes(data[self.begin : self.begin + self.size_bytes])


@dataclass
class _Form:
    """A form in the making."""

    schema: BodySchema
    files: list[Upload] = field(default_factory=list)
    data: Pile = field(default_factory=lambda: Pile(lambda: spool().open_new("fields")))
    """That of all fields."""
    _fields: list[_Field] = field(default_factory=list)
    _file: IO[bytes] | None = None
    _is_named: bool = False
    _parts: int = 0

    def take(self, event: Any) -> None:
        """The next thing that was found."""
        if isinstance(event, Data):
            self._add(event)
            return
        self._parts += isinstance(event, Field | File)
        if self._parts > _MOST_PARTS:
            raise TooManyParts(_MOST_PARTS)
        if isinstance(event, Field):
            charset = parse_options_header(event.headers.get("content-type"))[1].get("charset")
            name = (event.name or "").lower().removesuffix("[]")
            self._fields.append(_Field(name, charset, self.data.size_bytes))
        elif isinstance(event, File):
            self._is_named = bool(event.filename)
            path, self._file = spool().open_new(event.filename or "")
            self.files.append(Upload(path, event.headers.get("content-type", "")))

    def body(self) -> Any:
        """What the schema makes of the fields."""
        data = memoryview(self.data.whole())
        texts: dict[str, list[str]] = {}
        of_all = next((one.of(data) for one in self._fields if one.name == _CHARSET), b"")
        usual = of_all.decode("ascii", "replace") or request.mimetype_params.get("charset")
        try:
            for one in self._fields:
                texts.setdefault(one.name, []).append(self._text_of(one, data, usual))
            return self.schema.read(
                {name: _value_of(self.schema, name, found) for name, found in texts.items()}
            )
        except ValidationError as error:
            raise RequestError(INVALID_BODY, fields=wrong_fields(error)) from None

    def _add(self, data: Data) -> None:
        if self._file is not None:
            self._file.write(data.data)
            if not data.more_data:
                self._end_file(self._file)
            return
        target = self._fields[-1]
        target.size_bytes += len(data.data)
        if target.size_bytes > _FIELD_BYTES:
            is_known = target.name in self.schema.fields
            name = f"The form's field {target.name}" if is_known else "A field of the form"
            raise BodyTooLarge(_FIELD_BYTES, name)
        self.data.add(data.data)
        if self.data.size_bytes > MOST_TEXT_BYTES:
            raise BodyTooLarge(MOST_TEXT_BYTES, "What the fields of the form hold together")

    def _end_file(self, file: IO[bytes]) -> None:
        if not self._is_named and not file.tell():  # a browser's, where nobody chose a file
            self.files.pop()
        file.close()
        self._file = None

    def _text_of(self, one: _Field, data: memoryview, usual: str | None) -> str:
        """Its text, in the charset of the part, or the usual one of all or of the whole form."""
        charset = None if one.name == _CHARSET else one.charset or usual
        try:
            return text_of(one.of(data), charset)
        except NotInCharsetError as error:
            is_known = one.name in self.schema.fields  # any other may be a secret
            raise ValidationError(str(error), one.name if is_known else SCHEMA) from None


def _events(decoder: MultipartDecoder, boundary: bytes) -> Iterator[Any]:
    """What the form consists of, as it arrives."""
    for data in _pieces(len(boundary)):
        try:
            decoder.receive_data(data)
        except RequestEntityTooLarge:  # nothing but the head of a part is kept until it is whole
            raise BodyTooLarge(_FIELD_BYTES, "The head of a part of the form") from None
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            yield event


def _pieces(boundary_bytes: int) -> Iterator[bytes | None]:
    """The form's bytes, and None. No piece ends within a boundary.

    Werkzeug takes the line end before one for data when a piece ends with it and a single dash.
    """
    reach = boundary_bytes + _AROUND_BOUNDARY_BYTES
    held = b""
    while data := _next_bytes():
        data = held + data
        line_end = max(data.rfind(b"\r", -reach), data.rfind(b"\n", -reach))
        cut = len(data) if line_end < 0 else line_end
        held = data[cut:]
        yield data[:cut]
    yield held
    yield None


def _next_bytes() -> bytes:
    try:
        return read_from_client(request.stream)
    except RequestEntityTooLarge:
        raise BodyTooLarge(bridge().settings.max_body_bytes) from None


def _value_of(schema: BodySchema, name: str, texts: list[str]) -> Any:
    """A form knows only texts; the schema knows what each was meant to be.

    Raises ValidationError.
    """
    if name == _FILES:
        raise ValidationError("a file belongs here, in a part that has a filename", name)
    kind = schema.fields.get(name)
    if isinstance(kind, Texts):
        return texts
    text = texts[-1]
    if kind is None or isinstance(kind, Text):
        return text
    if isinstance(kind, Whole):
        return int(text) if _WHOLE.fullmatch(text) else text
    if isinstance(kind, Flag):
        return {"true": True, "false": False}.get(text, text)
    try:
        return json_of(text)
    except (ValueError, RecursionError):
        raise ValidationError("JSON text belongs here", name) from None


def _refuse(detail: str) -> NoReturn:
    raise RequestError(INVALID_BODY, detail)
