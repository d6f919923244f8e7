"""What kind of file some bytes are, by their content (rest-surface.rst 4.4 and 5.11).

The extension of a stored attachment matters: signal-cli derives the content type from it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

HEAD_BYTES: Final = 3072
"""As much of a file as is looked at."""


@dataclasses.dataclass(frozen=True)
class FileType:
    """`extension` has its dot, or is empty; `content_type` is a full header value."""

    extension: str
    content_type: str


_UNKNOWN: Final = FileType("", "application/octet-stream")
_EMPTY: Final = FileType(".txt", "text/plain")
_TEXT: Final = FileType(".txt", "text/plain; charset=utf-8")
_LATIN: Final = FileType(".txt", "text/plain; charset=iso-8859-1")
_UTF16: Final = {
    b"\xff\xfe": FileType(".txt", "text/plain; charset=utf-16le"),
    b"\xfe\xff": FileType(".txt", "text/plain; charset=utf-16be"),
}
_JSON: Final = FileType(".json", "application/json")
_CSV: Final = FileType(".csv", "text/csv")

# (offset, bytes there, extension, content type); the first that fits wins.
_MAGIC: Final = (
    (0, b"\x89PNG\r\n\x1a\n", ".png", "image/png"),
    (0, b"\xff\xd8\xff", ".jpg", "image/jpeg"),
    (0, b"GIF87a", ".gif", "image/gif"),
    (0, b"GIF89a", ".gif", "image/gif"),
    (8, b"WEBP", ".webp", "image/webp"),
    (8, b"WAVE", ".wav", "audio/wav"),
    (8, b"AVI ", ".avi", "video/x-msvideo"),
    (0, b"II*\x00", ".tiff", "image/tiff"),
    (0, b"MM\x00*", ".tiff", "image/tiff"),
    (0, b"%PDF-", ".pdf", "application/pdf"),
    (0, b"fLaC", ".flac", "audio/flac"),
    (0, b"\x1f\x8b", ".gz", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", ".7z", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", ".rar", "application/x-rar-compressed"),
    (257, b"ustar", ".tar", "application/x-tar"),
    (0, b"\xff\xf1", ".aac", "audio/aac"),
    (0, b"\xff\xf9", ".aac", "audio/aac"),
    (0, b"\xff\xfb", ".mp3", "audio/mpeg"),
    (0, b"\xff\xf3", ".mp3", "audio/mpeg"),
    (0, b"\xff\xf2", ".mp3", "audio/mpeg"),
)
# A text may start like these; binary data may not.
_MAGIC_IF_BINARY: Final = (
    (0, b"ID3", ".mp3", "audio/mpeg"),
    (0, b"BM", ".bmp", "image/bmp"),
    (0, b"#!AMR", ".amr", "audio/amr"),
)
_RIFF_OFFSET: Final = 8

# ISO base media (ISO/IEC 14496-12): the brand after `ftyp`. Every other brand is MP4.
_BRANDS: Final = {
    b"heic": FileType(".heic", "image/heic"),
    b"heix": FileType(".heic", "image/heic"),
    b"mif1": FileType(".heif", "image/heif"),
    b"heim": FileType(".heif", "image/heif"),
    b"heis": FileType(".heif", "image/heif"),
    b"avif": FileType(".avif", "image/avif"),
    b"avis": FileType(".avif", "image/avif"),
    b"M4A ": FileType(".m4a", "audio/x-m4a"),
    b"M4B ": FileType(".m4a", "audio/x-m4a"),
    b"M4V ": FileType(".m4v", "video/x-m4v"),
    b"M4VH": FileType(".m4v", "video/x-m4v"),
    b"qt  ": FileType(".mov", "video/quicktime"),
}
_MP4: Final = FileType(".mp4", "video/mp4")
_3GP: Final = FileType(".3gp", "video/3gpp")

_WEBM: Final = FileType(".webm", "video/webm")
_MATROSKA: Final = FileType(".mkv", "video/x-matroska")

_OGG: Final = FileType(".ogg", "application/ogg")
_OGG_AUDIO: Final = FileType(".oga", "audio/ogg")
_OGG_VIDEO: Final = FileType(".ogv", "video/ogg")
_OGG_CODECS: Final = (
    (b"\x7fFLAC", _OGG_AUDIO),
    (b"\x01vorbis", _OGG_AUDIO),
    (b"OpusHead", _OGG_AUDIO),
    (b"Speex   ", _OGG_AUDIO),
    (b"\x80theora", _OGG_VIDEO),
)
_OGG_CODEC_OFFSET: Final = 28

_ZIP: Final = FileType(".zip", "application/zip")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OASIS: Final = "application/vnd.oasis.opendocument."
# What a ZIP holds near its beginning tells its format: names, and for some the content, too.
_ZIP_ENTRIES: Final = (
    (b"mimetypeapplication/epub+zip", FileType(".epub", "application/epub+zip")),
    (b"mimetype" + _OASIS.encode() + b"text", FileType(".odt", _OASIS + "text")),
    (b"mimetype" + _OASIS.encode() + b"spreadsheet", FileType(".ods", _OASIS + "spreadsheet")),
    (b"mimetype" + _OASIS.encode() + b"presentation", FileType(".odp", _OASIS + "presentation")),
    (b"word/", FileType(".docx", _OFFICE + "wordprocessingml.document")),
    (b"xl/", FileType(".xlsx", _OFFICE + "spreadsheetml.sheet")),
    (b"ppt/", FileType(".pptx", _OFFICE + "presentationml.presentation")),
    (b"AndroidManifest.xml", FileType(".apk", "application/vnd.android.package-archive")),
    (b"classes.dex", FileType(".apk", "application/vnd.android.package-archive")),
    (b"META-INF/MANIFEST.MF", FileType(".jar", "application/java-archive")),
)

# A name follows 26 bytes of its entry's header.
_ZIP_PATTERNS: Final = tuple(
    (re.compile(rb"PK\x03\x04.{26}" + re.escape(entry), re.DOTALL), found)
    for entry, found in _ZIP_ENTRIES
)

_MARKUP: Final = (
    (r"(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
     FileType(".svg", "image/svg+xml")),
    (r"<\?xml[\s>]", FileType(".xml", "text/xml; charset=utf-8")),
    (r"<(?:!DOCTYPE HTML|HTML|HEAD|TITLE|STYLE|SCRIPT|BODY|!--)[\s>]",
     FileType(".html", "text/html; charset=utf-8")),
    (r"<(?:TABLE|IFRAME|FONT|H1|DIV|P|BR|A|B)[\s>]",
     FileType(".html", "text/html; charset=utf-8")),
    (r"BEGIN:VCARD[\r\n]", FileType(".vcf", "text/vcard")),
    (r"BEGIN:VCALENDAR[\r\n]", FileType(".ics", "text/calendar")),
    (r"\{\\rtf", FileType(".rtf", "text/rtf")),
)  # fmt: skip
_MARKUP_PATTERNS: Final = tuple(
    (re.compile(r"\s*" + pattern, re.IGNORECASE | re.DOTALL), found) for pattern, found in _MARKUP
)

# The control characters that no text has; tab, line ends, form feed and escape may be in one.
_BINARY_BYTE: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_JSON_START: Final = re.compile(r"""\s*(?:\{\s*(?:"|\})|\[\s*[\["{\]0-9tfn-])""")


def sniff_extension(head: bytes) -> str:
    """The extension, with its dot, for a file that starts with `head`; unknown binary: empty."""
    return sniff(head).extension


def sniff_content_type(head: bytes) -> str:
    """The Content-Type to serve a file with that starts with `head`."""
    return sniff(head).content_type


def sniff(head: bytes) -> FileType:
    """The type of a file by its first `HEAD_BYTES` bytes; fewer are the whole file."""
    if not head:
        return _EMPTY
    head = head[:HEAD_BYTES]
    return (
        _container(head)
        or _magic(head, _MAGIC)
        or _text(head)
        or _magic(head, _MAGIC_IF_BINARY)
        or _UNKNOWN
    )


def _magic(head: bytes, table: Iterable[tuple[int, bytes, str, str]]) -> FileType | None:
    for offset, magic, extension, content_type in table:
        in_riff = offset != _RIFF_OFFSET or head.startswith(b"RIFF")
        if in_riff and head.startswith(magic, offset):
            return FileType(extension, content_type)
    return None


def _container(head: bytes) -> FileType | None:
    """The formats that are told apart by what is inside."""
    if head.startswith(b"ftyp", 4):
        return _3GP if head.startswith(b"3g", 8) else _BRANDS.get(head[8:12], _MP4)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _WEBM if b"webm" in head else _MATROSKA
    if head.startswith(b"OggS"):
        return next((f for c, f in _OGG_CODECS if head.startswith(c, _OGG_CODEC_OFFSET)), _OGG)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return next((found for entry, found in _ZIP_PATTERNS if entry.search(head)), _ZIP)
    return None


def _text(head: bytes) -> FileType | None:
    if head[:2] in _UTF16:
        return _UTF16[head[:2]]
    if _BINARY_BYTE.search(head):
        return None
    text = _utf8(head)
    return _LATIN if text is None else _text_type(text, len(head) < HEAD_BYTES)


def _utf8(head: bytes) -> str | None:
    # The head may end within a character.
    for cut in range(4 if len(head) == HEAD_BYTES else 1):
        try:
            return head[: len(head) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    return None


def _text_type(text: str, complete: bool) -> FileType:
    for pattern, found in _MARKUP_PATTERNS:
        if pattern.match(text):
            return found
    if _JSON_START.match(text) and (not complete or _parses_as_json(text)):
        return _JSON
    return _CSV if _is_csv(text, complete) else _TEXT


def _parses_as_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_csv(text: str, complete: bool) -> bool:
    """At least two lines of the same number of fields, and that is more than one."""
    lines = text if complete else text.rpartition("\n")[0]
    try:
        widths = list(_widths(lines))
    except csv.Error:
        return False
    return len(widths) > 1 and len(set(widths)) == 1 and widths[0] > 1


def _widths(lines: str) -> Iterator[int]:
    return (len(record) for record in csv.reader(io.StringIO(lines)) if record)
