from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.signalcli.sniffing import (
    HEAD_BYTES,
    sniff,
    sniff_content_type,
    sniff_extension,
)


def entry(name: bytes, content: bytes = b"\x00\x01") -> bytes:
    """One stored file of a ZIP, as far as it matters."""
    return b"PK\x03\x04" + b"\x00" * 26 + name + content


def ogg(codec: bytes) -> bytes:
    return b"OggS" + b"\x00" * 24 + codec


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
    (b"\x1aE\xdf\xa3\x01B\x82\x84webm", ".webm", "video/webm"),
    (b"\x1aE\xdf\xa3\x01B\x82\x88matroska", ".mkv", "video/x-matroska"),
    (b"ID3\x04\x00\x00", ".mp3", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", ".mp3", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", ".aac", "audio/aac"),
    (ogg(b"\x01vorbis"), ".oga", "audio/ogg"),
    (ogg(b"OpusHead"), ".oga", "audio/ogg"),
    (ogg(b"\x80theora"), ".ogv", "video/ogg"),
    (ogg(b"?"), ".ogg", "application/ogg"),
    (b"fLaC\x00", ".flac", "audio/flac"),
    (b"#!AMR\n\x04", ".amr", "audio/amr"),
    (b"%PDF-1.7\n", ".pdf", "application/pdf"),
    (b"\x1f\x8b\x08", ".gz", "application/gzip"),
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


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_content_breaks_the_sniffing(head: bytes) -> None:
    found = sniff(head)
    assert found.extension == "" or found.extension.startswith(".")
    assert "/" in found.content_type
