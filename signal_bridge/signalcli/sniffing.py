"""What kind of file some bytes are, by their content (rest-surface.rst 4.4 and 5.11).

The extension of a stored attachment matters: signal-cli derives the content type from it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from signal_bridge.signalcli.filetypes import MEDIA_TYPES, UNKNOWN

HEAD_BYTES: Final = 3072
"""As much of a file as is looked at."""


@dataclasses.dataclass(frozen=True)
class FileType:
    """`extension` has its dot, or is empty; `content_type` is a full header value."""

    extension: str
    content_type: str


# What the peer calls them in an answer.
_SERVED_AS: Final = {"m4a": "audio/x-m4a", "rar": "application/x-rar-compressed"}
_UNKNOWN: Final = FileType("", UNKNOWN)
_EMPTY: Final = FileType(".txt", "text/plain")
_TEXT: Final = FileType(".txt", "text/plain; charset=utf-8")
_LATIN: Final = FileType(".txt", "text/plain; charset=iso-8859-1")
_UTF16: Final = {
    b"\xff\xfe": FileType(".txt", "text/plain; charset=utf-16le"),
    b"\xfe\xff": FileType(".txt", "text/plain; charset=utf-16be"),
}
_JSON: Final = FileType(".json", "application/json")
_CSV: Final = FileType(".csv", "text/csv")

# (offset, bytes there, extension); the first that fits wins.
_MAGIC: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\x00\x00\x01\x00", "ico"),
    (0, b"8BPS\x00", "psd"),
    (0, b"fLaC", "flac"),
    (0, b"MThd\x00", "mid"),
    (0, b"caff\x00", "caf"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "asf"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x00\x00\x01\xba", "mpg"),
    (0, b"\x00\x00\x01\xb3", "mpg"),
    (0, b"\x1f\x8b", "gz"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zst"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (60, b"BOOKMOBI", "mobi"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"\xff\xf0", "aac"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf8", "aac"),
    (0, b"\xff\xf9", "aac"),
    *((0, bytes([0xFF, second]), "mp3") for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2, 0xFD)),
)
# A text may start like these; binary data may not.
_MAGIC_IF_BINARY: Final = (
    (0, b"ID3", "mp3"),
    (0, b"BM", "bmp"),
    (0, b"#!AMR-WB\n", "awb"),
    (0, b"#!AMR\n", "amr"),
    (0, b"%!PS", "ps"),
)
_IN_CHUNKS: Final = 8  # where a RIFF or an IFF file says of what kind it is
_PATTERNS: Final = (
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bz2"),
    (re.compile(rb"\x00\x00\x02\x00[^\x00]", re.DOTALL), "cur"),  # with none in it, it is a TGA
)
_BOM: Final = b"\xef\xbb\xbf"
# Readers take a PDF for one if it begins within so much.
_PDF_START_BYTES: Final = 1024
_TS_PACKET_BYTES: Final = 188

# ISO base media (ISO/IEC 14496-12): the brand after `ftyp`. Every other brand is MP4.
_BRANDS: Final = {
    b"heic": "heic",
    b"heix": "heic",
    b"hevc": "heic",
    b"hevx": "heic",
    b"heim": "heif",
    b"heis": "heif",
    b"avif": "avif",
    b"avis": "avif",
    b"M4A ": "m4a",
    b"M4B ": "m4a",
    b"M4P ": "m4a",
    b"M4V ": "m4v",
    b"M4VH": "m4v",
    b"qt  ": "mov",
    b"mqt ": "mov",
}
# These say no more than that there are pictures: which, is told by the other brands of the file.
_ANY_PICTURE: Final = frozenset([b"mif1", b"msf1", b"mif2", b"miaf"])
_PICTURES: Final = ("avif", "heic")
_QUICKTIME_ATOMS: Final = (b"moov", b"mdat", b"wide", b"pnot")

_EBML: Final = b"\x1aE\xdf\xa3"
_OGG_CODECS: Final = (
    (b"\x7fFLAC", "oga"),
    (b"\x01vorbis", "oga"),
    (b"OpusHead", "oga"),
    (b"Speex   ", "oga"),
    (b"\x80theora", "ogv"),
)
_OGG_CODEC_OFFSET: Final = 28
# Tracks of Matroska name their codecs, of which the first letter tells what they are for.
_MATROSKA_VIDEO: Final = re.compile(rb"\x86.V_[A-Z]", re.DOTALL)
_MATROSKA_AUDIO: Final = re.compile(rb"\x86.A_[A-Z]", re.DOTALL)
_ISO_VIDEO: Final = re.compile(rb"hdlr.{8}vide", re.DOTALL)

_OFFICE_BEFORE_XML: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names of streams in such a document. Its directory may lie anywhere; often it is not in the head.
_OLE_STREAMS: Final = tuple(
    (name.encode("utf-16-le"), extension)
    for name, extension in (
        ("WordDocument", "doc"),
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("PowerPoint Document", "ppt"),
        ("__properties_version1.0", "msg"),
        ("__substg1.0_", "msg"),
    )
)

_OASIS: Final = b"mimetypeapplication/vnd.oasis.opendocument."
# What a ZIP holds near its beginning tells its format: names, and for some the content, too.
_ZIP_ENTRIES: Final = (
    (b"mimetypeapplication/epub+zip", "epub"),
    (_OASIS + b"text", "odt"),
    (_OASIS + b"spreadsheet", "ods"),
    (_OASIS + b"presentation", "odp"),
    (_OASIS + b"graphics", "odg"),
    (b"word/", "docx"),
    (b"xl/", "xlsx"),
    (b"ppt/", "pptx"),
    (b"AndroidManifest.xml", "apk"),
    (b"classes.dex", "apk"),
    (b"META-INF/MANIFEST.MF", "jar"),
)

# A name follows 26 bytes of its entry's header.
_ZIP_PATTERNS: Final = tuple(
    (re.compile(rb"PK\x03\x04.{26}" + re.escape(entry), re.DOTALL), extension)
    for entry, extension in _ZIP_ENTRIES
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
    certain = _container(head) or _magic(head, _MAGIC) or _pattern(head)
    if certain:
        return _file_type(certain)
    text = _text(head)
    if text is not None and not (text is _LATIN and _has_late_pdf(head)):
        return text
    likely = _likely(head)
    return _file_type(likely) if likely else _UNKNOWN


def shows_video(head: bytes) -> bool:
    """Whether a file of a format that may hold sound alone certainly has pictures that move."""
    if head.startswith(_EBML):
        return _MATROSKA_VIDEO.search(head) is not None
    if head.startswith(b"ftyp", 4):
        return _ISO_VIDEO.search(head) is not None
    return head.startswith(b"\x80theora", _OGG_CODEC_OFFSET)


def _file_type(extension: str) -> FileType:
    kind = _SERVED_AS.get(extension) or MEDIA_TYPES[extension]
    return FileType(f".{extension}", kind)


def _magic(head: bytes, table: Iterable[tuple[int, bytes, str]]) -> str:
    for offset, magic, extension in table:
        in_chunks = offset != _IN_CHUNKS or head.startswith((b"RIFF", b"FORM"))
        if in_chunks and head.startswith(magic, offset):
            return extension
    return ""


def _pattern(head: bytes) -> str:
    """The formats that a few bytes at one place do not tell."""
    if head.removeprefix(_BOM).lstrip().startswith(b"%PDF-"):
        return "pdf"
    if head[:1] == b"\x00" and head[4:8] in _QUICKTIME_ATOMS:
        return "mov"
    return next((found for pattern, found in _PATTERNS if pattern.match(head)), "")


def _likely(head: bytes) -> str:
    """What a text may begin like, so that a file of that kind must be binary."""
    if _is_transport_stream(head):
        return "ts"
    return _magic(head, _MAGIC_IF_BINARY) or ("pdf" if _has_late_pdf(head) else "")


def _has_late_pdf(head: bytes) -> bool:
    """Whether a PDF begins behind something else; a text that is whole may speak of one."""
    return b"%PDF-" in head[:_PDF_START_BYTES]


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-2: each packet begins with one byte that is always the same, some with a time before."""
    for first, step in ((0, _TS_PACKET_BYTES), (4, _TS_PACKET_BYTES + 4)):
        starts = head[first::step]
        if len(starts) > 2 and set(starts) == {0x47}:
            return True
    return False


def _container(head: bytes) -> str:
    """The formats that are told apart by what is inside."""
    reads = (read for offset, magic, read in _CONTAINERS if head.startswith(magic, offset))
    return next((read(head) for read in reads), "")


def _iso_media(head: bytes) -> str:
    major = head[8:12]
    if major.startswith(b"3g"):
        return "3g2" if major.startswith(b"3g2") else "3gp"
    if major in _BRANDS:
        return _BRANDS[major]
    size_bytes = int.from_bytes(head[:4], "big")
    others = {_BRANDS.get(head[at : at + 4]) for at in range(16, min(size_bytes, len(head)), 4)}
    if major in _ANY_PICTURE:
        return next((picture for picture in _PICTURES if picture in others), "heif")
    return "m4a" if "m4a" in others and "m4v" not in others and not shows_video(head) else "mp4"


def _matroska(head: bytes) -> str:
    is_sound = _MATROSKA_AUDIO.search(head) and not _MATROSKA_VIDEO.search(head)
    if b"webm" in head:
        return "weba" if is_sound else "webm"
    return "mka" if is_sound else "mkv"


def _ogg(head: bytes) -> str:
    codecs = (found for codec, found in _OGG_CODECS if head.startswith(codec, _OGG_CODEC_OFFSET))
    return next(codecs, "ogx")


def _zip(head: bytes) -> str:
    return next((found for entry, found in _ZIP_PATTERNS if entry.search(head)), "zip")


def _ole(head: bytes) -> str:
    return next((found for stream, found in _OLE_STREAMS if stream in head), "ole")


_CONTAINERS: Final[tuple[tuple[int, bytes, Callable[[bytes], str]], ...]] = (
    (4, b"ftyp", _iso_media),
    (0, _EBML, _matroska),
    (0, b"OggS", _ogg),
    (0, b"PK\x03\x04", _zip),
    (0, b"PK\x05\x06", _zip),
    (0, _OFFICE_BEFORE_XML, _ole),
)


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
