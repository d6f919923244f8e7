"""A form read as the JSON it stands for; what is wrong with it is told by field, part or limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, g

from signal_bridge.errors import BodyTooLarge, RequestError, TooManyParts, UnreadableBody
from signal_bridge.web.edge.forms import read_form
from signal_bridge.web.edge.inputs import INVALID_BODY
from signal_bridge.web.schemas.base import BodySchema, Flag, Objects, Text, Texts, Whole

MIB = 2**20


class Person(BodySchema):
    age = Whole()
    name = Text()


class Body(BodySchema):
    name = Text()
    names = Texts()
    number = Whole()
    flag = Flag()
    people = Objects(Person)


BODY = Body()
Read = Callable[..., Any]


def part(name: str, data: bytes | str, *heads: str) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    head = "\r\n".join([disposition, *heads])
    text = data.encode() if isinstance(data, str) else data
    return f"--b\r\n{head}\r\n\r\n".encode() + text + b"\r\n"


@pytest.fixture
def read(app: Flask) -> Read:
    """The body and the contents of the files that these parts stand for."""

    def read(
        *parts: bytes, end: bytes = b"--b--\r\n", kind: str = "; boundary=b", **more: Any
    ) -> Any:
        data = b"".join(parts) + end
        options = {"data": data, "content_type": f"multipart/form-data{kind}", **more}
        with app.test_request_context("/", method="POST", **options):
            g.request_id, g.began = "the-id", 0.0
            try:
                body, files = read_form(BODY)
                return body, [file.path.read_bytes() for file in files]
            finally:
                app.process_response(Response())

    return read


def test_fields_are_what_the_schema_makes_of_their_texts(read: Read) -> None:
    body, files = read(
        part("NAME", "Grüße"), part("names[]", "a"), part("names", "b"), part("number", "-5"),
        part("flag", "true"), part("people", '[{"age":3}]'), part("unknown", "x"),
        part("anything", b"\0\1", 'X: y', "Content-Type: image/png").replace(
            b'"anything"', b'"anything"; filename="a.png"'
        ),
    )  # fmt: skip
    assert body == {
        "name": "Grüße", "names": ["a", "b"], "number": -5, "flag": True, "people": [{"age": 3}],
    }  # fmt: skip
    assert files == [b"\0\1"]


def test_half_a_pair_is_no_text_in_a_form_either(read: Read) -> None:
    text = r'[{"name":"a\ud800"},{"name":"\ud83d\ude00"}]'
    assert read(part("people", text))[0] == {"people": [{"name": "a\ufffd"}, {"name": "😀"}]}


class Drip:
    """A body that comes a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = data, step

    def read(self, size: int = -1) -> bytes:
        part, self.data = self.data[: self.step], self.data[self.step :]
        return part


@pytest.mark.parametrize("step", [*range(1, 40), 1000])
@pytest.mark.parametrize("line", ["\r\n", "\n"])
def test_a_form_may_come_in_pieces_of_any_size(app: Flask, step: int, line: str) -> None:
    content = b"one\r\n--bx\r--c--\n-"
    text = part("names", content) + part("a", content).replace(b'"a"', b'"a"; filename="a"')
    data = (text + b"--b--\r\n").replace(b"\r\n", line.encode())
    environ = {
        "wsgi.input": Drip(data, step),
        "CONTENT_LENGTH": str(len(data)),
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
    }
    with app.test_request_context("/", method="POST", environ_overrides=environ):
        body, files = read_form(BODY)
        wanted = content.replace(b"\r\n", line.encode())
        assert (body["names"], files[0].path.read_bytes()) == ([wanted.decode()], wanted)


@pytest.mark.parametrize(
    ("name", "text", "field", "why"),
    [
        ("number", "soon", "number", "an integer belongs here, not a string"),
        ("number", "1_000", "number", "an integer belongs here, not a string"),
        ("number", "9" * 20, "number", "an integer of 64 bits belongs here, not a longer one"),
        ("flag", "yes", "flag", "true or false belongs here, not a string"),
        ("people", "x", "people", "JSON text belongs here"),
        ("people", '[{"age":NaN}]', "people", "JSON text belongs here"),
        ("people", "{}", "people", "an array of objects belongs here, not an object"),
        ("people", '[{"age":"3"}]', "people[0].age", "an integer belongs here, not a string"),
        ("attachment", "a.png", "attachment", "a file belongs here, in a part that has a filename"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    read: Read, name: str, text: str, field: str, why: str
) -> None:
    with pytest.raises(RequestError) as caught:
        read(part(name, text))
    assert (str(caught.value), caught.value.fields) == (INVALID_BODY, {field: why})


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
def test_a_limit_names_what_broke_it(read: Read, app: Flask, size: int) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10 * MIB
    for parts, what in (
        ([part("name", b"x" * size)], f"The form's field name is larger than the limit of {MIB} b"),
        ([part("zebra", b"x" * size)], f"A field of the form is larger than the limit of {MIB} b"),
        ([part("name", "", "X: " + "x" * size)], f"head of a part .* the limit of {MIB} bytes"),
    ):
        with pytest.raises(BodyTooLarge, match=what):
            read(*parts)
    with pytest.raises(TooManyParts, match="more parts than the limit of 200"):
        read(*[part("name", "x")] * 201)
    assert read(*[part("names", "x")] * 200)[0]["names"] == ["x"] * 200


def test_the_limit_of_the_whole_is_that_of_the_settings(read: Read) -> None:
    files = part("a", b"x" * 1_000_001).replace(b'"a"', b'"a"; filename="a"')
    for more in ({}, {"environ_overrides": {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}}):
        with pytest.raises(BodyTooLarge, match="The request is larger than the limit of 1000000 b"):
            read(files, **more)


@pytest.mark.parametrize(
    ("text", "charset"),
    [("Grüße", "utf-8"), ("Grüße", "iso-8859-1"), ("Žižek", "windows-1250"), ("Žižek", "utf-16")],
)
def test_a_charset_of_a_part_of_all_or_of_the_whole_is_decoded(
    read: Read, text: str, charset: str
) -> None:
    data = text.encode(charset)
    assert read(part("name", data, f"Content-Type: text/plain; charset={charset}"))[0] == {
        "name": text
    }
    assert read(part("_charset_", charset), part("name", data))[0] == {"name": text}
    assert read(part("name", data), kind=f"; charset={charset}; boundary=b")[0] == {"name": text}


def test_a_charset_that_cannot_be_read_is_told(read: Read) -> None:
    for charset in ("klingon", "utf-7"):
        with pytest.raises(UnreadableBody, match="charset"):
            read(part("name", "x", f"Content-Type: text/plain; charset={charset}"))
    with pytest.raises(UnreadableBody, match="begins with a byte order mark"):
        read(part("name", "x".encode("utf-16-le"), "Content-Type: text/plain; charset=utf-16"))
    with pytest.raises(RequestError) as caught:
        read(part("name", b"\x81", "Content-Type: text/plain; charset=cp1252"))
    assert caught.value.fields == {"name": "The text is to be cp1252, and is not all through"}
    with pytest.raises(RequestError) as caught:
        read(part("zebra", b"\x81", "Content-Type: text/plain; charset=cp1252"))
    assert caught.value.fields == {"body": "The text is to be cp1252, and is not all through"}


@pytest.mark.parametrize(
    ("parts", "more", "detail"),
    [
        ((), {"kind": ""}, "Content-Type names no boundary"),
        ((), {"kind": "; boundary=\u00fc"}, "Content-Type names no boundary"),
        ((), {"end": b"x"}, "does not consist of parts"),
        ((part("name", "x"),), {"end": b""}, "does not consist of parts"),
        ((b"--b\r\n\r\nno head\r\n",), {}, "does not consist of parts"),
        ((b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\r\n',), {}, "not consist"),
        ((), {"end": b"\0" * 1000}, "does not consist of parts"),
    ],
)
def test_what_is_no_form_is_told_so(read: Read, parts: Any, more: Any, detail: str) -> None:
    with pytest.raises(RequestError, match=INVALID_BODY) as caught:
        read(*parts, **more)
    assert detail in caught.value.detail


def test_a_compressed_form_is_told_so(read: Read) -> None:
    with pytest.raises(UnreadableBody, match="gzip"):
        read(part("name", "x"), headers={"Content-Encoding": "gzip"})
