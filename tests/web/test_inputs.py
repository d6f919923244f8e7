"""A request read as the peer reads it: path, query and JSON body."""

from __future__ import annotations

import contextlib
import encodings
import io
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, g
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from signal_bridge.errors import (
    BodyTooLarge,
    ClientGone,
    RequestError,
    TooMuchJson,
    UnreadableBody,
)
from signal_bridge.settings import Settings
from signal_bridge.spool.longstrings import LongString
from signal_bridge.web.edge import inputs
from signal_bridge.web.edge.inputs import (
    INVALID_BODY,
    MALFORMED_NUMBER,
    NUMBER_MISSING,
    account_number,
    query_flag,
    query_number,
    read_body,
    read_strict_body,
    required_number,
)
from signal_bridge.web.edge.jsontext import mistake
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text, Texts, Whole


class Body(BodySchema):
    name = Text()
    file = LongText()
    names = Texts()
    number = Whole()
    flag = Flag()


BODY = Body()
LONG = "x" * 100_000


@pytest.fixture
def read(app: Flask) -> Callable[..., Any]:
    """`read(read_body, b"{…}")` within a request that has this body."""

    def read(reader: Callable[[BodySchema], dict[str, Any]], data: bytes, **options: Any) -> Any:
        with app.test_request_context("/", method="POST", data=data, **options):
            g.request_id, g.began = "the-id", 0.0
            try:
                found = reader(BODY)
                if isinstance(found.get("file"), LongString):
                    found["file"] = found["file"].text()
                return found
            finally:
                app.process_response(Response())

    return read


Read = Callable[..., Any]


# -- the number in the path --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("+4915112345", "+4915112345"), ("%2B4915112345", "+4915112345"), ("", ""),
     ("%252B49", "%2B49"), ("a b", "a b"), ("%C3%BC", "ü"), ("%FF", "\ufffd")],
)  # fmt: skip
def test_a_number_is_decoded_once_more_and_its_plus_stays(text: str, number: str) -> None:
    assert account_number(text) == number


@pytest.mark.parametrize("text", ["%", "%2", "%2x", "+49%", "%zz"])
def test_a_bad_escape_is_a_malformed_number(text: str) -> None:
    with pytest.raises(RequestError, match=MALFORMED_NUMBER):
        account_number(text)


def test_a_number_that_must_be_there_is_missed() -> None:
    assert required_number("%2B49") == "+49"
    with pytest.raises(RequestError, match=NUMBER_MISSING):
        required_number("")


@given(st.text())
def test_any_text_is_a_number_or_a_mistake_of_the_caller(text: str) -> None:
    try:
        assert isinstance(account_number(text), str)
    except RequestError:
        assert "%" in text


# -- the query ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "value"), [("", False), ("?x=true", True), ("?x=false", False), ("?y=true", False)]
)
def test_a_flag_is_true_or_false(app: Flask, query: str, value: bool) -> None:
    with app.test_request_context(f"/{query}"):
        assert query_flag("x") is value


@pytest.mark.parametrize("text", ["", "True", "1", "yes", "true%20", "TRUE"])
def test_any_other_flag_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context(f"/?x={text}"), pytest.raises(RequestError) as caught:
        query_flag("x")
    assert str(caught.value) == (
        "Couldn't process request - x parameter needs to be either 'true' or 'false'"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("-5", -5), ("%2B5", 5), ("007", 7), ("2147483647", 2**31 - 1),
     ("-2147483648", -(2**31))],
)  # fmt: skip
def test_a_number_of_the_query_has_32_bits(app: Flask, text: str, value: int) -> None:
    with app.test_request_context(f"/?x={text}"):
        assert query_number("x", 1) == value


def test_a_number_that_is_not_given_is_the_default(app: Flask) -> None:
    with app.test_request_context("/"):
        assert query_number("x", 42) == 42


@pytest.mark.parametrize(
    "text", ["", "a", "1.5", "1e3", "%201", "2147483648", "-2147483649", "9" * 5000, "٣", "0x1"]
)
def test_any_other_number_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context(f"/?x={text}"), pytest.raises(RequestError, match="numeric"):
        query_number("x", 1)


# -- the body ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [read_body, read_strict_body])
@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"name":"a"}', {"name": "a"}),
        (b' \r\n\t{"name":"a"} \n', {"name": "a"}),
        (b'{"NAME":"a","Number":1}', {"name": "a", "number": 1}),
        (b'{"name":"a","name":"b"}', {"name": "b"}),
        (b'{"name":null}', {}),
        (b'{"names":["a",null]}', {"names": ["a", ""]}),
        (b'{"unknown":{"x":[]}}', {}),
        (b"{}", {}),
        (b"null", {}),
        ('{"name":"ü€😀"}'.encode(), {"name": "ü€😀"}),
        (rb'{"name":"\ud83d\ude00"}', {"name": "😀"}),
        (rb'{"name":"a\ud83d"}', {"name": "a\ufffd"}),
        (b'{"name":"\xff"}', {"name": "\ufffd"}),
    ],
)
def test_a_body_is_read(read: Read, reader: Any, data: bytes, value: Any) -> None:
    assert read(reader, data) == value


@pytest.mark.parametrize(
    "data",
    [b"[]", b"5", b'"x"', b"true", b"{", b'{"name":1}', b'{"name":["a"]}', b'{"number":"1"}',
     b'{"number":1.0}', b'{"number":true}', b'{"flag":1}', b'{"flag":"true"}', b'{"names":"a"}',
     b'{"names":[1]}', b'{"number":NaN}', b'{"number":1e400}', b"nonsense",
     b'{"name":"\n"}', b"[" * 100_000, b'{"x":' * 100_000, b'{"number":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_bad_body_is_a_mistake_of_the_caller(read: Read, data: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read(read_body, data)
    assert str(caught.value) == INVALID_BODY
    with pytest.raises(RequestError) as caught:
        read(read_strict_body, data)
    assert str(caught.value) == f"{INVALID_BODY}."


def test_what_follows_the_value_is_ignored_or_refused(read: Read) -> None:
    assert read(read_body, b'{"name":"a"} and {"more": 1}') == {"name": "a"}
    with pytest.raises(RequestError):
        read(read_strict_body, b'{"name":"a"} x')


def test_no_body_at_all_is_nothing_or_refused(read: Read) -> None:
    assert read(read_strict_body, b"") == {}
    with pytest.raises(RequestError, match=INVALID_BODY):
        read(read_body, b"")


def last_comma(comma: tuple[int, int], wanted: str, found: str) -> tuple[tuple[int, int], str]:
    """What is said of a comma before a closing bracket: from Python 3.13 on that it is there."""
    line, column = comma
    if sys.version_info >= (3, 13):
        return comma, "this comma is one too many"
    return (line, column + 1), f"{wanted} belongs here, not {found}"


@pytest.mark.parametrize(
    ("data", "place", "belongs"),
    [
        (b" ", (1, 2), "a value belongs here, not the end of the body"),
        (b"name=a", (1, 1), "a value belongs here, not a letter"),
        (b'{"name":"a\nb"}', (1, 11), r"within a string a line feed is written as \n"),
        (b'{"name":"\x01"}', (1, 10), r"within a string the control character U+0001 is written as"
                                      r" \u0001"),
        ('{"name":\n  "ü",}'.encode(), *last_comma((2, 6), "a key in double quotes", "}")),
        (b'{"names":["a",]}', *last_comma((1, 14), "a value", "]")),
        (b"{'name':1}", (1, 2), "a key in double quotes belongs here, not a single quote"),
        (b'{"name" "a"}', (1, 9), 'a colon belongs here, not "'),
        (b'{"name":"" ""}', (1, 12), 'a comma or the closing bracket belongs here, not "'),
        (b'{"name":"a', (1, 9), "the string that begins here does not end"),
        (rb'{"name":"\x"}', (1, 11),
         r'a backslash is followed by one of "\/bfnrtu, not by a letter'),
        (rb'{"name":"\u12"}', (1, 11), r"\u is followed by four hexadecimal digits"),
        (b'{"name":"NaN","number":NaN}', (1, 24), "NaN is no JSON number"),
        (b'{"number":-Infinity}', (1, 11), "-Infinity is no JSON number"),
        (b'{"number":' + b"9" * 5000 + b"}", (1, 1011),
         "this number has too many digits: more than 1000"),
        (b'{"number":[' + b"9" * 999 + b",NaN]}", (1, 1012), "NaN is no JSON number"),
        (b"[" * 2000, (1, 101), "arrays or objects are nested too deep: in more than 100"),
        (b'{"name":"' + LONG.encode() + b'",\n"x":' + b'{"x":' * 5000 + b"0" + b"}" * 5001,
         (2, 500), "arrays or objects are nested too deep: in more than 100"),
        (b'{"name":"' + LONG.encode() + b'",]', (1, 100_012),
         "a key in double quotes belongs here, not ]"),
        (b'{"file":\n"' + LONG.encode() + b"\n" + LONG.encode(), (2, 100_002),
         r"within a string a line feed is written as \n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", [read_body, read_strict_body])
def test_what_is_no_json_is_told_by_its_place(
    read: Read, reader: Any, data: bytes, place: tuple[int, int], belongs: str
) -> None:
    with pytest.raises(RequestError) as caught:
        read(reader, data)
    assert caught.value.detail == f"Line {place[0]}, column {place[1]}: {belongs}"
    assert caught.value.fields == {}


def test_to_find_a_mistake_costs_no_memory() -> None:
    text = '{"name":"' + "x\\n" * 500_000 + '","number":NaN}'
    tracemalloc.start()
    try:
        found = mistake(text, ValueError())
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.belongs == "NaN is no JSON number"
    assert peak_bytes < 1_000_000


def test_an_empty_body_is_told_so(read: Read) -> None:
    with pytest.raises(RequestError) as caught:
        read(read_body, b"")
    assert caught.value.detail == "The body is empty; a JSON object belongs there"


def test_a_form_where_json_is_read_is_told_so(read: Read) -> None:
    kind = "application/x-www-form-urlencoded"
    with pytest.raises(RequestError) as caught:
        read(read_body, b"name=a", content_type=kind)
    assert caught.value.detail.endswith(
        f". The body is declared as a form ({kind}), and JSON is read here"
    )
    assert read(read_body, b'{"name":"a"}', content_type=kind) == {"name": "a"}


def test_what_follows_where_nothing_may_follow_is_told(read: Read) -> None:
    with pytest.raises(RequestError) as caught:
        read(read_strict_body, b'{"name":"a"}\n x')
    assert caught.value.detail.startswith("Line 2, column 2: nothing belongs here")


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"[]", {"body": "an object belongs here, not an array"}),
        (b'"x"', {"body": "an object belongs here, not a string"}),
        (b'{"name":42}', {"name": "a string belongs here, not a number"}),
        (b'{"name":8921030565413897538370307}', {"name": "a string belongs here, not a number"}),
        (b'{"flag":92233720368547758070}', {"flag": "true or false belongs here, not a number"}),
        (b'{"NAME":1.5}', {"name": "a string belongs here, not a number with a fraction"}),
        (b'{"names":"a"}', {"names": "an array of strings belongs here, not a string"}),
        (b'{"names":["a",1]}', {"names[1]": "a string belongs here, not a number"}),
        (b'{"number":"1"}', {"number": "an integer belongs here, not a string"}),
        (b'{"number":true}', {"number": "an integer belongs here, not true or false"}),
        (b'{"number":9223372036854775808}',
         {"number": "an integer of 64 bits belongs here, not a longer one"}),
        (b'{"flag":"true","name":{}}', {"name": "a string belongs here, not an object",
                                       "flag": "true or false belongs here, not a string"}),
        (b'{"name":"' + LONG.encode() + rb'\x"}',
         {"name": "a backslash in this string escapes nothing"}),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_named_with_what_belongs_there(
    read: Read, data: bytes, fields: dict[str, str]
) -> None:
    with pytest.raises(RequestError) as caught:
        read(read_body, data)
    assert caught.value.fields == fields
    assert caught.value.detail == "; ".join(f"{name}: {why}" for name, why in fields.items())


def test_of_many_wrong_items_no_more_than_are_told_are_read(read: Read) -> None:
    with pytest.raises(ValidationError) as wrong:
        BODY.read({"names": [1] * 1000})
    assert list(wrong.value.messages["names"]) == list(range(10))
    with pytest.raises(RequestError) as caught:
        read(read_body, json.dumps({"names": ["a", *([1] * 1000)]}).encode())
    assert list(caught.value.fields) == [f"names[{index}]" for index in range(1, 11)]


TEXT = '{"name":"Grüße, Žižek"}'
LATIN = '{"name":"Grüße"}'


@pytest.mark.parametrize("padding", [0, 100_000])
@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("utf-8", None), ("utf-8-sig", None), ("utf-8", "UTF-8"), ("utf-8", '"utf8"'),
        ("utf-8", "us-ascii"), ("utf-8", "utf-16"), ("utf-8-sig", "iso-8859-1"),
        ("utf-16", None), ("utf-16-le", None), ("utf-16-be", None), ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"), ("utf-16", "utf-16"), ("utf-16-be", "utf-8"),
        ("utf-32", None), ("utf-32-le", None), ("utf-32-be", "utf-32"),
        ("iso-8859-2", "iso-8859-2"), ("cp1250", "windows-1250"),
    ],
)  # fmt: skip
def test_a_charset_that_shows_or_is_declared_is_decoded(
    read: Read, charset: str, declared: str | None, padding: int
) -> None:
    kind = "application/json" + (f"; charset={declared}" if declared else "")
    data = (TEXT + " " * padding).encode(charset)
    assert read(read_body, data, content_type=kind) == {"name": "Grüße, Žižek"}


def test_latin_1_is_decoded_and_no_charset_is_guessed(read: Read) -> None:
    kind = "text/plain; charset=ISO-8859-1"
    assert read(read_body, LATIN.encode("latin-1"), content_type=kind) == {"name": "Grüße"}
    assert read(read_body, LATIN.encode("latin-1")) == {"name": "Gr\ufffd\ufffde"}


@pytest.mark.parametrize("charset", ["utf-7", "klingon", "unicode_escape", "idna", "cp037", "x\0y"])
def test_a_charset_that_is_not_known_is_told_so(read: Read, charset: str) -> None:
    with pytest.raises(UnreadableBody, match="charset"):
        read(read_body, b'{"name":"a"}', content_type=f"application/json; charset={charset}")


def test_python_remembers_no_charset_that_is_not_known(read: Read) -> None:
    def looked_up() -> int:
        return len(vars(encodings)["_cache"])

    before = looked_up()
    for charset in ("x-nobody-1", "iso8859-123", "x" * 5000, "utf-8" + "x" * 100):
        with pytest.raises(UnreadableBody, match="charset"):
            read(read_body, b'{"name":"a"}', content_type=f"application/json; charset={charset}")
    assert looked_up() == before


@pytest.mark.parametrize(
    ("data", "declared"),
    [(b'{"name":"\x81"}', "cp1252"), ('{"name":"a"}'.encode("utf-16-le")[:-1], "utf-16")],
)
def test_what_is_not_of_its_charset_is_told_so(read: Read, data: bytes, declared: str) -> None:
    with pytest.raises(RequestError, match=INVALID_BODY) as caught:
        read(read_body, data, content_type=f"application/json; charset={declared}")
    assert "is not all through" in caught.value.detail


def test_a_compressed_body_is_told_so(read: Read) -> None:
    body = b'{"name":"a"}'
    for coding in ("gzip", "GZIP", "deflate", "br", "zstd"):
        with pytest.raises(UnreadableBody, match=coding.lower()):
            read(read_body, body, headers={"Content-Encoding": coding})
    for coding in ("identity", "utf-8", ""):  # the last but one is a common mistake
        assert read(read_body, body, headers={"Content-Encoding": coding}) == {"name": "a"}


def test_the_content_type_means_nothing(read: Read) -> None:
    assert read(read_body, b'{"name":"a"}', content_type="text/plain") == {"name": "a"}
    assert read(read_body, b'{"name":"a"}', content_type="image/png") == {"name": "a"}


def test_long_strings_are_read_from_their_files_and_those_are_removed(
    read: Read, settings: Settings
) -> None:
    data = json.dumps({"name": LONG, "file": LONG + "ü", "names": [LONG, "a"]}).encode()
    assert read(read_body, data) == {"name": LONG, "file": LONG + "ü", "names": [LONG, "a"]}
    assert list(Path(settings.uploads_dir).glob("*")) == []


def test_a_long_string_where_a_number_belongs_is_refused(read: Read) -> None:
    with pytest.raises(RequestError, match=INVALID_BODY):
        read(read_body, json.dumps({"number": LONG}).encode())


@pytest.mark.parametrize("reader", [read_body, read_strict_body])
@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b'{"x":[' + b"{}," * 100_000 + b"0]}",
         "Line 1, column 262146: more than 262144 bytes lie outside of strings"),
        (b'{"x":[\n' + b'{"":0},' * 20_001 + b"0]}",
         "Line 2, column 139997: there are more than 20000 keys"),
    ],
)  # fmt: skip
def test_more_structure_than_any_body_needs_is_refused_with_its_place(
    read: Read, reader: Any, data: bytes, detail: str
) -> None:
    for body in (data, data.decode().encode("utf-16")):
        with pytest.raises(TooMuchJson) as caught:
            read(reader, body)
        assert caught.value.detail == detail


def test_what_is_refused_for_its_structure_is_not_read_on(app: Flask) -> None:
    endless = Endless(b'",[],"')
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True}
    with (
        app.test_request_context("/", method="POST", environ_overrides=environ),
        pytest.raises(TooMuchJson),
    ):
        read_body(BODY)
    assert endless.given_bytes < 700_000


def test_as_much_structure_as_is_allowed_is_read(read: Read) -> None:
    deep = b"[" * 98 + b'"\\u0041"' + b"]" * 98
    assert read(read_body, b'{"name":"a","x":[' + deep + b"]}") == {"name": "a"}
    many = b",".join([b'{"":0}'] * 19_000)
    assert read(read_body, b'{"name":"a","x":[' + many + b"]}") == {"name": "a"}


def test_what_is_read_into_memory_is_bounded_for_the_whole_body(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "MOST_TEXT_BYTES", 250_000)
    twice = {"name": LONG, "names": [LONG]}
    assert read(read_body, json.dumps(twice).encode()) == twice
    for more in ({"names": [LONG, LONG]}, {"x": ["x" * 60_000] * 5}):
        with pytest.raises(BodyTooLarge, match=r"held in memory .* the limit of 250000 bytes"):
            read(read_body, json.dumps(twice | more).encode())


def test_a_long_string_that_is_no_json_is_refused(read: Read) -> None:
    with pytest.raises(RequestError, match=INVALID_BODY):
        read(read_body, b'{"name":"' + LONG.encode() + rb'\x"}')


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_mistake_of_the_caller(read: Read, data: bytes) -> None:
    for reader in (read_body, read_strict_body):
        with contextlib.suppress(RequestError):
            assert isinstance(read(reader, data), dict)


# -- sizes, and clients that go away -----------------------------------------------------------


def test_a_body_that_says_it_is_too_large_is_not_read(read: Read) -> None:
    with pytest.raises(RequestEntityTooLarge):
        read(read_body, b'{"name":"' + b"x" * 1_000_001)


class Endless:
    """A body of unknown length that goes on and on."""

    def __init__(self, unit: bytes) -> None:
        self.unit = unit
        self.given_bytes = 0

    def read(self, size: int = -1) -> bytes:
        first = b"" if self.given_bytes else b'["'
        self.given_bytes += size
        return first + (self.unit * size)[: size - len(first)]


def test_a_body_of_unknown_length_is_read_up_to_the_limit(app: Flask) -> None:
    endless = Endless(b"x")
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True}
    with (
        app.test_request_context("/", method="POST", environ_overrides=environ),
        pytest.raises(RequestEntityTooLarge),
    ):
        read_body(BODY)
    assert endless.given_bytes < 2_000_000


class Broken:
    """A client that goes away in the middle."""

    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError("gone")


@pytest.mark.parametrize("length", [10, 200_000])
def test_a_client_that_goes_away_is_told_from_one_that_is_wrong(app: Flask, length: int) -> None:
    environ = {"wsgi.input": Broken(), "CONTENT_LENGTH": str(length)}
    with (
        app.test_request_context("/", method="POST", environ_overrides=environ),
        pytest.raises(ClientGone),
    ):
        read_body(BODY)


@pytest.mark.parametrize("length", [100, 200_000])
def test_a_body_that_is_cut_off_is_told_from_one_that_is_wrong(app: Flask, length: int) -> None:
    environ = {"wsgi.input": io.BytesIO(b'{"name":"a"'), "CONTENT_LENGTH": str(length)}
    with (
        app.test_request_context("/", method="POST", environ_overrides=environ),
        pytest.raises(ClientGone),
    ):
        read_body(BODY)


def test_the_limit_of_short_bodies_is_the_limit_of_long_strings() -> None:
    """A body that is read at once can hold no string that belongs on disk."""
    assert inputs.LONG_STRING_BYTES == 64 * 1024
