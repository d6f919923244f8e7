"""Files on their way: under which name each goes, of which signal-cli tells its type."""

from __future__ import annotations

import base64
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import result

MESSAGE = {"message": "hi", "number": ACCOUNT, "recipients": ["+491"]}
RECIPIENT = "+491"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
WEBM = b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(50)
OPUS = b"OggS" + bytes(24) + b"OpusHead" + bytes(50)
NO_VOICE_NOTE = "'voice_note' can only be set for audio attachments!"

ODD_NAMES = [
    "a b.png",
    "résumé.pdf",
    "测试.txt",
    "🎉.png",
    "مرحبا.pdf",
    "semi;colon.png",
    "a=b,c+d#e?f&g.png",
    "100%.txt",
    "50%25.txt",
    "it's.png",
    'say "hi".png',
    "no-ending",
]


def data_uri(data: bytes, head: str = "") -> str:
    return f"data:{head};base64,{base64.b64encode(data).decode()}"


def form(data: bytes, disposition: str, content_type: str = "", **fields: str) -> dict[str, Any]:
    """A request whose file has these headers, as no client library would write them."""
    parts = {"number": ACCOUNT, "recipients[]": RECIPIENT, "message": "hi"} | fields
    body = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in parts.items()
    )
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    head = f'Content-Disposition: form-data; name="attachment"; {disposition}\r\n{kind}\r\n'
    body += b"--x\r\n" + head.encode() + data + b"\r\n--x--\r\n"
    return {"data": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


@pytest.fixture(autouse=True)
def _sends(daemon: ScriptedDaemon) -> None:
    daemon.on("send", result({"timestamp": 7, "results": []}))


def names_sent(daemon: ScriptedDaemon) -> list[str]:
    (request,) = daemon.asked("send")
    return [PurePath(path).name for path in request.params["attachment"]]


def name_sent(served: Bridge, daemon: ScriptedDaemon, **request: Any) -> str:
    answer = served.post("/v2/send", **request)
    assert answer.status_code == 201, answer.text
    (name,) = names_sent(daemon)
    return name


# -- what it is called -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_in_a_data_uri_reaches_signal_cli_whole(
    name: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    quoted = name.replace('"', r"\"").replace("%", "%25")
    written = [f"filename={quote(name, safe='')}", f'filename="{quoted}"']
    if "%25" not in name:  # that would be read as a percent sign
        written += [f"filename={name}", f"filename={name};charset=utf-8"]
    attachments = [data_uri(b"\0", f"application/octet-stream;{one}") for one in written]
    answer = served.post("/v2/send", json=MESSAGE | {"base64_attachments": attachments})
    assert answer.status_code == 201
    assert names_sent(daemon) == [name] * len(written)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_in_a_form_reaches_signal_cli_whole(
    name: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    as_browsers_do = name.replace('"', "%22")
    assert name_sent(served, daemon, **form(b"\0", f'filename="{as_browsers_do}"')) == name
    for other in (
        'filename="{}"'.format(name.replace('"', r"\"")),
        f"filename*=UTF-8''{quote(name, safe='')}",
    ):
        daemon.forget()
        assert name_sent(served, daemon, **form(b"\0", other)) == name


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\me\\photo.png", "photo.png"),
        ("NUL.txt", "NUL_.txt"),
        ("photo.png. ", "photo.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("..", "attachment.png"),
        ("ü" * 300 + ".png", "ü" * 125 + ".png"),
        ("ü" * 300, "ü" * 125 + ".png"),
    ],
)
def test_a_name_that_could_do_harm_does_none(
    name: str, stored: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    uri = data_uri(PNG, f"image/png;filename={quote(name, safe='')}")
    request = {"json": MESSAGE | {"base64_attachments": [uri]}}
    assert name_sent(served, daemon, **request) == stored
    daemon.forget()
    encoded = f"filename*=UTF-8''{quote(name, safe='')}"
    assert name_sent(served, daemon, **form(PNG, encoded)) == stored


def test_a_field_in_which_nobody_chose_a_file_is_none(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    request = form(b"", 'filename=""', "application/octet-stream")
    assert served.post("/v2/send", **request).status_code == 201
    assert "attachment" not in daemon.asked("send")[0].params
    daemon.forget()
    assert name_sent(served, daemon, **form(PNG, 'filename=""')) == "attachment.png"


# -- what it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content_type", "extension"),
    [
        (b"\0\1\2", "application/msword", ".doc"),
        (b"\0\1\2", "application/octet-stream", ""),
        (WEBM, "audio/webm;codecs=opus", ".weba"),
        (WEBM, "video/webm", ".webm"),
        (PNG, "image/jpeg", ".png"),
        (b"# Title", "text/markdown", ".md"),
    ],
)
def test_the_type_that_a_sender_says_counts_where_the_content_leaves_it_open(
    data: bytes, content_type: str, extension: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    json = MESSAGE | {"base64_attachments": [data_uri(data, content_type)]}
    assert PurePath(name_sent(served, daemon, json=json)).suffix == extension
    daemon.forget()
    request = form(data, 'filename="blob"', content_type)
    assert name_sent(served, daemon, **request) == f"blob{extension}"


def test_the_type_of_a_large_file_is_read_as_well(served: Bridge, daemon: ScriptedDaemon) -> None:
    uri = data_uri(b"\0" * 200_000, "application/msword;filename=a b")
    json = MESSAGE | {"base64_attachments": [uri]}
    assert name_sent(served, daemon, json=json) == "a b.doc"


# -- voice notes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "stored"),
    [
        ("memo.ogg", OPUS, "memo.ogg"),
        ("memo.webm", WEBM, "memo.weba"),
        ("blob", WEBM, "blob.weba"),
        ("memo.mp3", b"\0\1\2", "memo.mp3"),
    ],
)
def test_a_voice_note_goes_out_as_sound_and_marked(
    name: str, data: bytes, stored: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    json = MESSAGE | {"base64_attachments": [data_uri(data, f"x/y;filename={name}")]}
    assert name_sent(served, daemon, json=json | {"voice_note": True}) == stored
    assert daemon.asked("send")[0].params["voice-note"] is True
    daemon.forget()
    request = form(data, f'filename="{name}"', voice_note="true")
    assert name_sent(served, daemon, **request) == stored
    assert daemon.asked("send")[0].params["voice-note"] is True


@pytest.mark.parametrize("attachments", [[], [data_uri(PNG)], [data_uri(OPUS), data_uri(b"text")]])
def test_what_is_no_sound_is_no_voice_note(
    attachments: list[str], served: Bridge, daemon: ScriptedDaemon
) -> None:
    json = MESSAGE | {"voice_note": True, "base64_attachments": attachments}
    answer = served.post("/v2/send", json=json)
    assert (answer.status_code, answer.json()["error"]) == (400, NO_VOICE_NOTE)
    assert not daemon.asked("send")


def test_a_picture_in_a_form_is_no_voice_note(served: Bridge, daemon: ScriptedDaemon) -> None:
    request = form(PNG, 'filename="memo.ogg"', "audio/ogg", voice_note="true")
    answer = served.post("/v2/send", **request)
    assert (answer.status_code, answer.json()["error"]) == (400, NO_VOICE_NOTE)
    assert not daemon.asked("send")


def test_a_renamed_file_is_removed_like_any_other(served: Bridge, daemon: ScriptedDaemon) -> None:
    name_sent(served, daemon, **form(WEBM, 'filename="blob"', "audio/webm"))
    (path,) = daemon.asked("send")[0].params["attachment"]
    eventually(lambda: not Path(path).parent.exists(), what="the file is gone")
