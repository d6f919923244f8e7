from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.signalcli.filetypes import MEDIA_TYPES, extension_for
from signal_bridge.signalcli.sniffing import (
    HEAD_BYTES,
    shows_video,
    sniff,
    sniff_content_type,
    sniff_extension,
)


def entry(name: bytes, content: bytes = b"\x00\x01") -> bytes:
    """One stored file of a ZIP, as far as it matters."""
    return b"PK\x03\x04" + b"\x00" * 26 + name + content


def ogg(codec: bytes) -> bytes:
    return b"OggS" + b"\x00" * 24 + codec


def ftyp(major: bytes, *others: bytes) -> bytes:
    """The first box of an ISO media file: its brand, and those it is compatible with."""
    body = b"ftyp" + major + bytes(4) + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\x00\x00\x00\x08free"


def ole(stream: str = "") -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(9)


VIDEO_TRACK = b"\x00\x00\x00\x20hdlr" + bytes(8) + b"vide"

FILES = [
    (b"\x89PNG\r\n\x1a\n", ".png", "image/png"),
    (b"\xff\xd8\xff\xe0", ".jpg", "image/jpeg"),
    (b"GIF87a", ".gif", "image/gif"),
    (b"GIF89a", ".gif", "image/gif"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", ".webp", "image/webp"),
    (b"RIFF\x00\x00\x00\x00WAVEfmt ", ".wav", "audio/wav"),
    (b"RIFF\x00\x00\x00\x00AVI LIST", ".avi", "video/x-msvideo"),
    (b"BM\x36\x00\x00\x00\x00\x00", ".bmp", "image/bmp"),
    (b"II*\x00\x08", ".tiff", "image/tiff"),
    (b"MM\x00*\x00", ".tiff", "image/tiff"),
    (b"\x00\x00\x00\x18ftypheic", ".heic", "image/heic"),
    (b"\x00\x00\x00\x18ftypmif1", ".heif", "image/heif"),
    (b"\x00\x00\x00\x18ftypavif", ".avif", "image/avif"),
    (b"\x00\x00\x00\x18ftypM4A ", ".m4a", "audio/x-m4a"),
    (b"\x00\x00\x00\x18ftypM4V ", ".m4v", "video/x-m4v"),
    (b"\x00\x00\x00\x18ftypqt  ", ".mov", "video/quicktime"),
    (b"\x00\x00\x00\x18ftyp3gp4", ".3gp", "video/3gpp"),
    (b"\x00\x00\x00\x18ftypisom", ".mp4", "video/mp4"),
    (ftyp(b"mif1", b"mif1", b"heic"), ".heic", "image/heic"),
    (ftyp(b"mif1", b"mif1", b"avif"), ".avif", "image/avif"),
    (ftyp(b"msf1", b"hevc"), ".heic", "image/heic"),
    (ftyp(b"msf1", b"mif1"), ".heif", "image/heif"),
    (ftyp(b"hevc", b"hevc", b"heic"), ".heic", "image/heic"),
    (ftyp(b"avis", b"avis", b"msf1"), ".avif", "image/avif"),
    (ftyp(b"isom", b"isom", b"M4A "), ".m4a", "audio/x-m4a"),
    (ftyp(b"mp42", b"M4V ", b"M4A "), ".mp4", "video/mp4"),
    (ftyp(b"mp42", b"M4A ") + VIDEO_TRACK, ".mp4", "video/mp4"),
    (ftyp(b"mif1") + b"avif", ".heif", "image/heif"),
    (ftyp(b"3g2a"), ".3g2", "video/3gpp2"),
    (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", ".mov", "video/quicktime"),
    (b"\x00\x00\x10\x00moov", ".mov", "video/quicktime"),
    (b"\x1aE\xdf\xa3\x01B\x82\x84webm", ".webm", "video/webm"),
    (b"\x1aE\xdf\xa3\x01B\x82\x84webm\x86\x85V_VP8", ".webm", "video/webm"),
    (b"\x1aE\xdf\xa3\x01B\x82\x84webm\x86\x86A_OPUS", ".weba", "audio/webm"),
    (b"\x1aE\xdf\xa3\x01B\x82\x84webm\x86\x86A_OPUS\x86\x85V_VP8", ".webm", "video/webm"),
    (b"\x1aE\xdf\xa3\x01B\x82\x88matroska", ".mkv", "video/x-matroska"),
    (b"\x1aE\xdf\xa3\x01B\x82\x88matroska\x86\x86A_FLAC", ".mka", "audio/x-matroska"),
    (b"\xff\x0a\xfa\x7f\x01", ".jxl", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n\x00", ".jxl", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n\x00", ".jp2", "image/jp2"),
    (b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00", ".ico", "image/vnd.microsoft.icon"),
    (b"\x00\x00\x02\x00\x01\x00 \x20\x00\x00", ".cur", "image/x-win-bitmap"),
    (b"\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", "", "application/octet-stream"),
    (b"8BPS\x00\x01", ".psd", "image/vnd.adobe.photoshop"),
    (b"\x00\x00\x01\xba\x44\x00", ".mpg", "video/mpeg"),
    (b"\x00\x00\x01\xb3\x14\x00", ".mpg", "video/mpeg"),
    ((b"G@\x00\x10".ljust(188, b"\xff")) * 3, ".ts", "video/mp2t"),
    ((b"\x00\x00\x00\x00G@\x00\x10".ljust(192, b"\xff")) * 3, ".ts", "video/mp2t"),
    (b"G" * 600, ".txt", "text/plain; charset=utf-8"),
    (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", ".asf", "video/x-ms-asf"),
    (b"FLV\x01\x05", ".flv", "video/x-flv"),
    (b"ID3\x03\x00\x00\x00\x00\x00\x0a\x00\xff\xfb", ".mp3", "audio/mpeg"),
    (b"\xff\xfa\x90\x00", ".mp3", "audio/mpeg"),
    (b"FORM\x00\x00\x00\x20AIFFCOMM", ".aiff", "audio/aiff"),
    (b"FORM\x00\x00\x00\x20AIFCFVER", ".aiff", "audio/aiff"),
    (b"MThd\x00\x00\x00\x06", ".mid", "audio/midi"),
    (b"caff\x00\x01", ".caf", "audio/x-caf"),
    (b"#!AMR-WB\n\x04", ".awb", "audio/amr-wb"),
    (b"ID3\x04\x00\x00", ".mp3", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", ".mp3", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", ".aac", "audio/aac"),
    (ogg(b"\x01vorbis"), ".oga", "audio/ogg"),
    (ogg(b"OpusHead"), ".oga", "audio/ogg"),
    (ogg(b"\x80theora"), ".ogv", "video/ogg"),
    (ogg(b"?"), ".ogx", "application/ogg"),
    (b"fLaC\x00", ".flac", "audio/flac"),
    (b"#!AMR\n\x04", ".amr", "audio/amr"),
    (b"%PDF-1.7\n", ".pdf", "application/pdf"),
    (b"\xef\xbb\xbf%PDF-1.4\n", ".pdf", "application/pdf"),
    (b"\r\n \t%PDF-1.4\n", ".pdf", "application/pdf"),
    (b"POST / HTTP/1.1\r\n\r\n%PDF-1.4\n\x00\xe2", ".pdf", "application/pdf"),
    (b"junk\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", ".pdf", "application/pdf"),
    (b"\x00" * 1000 + b"%PDF-1.4", ".pdf", "application/pdf"),
    (b"\x00" * 1024 + b"%PDF-1.4", "", "application/octet-stream"),
    (b"The first line of a PDF is %PDF-1.4", ".txt", "text/plain; charset=utf-8"),
    (b"\x1f\x8b\x08", ".gz", "application/gzip"),
    (b"BZh91AY&SY\x00", ".bz2", "application/x-bzip2"),
    (b"BZh9 is a word", ".txt", "text/plain; charset=utf-8"),
    (b"\xfd7zXZ\x00\x00", ".xz", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd\x04", ".zst", "application/zstd"),
    (b"SQLite format 3\x00", ".sqlite", "application/vnd.sqlite3"),
    (b"\x00" * 60 + b"BOOKMOBI", ".mobi", "application/x-mobipocket-ebook"),
    (ole(), ".ole", "application/x-ole-storage"),
    (ole("WordDocument"), ".doc", "application/msword"),
    (ole("Workbook"), ".xls", "application/vnd.ms-excel"),
    (ole("Book"), ".xls", "application/vnd.ms-excel"),
    (ole("PowerPoint Document"), ".ppt", "application/vnd.ms-powerpoint"),
    (ole("__substg1.0_0E1D001F"), ".msg", "application/vnd.ms-outlook"),
    (b"7z\xbc\xaf\x27\x1c", ".7z", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07\x01\x00", ".rar", "application/x-rar-compressed"),
    (b"name\x00".ljust(257, b"\x00") + b"ustar\x00", ".tar", "application/x-tar"),
    (entry(b"a.txt"), ".zip", "application/zip"),
    (entry(b"password/a"), ".zip", "application/zip"),
    (entry(b"mimetype", b"application/epub+zip"), ".epub", "application/epub+zip"),
    (
        entry(b"mimetype", b"application/vnd.oasis.opendocument.text"),
        ".odt",
        "application/vnd.oasis.opendocument.text",
    ),
    (
        entry(b"[Content_Types].xml") + entry(b"word/document.xml"),
        ".docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        entry(b"[Content_Types].xml") + entry(b"xl/workbook.xml"),
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        entry(b"[Content_Types].xml") + entry(b"ppt/presentation.xml"),
        ".pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    (entry(b"AndroidManifest.xml"), ".apk", "application/vnd.android.package-archive"),
    (entry(b"META-INF/MANIFEST.MF"), ".jar", "application/java-archive"),
    (b"<!DOCTYPE html><p>", ".html", "text/html; charset=utf-8"),
    (b"\n <html>", ".html", "text/html; charset=utf-8"),
    (b"<?xml version='1.0'?><a/>", ".xml", "text/xml; charset=utf-8"),
    (b"<svg xmlns='x'>", ".svg", "image/svg+xml"),
    (b"<?xml version='1.0'?>\n<!-- a --><svg >", ".svg", "image/svg+xml"),
    (b'{"a": 1}', ".json", "application/json"),
    (b"[1, 2]\n", ".json", "application/json"),
    (b"a,b\n1,2\n", ".csv", "text/csv"),
    (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", ".vcf", "text/vcard"),
    (b"BEGIN:VCALENDAR\r\n", ".ics", "text/calendar"),
    (b"{\\rtf1\\ansi", ".rtf", "text/rtf"),
    (b"hello", ".txt", "text/plain; charset=utf-8"),
    ("grüße 👋".encode(), ".txt", "text/plain; charset=utf-8"),
    ("grüße".encode("latin-1"), ".txt", "text/plain; charset=iso-8859-1"),
    ("hi".encode("utf-16"), ".txt", "text/plain; charset=utf-16le"),
    (b"BMW and ID3 are words", ".txt", "text/plain; charset=utf-8"),
    (b"{not json}", ".txt", "text/plain; charset=utf-8"),
    (b"one, two\nthree", ".txt", "text/plain; charset=utf-8"),
    (b"", ".txt", "text/plain"),
    (b"\x00\x01\x02", "", "application/octet-stream"),
]


@pytest.mark.parametrize(("head", "extension", "content_type"), FILES)
def test_a_file_is_known_by_its_content(head: bytes, extension: str, content_type: str) -> None:
    assert (sniff_extension(head), sniff_content_type(head)) == (extension, content_type)


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b'{"a": "' + b"x" * HEAD_BYTES, ".json"),
        (b"a,b\n" + b"1,2\n" * HEAD_BYTES, ".csv"),
        ("ü".encode() * HEAD_BYTES, ".txt"),
        (b"x" + "ü".encode() * HEAD_BYTES, ".txt"),
        (b"x" * HEAD_BYTES, ".txt"),
    ],
)
def test_a_file_longer_than_the_head_is_known_by_its_beginning(head: bytes, extension: str) -> None:
    assert sniff_extension(head) == extension


@pytest.mark.parametrize(("head", "extension", "content_type"), FILES)
def test_an_extension_stands_for_the_type_that_the_content_has(
    head: bytes, extension: str, content_type: str
) -> None:
    if extension:
        kind = MEDIA_TYPES[extension.removeprefix(".")]
        assert extension_for(kind) == extension_for(content_type)


@pytest.mark.parametrize(
    ("head", "shows"),
    [
        (b"\x1aE\xdf\xa3\x01B\x82\x84webm\x86\x85V_VP8", True),
        (b"\x1aE\xdf\xa3\x01B\x82\x84webm", False),
        (ftyp(b"isom") + VIDEO_TRACK, True),
        (ftyp(b"isom"), False),
        (ogg(b"\x80theora"), True),
        (ogg(b"OpusHead"), False),
        (b"", False),
    ],
)
def test_pictures_that_move_are_seen_where_the_head_shows_them(head: bytes, shows: bool) -> None:
    assert shows_video(head) == shows


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_content_breaks_the_sniffing(head: bytes) -> None:
    found = sniff(head)
    assert found.extension == "" or found.extension.startswith(".")
    assert "/" in found.content_type
