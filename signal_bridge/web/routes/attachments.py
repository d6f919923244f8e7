"""Received files (rest-contract.md 5.11), straight from where signal-cli puts them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Response, send_file
from flask.typing import ResponseReturnValue

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli.filetypes import HEAD_BYTES, sniff_content_type
from signal_bridge.web.context import bridge

_LONGEST_NAME_BYTES: Final = 255


def get(attachment: str) -> ResponseReturnValue:
    """The file, byte for byte, with a Content-Type told from what it holds."""
    path = _file_named(attachment)
    with path.open("rb") as file:
        content_type = sniff_content_type(file.read(HEAD_BYTES))
    response: Response = send_file(path, mimetype=content_type, conditional=False, etag=False)
    response.headers["Content-Type"] = content_type
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _file_named(name: str) -> Path:
    """A regular file directly in the attachments directory, and nothing else (11.13).

    Raises RequestError for a name no file can have, NotFound otherwise.
    """
    if "\0" in name or len(name.encode()) > _LONGEST_NAME_BYTES:
        raise RequestError("Please provide a valid attachment name")
    path = bridge().settings.attachments_dir / name
    if "/" in name or name in (".", "..") or path.is_symlink() or not path.is_file():
        raise NotFound("No attachment with that name found")
    return path
