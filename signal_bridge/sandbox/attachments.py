"""Files on their way: read from a path or a data URI, and kept where signal-cli keeps them."""

from __future__ import annotations

import base64
import binascii
import errno
import mimetypes
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import unquote_plus

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.people import now_ms
from signal_bridge.signalcli.filetypes import MEDIA_TYPES, extension_of

_DATA_URI: Final = re.compile(
    r"data:(?P<type>[^;,]+)(?:;filename=(?P<name>[^;,]*))?(?:;[^;,=]+=[^;,]*)*;base64,(?P<data>.*)",
    re.DOTALL,
)
_OCTETS: Final = "application/octet-stream"
_MAGIC: Final = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF": "application/pdf",
}
_EXTENSIONS: Final = {"image/jpeg": ".jpg", "audio/aac": ".aac", "text/plain": ".txt"}


@dataclass(frozen=True)
class Attachment:
    """One file, as it is uploaded."""

    content_type: str
    filename: str | None
    data: bytes = field(repr=False)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    uploaded_ms: int = field(default_factory=now_ms)

    @property
    def id(self) -> str:
        """The name of the file below `<config>/attachments` (signal-cli.rst 3.4)."""
        return self.key + _extension(self.filename, self.content_type)

    def as_json(self) -> dict[str, Any]:
        """The entry in `attachments` of a received message (signal-cli.rst 3.4)."""
        return {
            "contentType": self.content_type,
            "filename": self.filename,
            "id": self.id,
            "size": len(self.data),
            "width": None,
            "height": None,
            "caption": None,
            "uploadTimestamp": self.uploaded_ms,
        }


class Storage:
    """`<config>/attachments`."""

    def __init__(self, config: Path) -> None:
        self._directory = config / "attachments"

    def keep(self, attachments: Iterable[Attachment]) -> None:
        """Write the files that are not there yet, under their ids. Blocks; raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in attachments:
            path = self._directory / each.id
            if not path.exists():
                path.write_bytes(each.data)

    def read(self, attachment_id: str) -> bytes:
        """The bytes of a kept file. Raises RpcError (-1) if there is none of that id. Blocks."""
        path = self._directory / re.sub(r"[^A-Za-z0-9_.-]", "_", attachment_id)
        try:
            return path.read_bytes()
        except OSError:
            text = f"Could not find attachment with ID: {attachment_id}"
            raise errors.user_error(text) from None


def load(source: str) -> Attachment:
    """Read what an attachment parameter names: a data URI, else a path (signal-cli.rst 2.5)."""
    found = _DATA_URI.fullmatch(source)
    if found is None:
        return _from_path(source)
    try:
        data = base64.b64decode(found["data"], validate=True)
    except binascii.Error:
        return _from_path(source)
    name = unquote_plus(found["name"]) if found["name"] else None
    return Attachment(found["type"], name, data)


def load_all(sources: list[str], guarded: Path | None = None) -> tuple[Attachment, ...]:
    """Read them all, or fail in the words of `send`; nothing below `guarded` is read."""
    for source in sources:
        if guarded and not source.startswith("data:"):
            _refuse_inside(guarded, source)
    try:
        return tuple(load(source) for source in sources)
    except OSError as error:
        raise errors.internal_error(f"Failed to send message: {file_problem(error)}") from None


def read_file(source: str) -> bytes:
    """The content of a file. A device or a pipe might never end, so it does not count as one."""
    path = Path(source)
    if path.exists() and not path.is_file():
        raise FileNotFoundError(errno.EINVAL, "Not a regular file", source)
    return path.read_bytes()


def file_problem(error: OSError) -> str:
    """`/x.png (No such file or directory)`"""
    return f"{error.filename} ({error.strerror})"


def _from_path(source: str) -> Attachment:
    data = read_file(source)
    name = PurePath(source).name
    kind = MEDIA_TYPES.get(extension_of(name)) or mimetypes.guess_type(name)[0] or _sniff(data)
    return Attachment(kind, name, data)


def _refuse_inside(guarded: Path, source: str) -> None:
    if Path(source).resolve().is_relative_to(guarded):
        why = "Attaching files from the signal-cli data directory is not allowed"
        raise errors.internal_error(f"Failed to send message: {source}: {why}")


def _sniff(data: bytes) -> str:
    return next((kind for start, kind in _MAGIC.items() if data.startswith(start)), _OCTETS)


def _extension(filename: str | None, content_type: str) -> str:
    suffix = PurePath(filename or "").suffix
    if re.fullmatch(r"\.[A-Za-z0-9]{1,12}", suffix):
        return suffix
    if content_type == _OCTETS:
        return ""
    return _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type) or ""
