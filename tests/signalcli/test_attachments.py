from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.attachments import (
    avatar,
    avatar_extension,
    decode_avatar,
    split_attachment,
)

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("text", "filename", "payload"),
    [
        ("MTIzNDU=", None, "MTIzNDU="),
        ("data:x;base64,MTIzNDU=", None, "MTIzNDU="),
        ("data:x;filename=f.n;base64,MTIzNDU=", "f.n", "MTIzNDU="),
        ("filename=z.txt;data:x;base64,MTIz", "z.txt", "MTIz"),
        ("data:x;filename=a;filename=b;base64,MTIz", "b", "MTIz"),
        ("data:x;filename=a b;c.txt;base64,MTIz", "a b", "MTIz"),
        ("data:x;filename=%20x.txt;base64,MTIz", "%20x.txt", "MTIz"),
        ("data:x;filename=;base64,MTIz", None, "MTIz"),
        ("base64,data:someData", None, "data:someData"),
        ("data:x;base64,a;base64,MTIz", None, "MTIz"),
        ("base64,MTIzNDU=", None, "base64,MTIzNDU="),
        ("filename=f;base64,MTIz", None, "filename=f;base64,MTIz"),
        ("data:x;MTIz", None, "data:x;MTIz"),
        ("data:text/plain,hello", None, "data:text/plain,hello"),
    ],
)
def test_an_attachment_is_split_into_name_and_payload(
    text: str, filename: str | None, payload: str
) -> None:
    assert split_attachment(text) == (filename, payload)


@pytest.mark.parametrize("text", ["", "data:text/plain;base64,", "data:;filename=x;base64,"])
def test_an_attachment_without_payload_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"^The base64 data does not exist\.$"):
        split_attachment(text)


names_of_a_part = st.text(st.characters(exclude_characters=";"), min_size=1)


@given(names_of_a_part, st.binary(min_size=1))
def test_name_and_payload_survive_the_data_uri(name: str, data: bytes) -> None:
    payload = base64.b64encode(data).decode()
    uri = f"data:image/png;filename={name};base64,{payload}"
    assert split_attachment(uri) == (name, payload)


def test_an_avatar_is_plain_base64() -> None:
    assert decode_avatar("YWJj") == b"abc"


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
        decode_avatar(text)
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
