"""Attachments as texts of a request (rest-surface.rst 4.4), and signal-cli's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.base64text import decode_base64
from signal_bridge.signalcli.sniffing import sniff

Enclosure = str | Path
"""A file that goes to signal-cli: its base64 text as a request brought it, or its path."""

_BASE64: Final = "base64,"
_FILENAME: Final = "filename="

# The peer knows an avatar by a table of media types; these two are not in it.
_NO_AVATARS: Final = frozenset([".svg", ".avif"])
_MEDIA: Final = ("image/", "video/", "audio/")


def split_attachment(text: str) -> tuple[str | None, str]:
    """The file name, if one is given, and the base64 payload of an attachment string.

    `data:<type>;filename=<name>;base64,<payload>`, parameters in any order, or the payload
    alone. Nothing is percent-decoded, and the content type means nothing. Raises `RequestError`
    (`The base64 data does not exist.`).
    """
    head, mark, payload = text.rpartition(_BASE64) if "data:" in text else ("", "", "")
    if not mark:
        head, payload = "", text
    if not payload:
        raise RequestError("The base64 data does not exist.")
    # The last character of the head is the semicolon before `base64,`.
    names = [item for item in head[:-1].split(";") if item.startswith(_FILENAME)]
    return (names[-1].removeprefix(_FILENAME) or None if names else None), payload


def decode_avatar(text: str) -> bytes:
    """The picture in `base64_avatar`: plain base64, no data URI (rest-surface.rst 5.4).

    Raises `RequestError` (`Couldn't decode base64 encoded avatar: …`, `Empty buffer`).
    """
    try:
        picture = decode_base64(text)
    except RequestError as error:
        raise RequestError(f"Couldn't decode base64 encoded avatar: {error}") from None
    if not picture:
        raise RequestError("Empty buffer")
    return picture


def avatar_extension(head: bytes) -> str:
    """The extension to store an avatar under: `.png`, …, or `.unknown`."""
    found = sniff(head)
    known = found.content_type.startswith(_MEDIA) and found.extension not in _NO_AVATARS
    return found.extension if known else ".unknown"


def avatar(result: Any) -> bytes:
    """The picture that getAvatar answers, of a group or a contact, as `{"data": base64}`.

    Raises `RequestError`; the peer speaks of a group's avatar in either case
    (rest-surface.rst 5.4).
    """
    data = results.text(results.as_row(result), "data")
    try:
        return decode_base64(data)
    except RequestError as error:
        raise RequestError(f"Couldn't decode base64 encoded group avatar: {error}") from None
