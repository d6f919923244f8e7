"""The media type of a file name, by which signal-cli tells what a file is."""

from __future__ import annotations

import re

import pytest

from signal_bridge.signalcli.filetypes import (
    MEDIA_TYPES,
    TEXT_EXTENSIONS,
    extension_for,
    extension_of,
)


def test_each_extension_has_one_media_type_without_parameters() -> None:
    for extension, kind in MEDIA_TYPES.items():
        assert re.fullmatch(r"[a-z0-9]{1,10}", extension)
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind)


def test_a_file_of_a_known_type_gets_an_extension_that_says_so() -> None:
    for kind in set(MEDIA_TYPES.values()) - {"application/octet-stream"}:
        assert MEDIA_TYPES[extension_for(kind)] == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("odt", "application/vnd.oasis.opendocument.text"),
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("md", "text/markdown"),
        ("log", "text/plain"),
        ("txt", "text/plain"),
        ("html", "text/html"),
        ("apk", "application/vnd.android.package-archive"),
        ("svg", "image/svg+xml"),
        ("vcf", "text/vcard"),
        ("ics", "text/calendar"),
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg"),
        ("ogg", "audio/ogg"),
        ("weba", "audio/webm"),
        ("webm", "video/webm"),
        ("heic", "image/heic"),
    ],
)
def test_common_extensions_are_known(name: str, kind: str) -> None:
    assert MEDIA_TYPES[name] == kind


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("photo.png", "png"),
        ("PHOTO.PNG", "png"),
        ("archive.tar.gz", "gz"),
        (".txt", "txt"),
        ("png", ""),
        ("report.final", ""),
        ("v1.2", ""),
        ("photo.png ", ""),
        ("photo.", ""),
        ("", ""),
    ],
)
def test_a_name_has_an_extension_when_it_is_a_known_one(name: str, extension: str) -> None:
    assert extension_of(name) == extension


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        ("image/jpeg", "jpg"),
        ("IMAGE/JPG", "jpg"),
        (" image/png ", "png"),
        ("audio/webm;codecs=opus", "weba"),
        ("text/plain; charset=utf-8", "txt"),
        ("audio/x-m4a", "m4a"),
        ("application/octet-stream", ""),
        ("application/x-nobody-knows", ""),
        ("image/*", ""),
        ("png", ""),
        ("", ""),
    ],
)
def test_a_media_type_has_an_extension_when_it_is_a_known_one(
    content_type: str, extension: str
) -> None:
    assert extension_for(content_type) == extension


def test_text_and_binary_files_share_no_extension() -> None:
    assert {"txt", "json", "svg"} <= TEXT_EXTENSIONS
    assert not {"png", "pdf", "docx", "zip"} & TEXT_EXTENSIONS
