from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.attachments import (
    avatar,
    avatar_extension,
    decode_avatar,
    split_attachment,
    stored_name,
)

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("text", "filename", "content_type", "payload"),
    [
        ("MTIzNDU=", "", "", "MTIzNDU="),
        ("data:x;base64,MTIzNDU=", "", "x", "MTIzNDU="),
        ("data:;base64,MTIz", "", "", "MTIz"),
        ("data:x;filename=f.n;base64,MTIzNDU=", "f.n", "x", "MTIzNDU="),
        ("filename=z.txt;data:x;base64,MTIz", "z.txt", "x", "MTIz"),
        ("data:x;filename=a;filename=b;base64,MTIz", "b", "x", "MTIz"),
        ("data:image/png; filename=a b.png; base64,MTIz", "a b.png", "image/png", "MTIz"),
        ("data:audio/webm;codecs=opus;base64,MTIz", "", "audio/webm", "MTIz"),
        ("data:x;filename=;base64,MTIz", "", "x", "MTIz"),
        ("base64,data:someData", "", "", "data:someData"),
        ("data:x;base64,a;base64,MTIz", "", "x", "MTIz"),
        ("base64,MTIzNDU=", "", "", "base64,MTIzNDU="),
        ("filename=f;base64,MTIz", "", "", "filename=f;base64,MTIz"),
        ("data:x;MTIz", "", "", "data:x;MTIz"),
        ("data:text/plain,hello", "", "", "data:text/plain,hello"),
    ],
)
def test_an_attachment_is_split_into_payload_and_what_is_said_of_it(
    text: str, filename: str, content_type: str, payload: str
) -> None:
    assert split_attachment(text) == (filename, content_type, payload)


@pytest.mark.parametrize(
    ("parameter", "filename"),
    [
        ("filename=a b;c.txt", "a b;c.txt"),
        ("filename=a=b, c+d#e?f&g'h@i.txt", "a=b, c+d#e?f&g'h@i.txt"),
        ("filename=a;b=c.txt;charset=utf-8", "a;b=c.txt"),
        ("filename=rec.webm;codecs=opus", "rec.webm"),
        ("filename=50%.txt", "50%.txt"),
        ("filename=100%25.txt", "100%.txt"),
        ("filename=%20x%3B%22y%22.txt", ' x;"y".txt'),
        ("filename=r%C3%A9sum%C3%A9.pdf", "résumé.pdf"),
        ("filename=%E9.txt", "%E9.txt"),
        ("filename=a+b.txt", "a+b.txt"),
        ('filename="a;codecs=b.txt";codecs=opus', "a;codecs=b.txt"),
        (r'filename="say \"hi\".txt"', 'say "hi".txt'),
        ('filename=say "hi".txt', 'say "hi".txt'),
        ('filename="open.txt', '"open.txt'),
        ("filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        ("filename*=klingon''%A3.txt", "%A3.txt"),
        ("filename*=punycode''mnchen-3ya.txt", "mnchen-3ya.txt"),
        ("filename*=plain.txt", "plain.txt"),
        ("filename=مرحبا.pdf", "مرحبا.pdf"),
        ("filename=测试 🎉.png", "测试 🎉.png"),
    ],
)
def test_a_name_may_hold_anything_however_it_is_written(parameter: str, filename: str) -> None:
    assert split_attachment(f"data:x/y;{parameter};base64,MTIz") == (filename, "x/y", "MTIz")


@pytest.mark.parametrize("text", ["", "data:text/plain;base64,", "data:;filename=x;base64,"])
def test_an_attachment_without_payload_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"^The base64 data does not exist\.$"):
        split_attachment(text)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(names, st.binary(min_size=1))
def test_a_name_that_is_percent_encoded_or_quoted_survives_whole(name: str, data: bytes) -> None:
    payload = base64.b64encode(data).decode()
    quoted = name.replace("\\", r"\\").replace('"', r"\"").replace("%", "%25")
    for written in (quote(name, safe=""), f'"{quoted}"'):
        uri = f"data:image/png;filename={written};base64,{payload}"
        assert split_attachment(uri) == (name, "image/png", payload)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='%;"'), min_size=1))
def test_a_name_without_percent_signs_and_semicolons_needs_no_writing(name: str) -> None:
    assert split_attachment(f"data:x/y;filename={name};base64,MTIz")[0] == name


def test_a_head_of_64_kib_is_read_at_once() -> None:
    for part in ('filename="', ";", ";data:", 'filename="a;', 'filename="\\', " ;"):
        head = (part * 65536)[:65536]
        assert split_attachment(f"data:x;{head};base64,MTIz").payload == "MTIz"


# -- the name to store it under ------------------------------------------------------------------


BINARY = b"\x00\x01\x02" * 30
WEBM = b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(50)
WEBM_VIDEO = WEBM + b"\x86\x85V_VP8"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42"
MP4_VIDEO = MP4 + b"\x00\x00\x00\x20hdlr" + bytes(8) + b"vide"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
ZIP = b"PK\x03\x04" + bytes(26) + b"a.txt"
OGG = b"OggS" + bytes(24) + b"?"
OPUS = b"OggS" + bytes(24) + b"OpusHead"
MP3 = b"ID3\x04\x00\x00"
AAC = b"\xff\xf1\x50\x80"
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "
TEXT = b"just words"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("head", "content_type", "extension"),
    [
        # what nobody knows is what its sender says
        (BINARY, "", ""),
        (BINARY, "application/octet-stream", ""),
        (BINARY, "application/x-nobody-knows", ""),
        (BINARY, "image/heic", ".heic"),
        (BINARY, "IMAGE/JPG; q=1", ".jpg"),
        (BINARY, "application/msword", ".doc"),
        (TEXT, "", ".txt"),
        (TEXT, "text/markdown", ".md"),
        (TEXT, "application/yaml", ".yaml"),
        (b"a,b\n1,2\n", "text/plain", ".txt"),
        (b"<p align=center>", "text/markdown", ".md"),
        (b'{"type": "Feature"}', "application/geo+json", ".geojson"),
        # a text is no picture, and JSON is more than a text
        (TEXT, "image/png", ".txt"),
        (TEXT, "application/pdf", ".txt"),
        (b'{"a": 1}', "text/plain", ".json"),
        # a format that may hold several things holds what its sender says
        (OLE, "", ".ole"),
        (OLE, "application/vnd.ms-excel", ".xls"),
        (OLE, "application/pdf", ".ole"),
        (ZIP, XLSX, ".xlsx"),
        (ZIP, "application/pdf", ".zip"),
        (OGG, "audio/ogg", ".oga"),
        (OGG, "audio/opus", ".opus"),
        (WEBM, "", ".webm"),
        (WEBM, "audio/webm;codecs=opus", ".weba"),
        (MP4, "audio/mp4", ".m4a"),
        (MP4, "video/quicktime", ".mov"),
        # what it certainly is, nobody talks it out of
        (PNG, "image/jpeg", ".png"),
        (PNG, "application/pdf", ".png"),
        (WEBM_VIDEO, "audio/webm", ".webm"),
        (MP4_VIDEO, "audio/mp4", ".mp4"),
        (MP3, "video/mp4", ".mp3"),
    ],
)
def test_what_a_sender_says_counts_where_the_content_leaves_it_open(
    head: bytes, content_type: str, extension: str
) -> None:
    assert stored_name("", head, content_type) == extension


@pytest.mark.parametrize(
    ("name", "head", "content_type", "stored"),
    [
        ("photo.png", PNG, "", "photo.png"),
        ("photo.txt", PNG, "image/png", "photo.txt"),
        ("PHOTO.JPG", PNG, "", "PHOTO.JPG"),
        ("blob", WEBM, "audio/webm", "blob.weba"),
        ("photo", PNG, "", "photo.png"),
        ("report 1.2", b"%PDF-1.7", "", "report 1.2.pdf"),
        ("unknown", BINARY, "", "unknown"),
        ("unknown.xyz", BINARY, "application/octet-stream", "unknown.xyz"),
        ("Makefile", TEXT, "", "Makefile"),
        ("names", b"a,b\n1,2\n", "", "names"),
        ("README", TEXT, "text/plain", "README.txt"),
    ],
)
def test_a_given_name_is_kept_and_gets_an_extension_if_it_has_none_that_is_known(
    name: str, head: bytes, content_type: str, stored: str
) -> None:
    assert stored_name(name, head, content_type) == stored


@pytest.mark.parametrize(
    ("name", "head", "content_type", "stored"),
    [
        ("", WEBM, "", ".weba"),
        ("", MP4, "", ".m4a"),
        ("", OGG, "", ".oga"),
        ("", OPUS, "", ".oga"),
        ("", MP3, "", ".mp3"),
        ("", AAC, "", ".aac"),
        ("", WAV, "", ".wav"),
        ("", BINARY, "", ".aac"),
        ("", BINARY, "audio/amr", ".amr"),
        ("memo.m4a", MP4, "", "memo.m4a"),
        ("memo.ogg", OPUS, "audio/ogg", "memo.ogg"),
        ("memo.mp3", BINARY, "", "memo.mp3"),
        ("memo.webm", WEBM, "video/webm", "memo.weba"),
        ("memo.mp4", MP4, "", "memo.m4a"),
        ("memo.bin", OPUS, "", "memo.oga"),
        ("memo 1.2", WAV, "", "memo 1.2.wav"),
    ],
)
def test_the_name_of_a_voice_note_says_that_it_is_sound(
    name: str, head: bytes, content_type: str, stored: str
) -> None:
    assert stored_name(name, head, content_type, is_voice_note=True) == stored


@pytest.mark.parametrize("head", [PNG, TEXT, ZIP, OLE, WEBM_VIDEO, MP4_VIDEO, b"%PDF-1.7"])
def test_what_certainly_is_no_sound_is_no_voice_note(head: bytes) -> None:
    with pytest.raises(RequestError, match="'voice_note' can only be set for audio attachments!"):
        stored_name("memo.m4a", head, "audio/mp4", is_voice_note=True)


def test_an_avatar_is_plain_base64() -> None:
    assert b"".join(decode_avatar([b"YW", b"Jj"])) == b"abc"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("###", "Couldn't decode base64 encoded avatar: illegal base64 data at input byte 0"),
        ("data:x;base64,YWJj", "Couldn't decode base64 encoded avatar: illegal base64 data at "
                               "input byte 4"),
        ("", "Empty buffer"),
        ("\n", "Empty buffer"),
    ],
)  # fmt: skip
def test_an_avatar_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        list(decode_avatar([text.encode()]))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (PNG, ".png"),
        (b"GIF89a", ".gif"),
        (b"\x00\x00\x00\x18ftypisom", ".mp4"),
        (b"\x00\x00\x00\x18ftypavif", ".unknown"),
        (b"<svg xmlns='x'>", ".unknown"),
        (b"abc", ".unknown"),
        (b"\x00\x01", ".unknown"),
    ],
)
def test_an_avatar_is_stored_under_an_extension_of_its_kind(head: bytes, extension: str) -> None:
    assert avatar_extension(head) == extension


def test_an_avatar_is_read_from_signal_clis_answer() -> None:
    assert avatar({"data": "YWJj"}) == b"abc"
    assert avatar(None) == b""


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            {"data": "!!"},
            "Couldn't decode base64 encoded group avatar: illegal base64 data at input byte 0",
        ),
        ({"data": 5}, "Couldn't process request - invalid signal-cli response"),
    ],
)
def test_an_avatar_that_cannot_be_read_is_refused(result: Any, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        avatar(result)
    assert str(caught.value) == message
