"""Files in a request, on their way into its spool: base64 text, and the pictures of avatars."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from signal_bridge.errors import BodyTooLarge, RequestError
from signal_bridge.signalcli.attachments import (
    Enclosure,
    Upload,
    avatar_extension,
    decode_avatar,
    split_attachment,
    stored_name,
)
from signal_bridge.signalcli.base64text import Base64Decoder
from signal_bridge.signalcli.sniffing import HEAD_BYTES
from signal_bridge.spool.filenames import safe_filename
from signal_bridge.spool.longstrings import LongString
from signal_bridge.spool.spool import Spool
from signal_bridge.web.edge.context import bridge, spool
from signal_bridge.web.edge.inputs import INVALID_BODY


def attachment_file(attachment: Enclosure, is_voice_note: bool = False) -> Path:
    """Where an attachment lies on the disk, put there if it came as text (rest-surface.rst 4.4).

    Raises RequestError, BodyTooLarge or StoreError.
    """
    if isinstance(attachment, Upload):
        return _named(attachment, is_voice_note)
    if isinstance(attachment, Path):
        return attachment
    # Its name and type stand before the first 64 KiB end.
    chunks = _texts(attachment)
    try:
        name, content_type, payload = split_attachment(next(chunks, ""))
        return save_base64(spool(), _encode(payload, chunks), name, content_type, is_voice_note)
    except ValueError:
        detail = "A backslash in the text of an attachment escapes nothing"
        raise RequestError(INVALID_BODY, detail) from None


def _named(upload: Upload, is_voice_note: bool) -> Path:
    """A file of a form, under a name that tells its type. It has its directory for itself."""
    limit_bytes = bridge().settings.max_attachment_bytes
    if upload.path.stat().st_size > limit_bytes:
        raise BodyTooLarge(limit_bytes, "A file of the request")
    with upload.path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    name = stored_name(upload.path.name, head, upload.content_type, is_voice_note)
    return upload.path.rename(upload.path.with_name(safe_filename(name)))


def avatar_file(avatar: Enclosure) -> Path:
    """Where the picture in `base64_avatar`, plain base64 without a name, lies on the disk.

    Raises RequestError, BodyTooLarge or StoreError.
    """
    if not isinstance(avatar, str):  # it lies there
        return avatar.path if isinstance(avatar, Upload) else avatar
    chunks = _texts(avatar)
    picture = decode_avatar(_encode(next(chunks, ""), chunks))
    try:
        head = _head(picture)
        # signal-cli tells its kind by the extension.
        name = f"{uuid.uuid4()}{avatar_extension(head[:HEAD_BYTES])}"
        return spool().write(name, _chain(head, picture))
    except ValueError:
        detail = "A backslash in the text of an avatar escapes nothing"
        raise RequestError(INVALID_BODY, detail) from None


def save_base64(
    spool: Spool,
    chunks: Iterable[bytes],
    name: str = "",
    content_type: str = "",
    is_voice_note: bool = False,
) -> Path:
    """Decode base64 text to a file of that name, or of one by what it holds (`stored_name`).

    Raises RequestError when the text is not base64 or holds nothing, or is no sound and should be;
    BodyTooLarge or StoreError.
    """
    data = _decode(chunks)
    head = _head(data)
    if not head:
        raise RequestError("The base64 data does not exist.")
    safe = safe_filename(name) if name else ""
    stored = stored_name(safe, head[:HEAD_BYTES], content_type, is_voice_note)
    return spool.write(stored if name else f"{uuid.uuid4()}{stored}", _chain(head, data))


def _texts(text: str) -> Iterator[str]:
    """It in pieces."""
    return text.chunks() if isinstance(text, LongString) else iter((text,))


def _encode(first: str, rest: Iterator[str]) -> Iterator[bytes]:
    yield first.encode(errors="replace")
    for chunk in rest:
        yield chunk.encode(errors="replace")


def _decode(chunks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = Base64Decoder()
    for chunk in chunks:
        yield decoder.feed(chunk)
    yield decoder.finish()


def _head(data: Iterator[bytes]) -> bytes:
    """Enough of the beginning to tell what it is."""
    head = b""
    for part in data:
        head += part
        if len(head) >= HEAD_BYTES:
            break
    return head


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
