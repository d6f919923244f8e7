"""`multipart/form-data`, as browsers and `curl -F` send it: files go to disk as they arrive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any, Final

from flask import request
from marshmallow import ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.attachments import Upload
from signal_bridge.web.edge.context import bridge, spool
from signal_bridge.web.edge.inputs import INVALID_BODY
from signal_bridge.web.schemas.base import BodySchema, Flag, Text, Texts, Whole

# A form has a few fields; thousands of parts are an attack.
_MOST_PARTS: Final = 200
_FORM_MEMORY_BYTES: Final = 1 << 20


def read_form(schema: BodySchema) -> tuple[Any, list[Upload]]:
    """What `schema` makes of the fields, and the files of all parts, which lie in the spool.

    A field has the name it has in JSON; one that repeats, or ends in `[]`, is an array; one that
    holds an object is JSON text. Raises RequestError or StoreError.
    """
    settings = bridge().settings
    parser = FormDataParser(
        stream_factory=_file_on_disk,
        max_form_memory_size=_FORM_MEMORY_BYTES,
        max_content_length=settings.max_body_bytes,
        max_form_parts=_MOST_PARTS,
    )
    _stream, form, files = parser.parse(
        request.stream, request.mimetype, request.content_length, request.mimetype_params
    )
    raw = {name.lower().removesuffix("[]"): form.getlist(name) for name in form if name}
    try:
        body = schema.read({name: _value_of(schema, name, texts) for name, texts in raw.items()})
    except (ValidationError, ValueError):
        raise RequestError(INVALID_BODY) from None
    uploads = [_upload(file) for _name, file in files.items(multi=True) if not _is_no_file(file)]
    return body, uploads


def _is_no_file(file: FileStorage) -> bool:
    """Whether it is what a browser sends for a field in which nobody chose a file."""
    return not file.filename and not file.stream.read(1)


def _upload(file: FileStorage) -> Upload:
    """A file of the form, closed and under the name it was sent with."""
    file.close()
    return Upload(Path(file.stream.name), file.content_type or "")


def _file_on_disk(
    total_content_length: int | None,  # noqa: ARG001 - Werkzeug passes it
    content_type: str | None,  # noqa: ARG001
    filename: str | None,
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    """Werkzeug's stream factory: one file per part, named as its sender named it."""
    return spool().open_new(filename or "")[1]


def _value_of(schema: BodySchema, name: str, texts: list[str]) -> Any:
    """A form knows only texts; the schema knows what each was meant to be."""
    field = schema.fields.get(name)
    if isinstance(field, Texts):
        return texts
    text = texts[-1]
    if field is None or isinstance(field, Text):
        return text
    if isinstance(field, Whole):
        return int(text)
    if isinstance(field, Flag):
        return {"true": True, "false": False}.get(text, text)
    return json.loads(text)
