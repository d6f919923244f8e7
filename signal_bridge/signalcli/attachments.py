"""Attachments as texts of a request (rest-surface.rst 4.4), and signal-cli's own files."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.base64text import Base64Decoder, decode_base64
from signal_bridge.signalcli.filetypes import (
    MEDIA_TYPES,
    TEXT_EXTENSIONS,
    extension_for,
    extension_of,
)
from signal_bridge.signalcli.sniffing import shows_video, sniff


@dataclasses.dataclass(frozen=True)
class Upload:
    """A file of a form, which lies on the disk under the name that its sender gave it, made safe.

    `content_type` is what the sender says of it, or empty.
    """

    path: Path
    content_type: str = ""


Enclosure = str | Upload | Path
"""A file that goes to signal-cli: its base64 text as a request brought it, one of a form, or its
path."""


class Described(NamedTuple):
    """An attachment's base64 text, and what the sender says of it: empty is nothing."""

    filename: str
    content_type: str
    payload: str


_BASE64: Final = "base64,"
_DATA: Final = "data:"
# The media type, or a name. A raw name ends before the next parameter of one of these names: it may
# have semicolons and equals signs of its own.
_ITEM: Final = re.compile(
    r"""(?:^|;)\s*(?:
        data:(?P<type>[^;]*)
      | filename(?P<extended>\*?)=
        (?: "(?P<quoted>(?:[^"\\]|\\.)*)"(?=;|\Z)
          | (?P<raw>.*?)
            (?=;\s*(?:data:|(?:filename\*?|name|charset|codecs?|boundary|profile|version|format)=)|\Z)
        ))""",
    re.DOTALL | re.VERBOSE,
)
_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
# A charset of any other name is taken for UTF-8: Python knows some that take minutes to decode, and
# keeps every name that it does not know.
_EXTENDED: Final = re.compile(
    r"(?:(iso-8859-1)|[a-z0-9_.-]*)'[^']*'(.*)", re.DOTALL | re.IGNORECASE
)

# The peer knows an avatar by a table of media types; these two are not in it.
_NO_AVATARS: Final = frozenset([".svg", ".avif"])
_MEDIA: Final = ("image/", "video/", "audio/")

# Formats in which there may be several things: what the sender says there is counts.
_MAY_BE: Final = {
    "zip": "docx dotx xlsx xltx pptx ppsx docm xlsm xlsb pptm odt ods odp odg pages numbers key"
    " pkpass kmz epub apk jar",
    "ole": "doc dot xls xlt ppt pps msg vsd msi",
    "ogx": "oga ogg opus spx ogv",
    "webm": "weba",
    "mkv": "mka webm weba",
    "mp4": "m4a m4b m4v mov 3gp 3ga",
    "m4v": "mp4",
    "3gp": "3ga mp4 m4a",
    "3g2": "3gp 3ga mp4 m4a",
    "asf": "wma wmv",
    "heif": "heic avif",
    "heic": "heif",
    "tiff": "dng",
}
# A list of addresses, and a page, are text as well; so is what a caller calls a text.
_GUESSED_TEXT: Final = frozenset(["txt", "csv"])
_KNOWN_TEXT: Final = frozenset(["json", "xml", "html"])

# The extension of a file that is said to be sound, in a format that may have pictures as well.
_SOUND_OF: Final = {
    "webm": "weba",
    "mkv": "mka",
    "mp4": "m4a",
    "3gp": "3ga",
    "3g2": "3ga",
    "ogx": "oga",
    "asf": "wma",
    "": "aac",
}

NO_VOICE_NOTE: Final = "'voice_note' can only be set for audio attachments!"


def split_attachment(text: str) -> Described:
    """The base64 payload of an attachment string, and its name and media type if it has them.

    `data:<type>;filename=<name>;base64,<payload>`, parameters in any order, or the payload alone.
    A name may be percent-encoded, quoted, or neither; then it may hold anything but what looks like
    the next parameter. Raises `RequestError` (`The base64 data does not exist.`).
    """
    head, mark, payload = text.rpartition(_BASE64) if _DATA in text else ("", "", "")
    if not mark:
        head, payload = "", text
    if not payload:
        raise RequestError("The base64 data does not exist.")
    name, content_type = "", ""
    # The last character of the head is the semicolon before `base64,`.
    for item in _ITEM.finditer(head.rstrip()[:-1]):
        if item["type"] is None:
            name = _name_in(item)
        else:
            content_type = item["type"]
    return Described(name, content_type, payload)


def stored_name(name: str, head: bytes, content_type: str, is_voice_note: bool = False) -> str:
    """The name to store a file under, of which signal-cli tells the media type by the extension.

    It is the name that the sender gave it, with an extension if it has none that is known and one
    is; an empty name has nothing else. `head` is how the file begins, `content_type` what the
    sender says it is. The name of a voice note, which nobody sees, always says that it is sound.
    Raises `RequestError` for a voice note that is certainly something else.
    """
    own = extension_of(name)
    found = _extension(head, content_type)
    if is_voice_note:
        sound = _sound(found, head, own)
        if MEDIA_TYPES.get(own) == MEDIA_TYPES[sound]:
            return name
        return f"{name[: -len(own) - 1] if own else name}.{sound}"
    is_guess = found in _GUESSED_TEXT and extension_for(content_type) != found
    if own or not found or (name and is_guess):
        return name
    return f"{name}.{found}"


def decode_avatar(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The picture in `base64_avatar`: plain base64, no data URI (rest-surface.rst 5.4).

    Raises `RequestError` (`Couldn't decode base64 encoded avatar: …`, `Empty buffer`).
    """
    decoder = Base64Decoder()
    is_empty = True
    try:
        for chunk in chunks:
            part = decoder.feed(chunk)
            is_empty = is_empty and not part
            yield part
        last = decoder.finish()
    except RequestError as error:
        raise RequestError(f"Couldn't decode base64 encoded avatar: {error}") from None
    if is_empty and not last:
        raise RequestError("Empty buffer")
    yield last


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


def _extension(head: bytes, content_type: str) -> str:
    """The extension for what a file holds, or, where that leaves it open, for what is said of it.

    Without its dot; empty when neither is known.
    """
    found = sniff(head).extension.removeprefix(".")
    said = extension_for(content_type)
    return said if said and _is_open(found, said, head) else found


def _is_open(found: str, said: str, head: bytes) -> bool:
    """Whether a file that was found to be one thing may be what its sender says it is."""
    if found in _GUESSED_TEXT:
        return said in TEXT_EXTENSIONS
    if found in _KNOWN_TEXT:
        return said in TEXT_EXTENSIONS and said != "txt"
    if found == "":
        return True
    is_sound = MEDIA_TYPES[said].startswith("audio/")
    return said in _MAY_BE.get(found, "").split() and not (is_sound and shows_video(head))


def _sound(found: str, head: bytes, own: str) -> str:
    """The extension for a voice note; `own` is that of its name."""
    if not found and MEDIA_TYPES.get(own, "").startswith("audio/"):
        return own
    sound = _SOUND_OF.get(found, found)
    if not MEDIA_TYPES[sound].startswith("audio/") or shows_video(head):
        raise RequestError(NO_VOICE_NOTE)
    return sound


def _name_in(item: re.Match[str]) -> str:
    """What a parameter `filename`, or `filename*` of RFC 8187, says."""
    value = item["raw"] or re.sub(r"\\(.)", r"\1", item["quoted"] or "", flags=re.DOTALL)
    extended = _EXTENDED.fullmatch(value) if item["extended"] else None
    if extended:
        return _without_percent(extended[2], extended[1] or "utf-8")
    return _without_percent(value, "utf-8")


def _without_percent(name: str, encoding: str) -> str:
    """The name decoded, if all of it can be: one with a percent sign of its own stays as it is."""
    if _BAD_ESCAPE.search(name):
        return name
    try:
        return unquote(name, encoding, "strict")
    except (UnicodeError, LookupError):
        return name
