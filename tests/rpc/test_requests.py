"""What is a request, and how requests are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.rpc.requests import (
    BRIEF,
    MEMBERS,
    NO_ID,
    Invalid,
    Request,
    Wording,
    encode,
    error_object,
    error_reply,
    is_batch,
    read_request,
    result_reply,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
containers = st.lists(values, max_size=3) | st.dictionaries(texts, values, max_size=3)
almost_requests = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | values,
        "method": texts | values,
        "params": containers | values,
        "id": scalars | values,
        "result": values,
        "foo": values,
    },
)

VERSION = {"jsonrpc": "2.0", "method": "version"}


# -- what is a request -----------------------------------------------------------------------------


@given(texts, st.none() | containers, scalars)
def test_a_request_is_read_as_it_was_written(method: str, params: Any, request_id: Any) -> None:
    written = {"jsonrpc": "2.0", "method": method, "params": params, "id": request_id}
    assert read_request(written) == Request(method, params, request_id)


@pytest.mark.parametrize("request_id", [1, 1.5, "x", "", True, False, None, 0, 2**70])
def test_every_scalar_is_an_id_that_gets_its_reply(request_id: Any) -> None:
    found = read_request({**VERSION, "id": request_id})
    assert isinstance(found, Request)
    assert found.wants_reply
    assert found.id is request_id


def test_without_an_id_it_is_a_notification() -> None:
    found = read_request(VERSION)
    assert found == Request("version", None, NO_ID)
    assert isinstance(found, Request)
    assert not found.wants_reply


@pytest.mark.parametrize(
    ("method", "name"), [(5, "5"), (True, "true"), (["a"], '["a"]'), ({}, "{}"), ("", "")]
)
def test_a_method_that_is_no_text_is_named_by_its_json(method: Any, name: str) -> None:
    assert read_request({"jsonrpc": "2.0", "method": method}) == Request(name)


@pytest.mark.parametrize("member", ["result", "error"])
@pytest.mark.parametrize("rest", [{}, VERSION, {"foo": 1}])
def test_what_has_a_result_or_an_error_is_a_response(member: str, rest: dict[str, Any]) -> None:
    assert read_request({**rest, member: None}) is None


# -- what is none ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (42, "unexpected type: NUMBER"),
        (1.5, "unexpected type: NUMBER"),
        ("x", "unexpected type: STRING"),
        (None, "unexpected type: NULL"),
        (False, "unexpected type: BOOLEAN"),
        ([VERSION], "unexpected type: ARRAY"),
        ([], "invalid request"),
        ({}, "only jsonrpc version 2.0 is supported"),
        ({"method": "version"}, "only jsonrpc version 2.0 is supported"),
        ({**VERSION, "jsonrpc": 2.0}, "only jsonrpc version 2.0 is supported"),
        ({"jsonrpc": "2.0"}, "method field must be set"),
        ({"jsonrpc": "2.0", "method": None}, "method field must be set"),
        ({**VERSION, "foo": 1}, 'Unrecognized field "foo", not marked as ignorable'),
        ({**VERSION, "params": ""}, "Problem deserializing property 'params'"),
        ({**VERSION, "id": []}, "Problem deserializing property 'id'"),
    ],
)
def test_what_is_no_request_is_told_in_the_words_of_signal_cli(value: Any, why: str) -> None:
    assert read_request(value) == Invalid(why)


@pytest.mark.parametrize("flaw", [{"foo": 1}, {"params": 3}, {"jsonrpc": "1.0"}, {"method": None}])
def test_a_refusal_names_the_request_if_it_can_be_named(flaw: dict[str, Any]) -> None:
    for request_id, named in [("x", "x"), (7, 7), (None, None), ([1], None), ({}, None)]:
        found = read_request({**VERSION, **flaw, "id": request_id})
        assert isinstance(found, Invalid)
        assert found.id == named
    found = read_request({**VERSION, **flaw})
    assert isinstance(found, Invalid)
    assert found.id is None


def test_of_several_flaws_the_one_that_signal_cli_sees_first_is_told() -> None:
    request: dict[str, Any] = {"foo": 1, "id": [], "params": 3}
    expected = [
        BRIEF.unknown_member("foo"),
        BRIEF.wrong_value("id", []),
        BRIEF.wrong_value("params", 3),
        "only jsonrpc version 2.0 is supported",
    ]
    for why, mended in zip(expected, ["foo", "id", "params", ""], strict=True):
        assert read_request(request) == Invalid(why)
        request.pop(mended, None)


def test_the_wording_is_the_callers() -> None:
    wording = Wording(lambda name: f"what is {name}?", lambda name, value: f"{name} {value}?")
    assert read_request({**VERSION, "foo": 1}, wording) == Invalid("what is foo?")
    assert read_request({**VERSION, "params": 3}, wording) == Invalid("params 3?")
    assert read_request(5, wording) == Invalid("unexpected type: NUMBER")


@given(values | almost_requests)
def test_whatever_comes_it_is_a_request_a_response_or_invalid(value: Any) -> None:
    found = read_request(value)
    is_response = isinstance(value, dict) and ("result" in value or "error" in value)
    assert (found is None) == is_response
    is_request = (
        isinstance(value, dict)
        and not is_response
        and set(value) <= set(MEMBERS)
        and value.get("jsonrpc") == "2.0"
        and value.get("method") is not None
        and isinstance(value.get("params"), (dict, list, type(None)))
        and not isinstance(value.get("id"), (dict, list))
    )
    assert isinstance(found, Request) == is_request


@pytest.mark.parametrize(
    ("value", "several"), [([VERSION], True), ([1], True), ([], False), (VERSION, False)]
)
def test_an_array_with_something_in_it_is_a_batch(value: Any, several: bool) -> None:
    assert is_batch(value) is several


# -- answers ---------------------------------------------------------------------------------------


def test_the_keys_of_a_reply_stand_in_the_order_of_signal_cli() -> None:
    assert encode(result_reply(1, {"a": None})) == b'{"jsonrpc":"2.0","result":{"a":null},"id":1}'
    refusal = error_reply(None, error_object(-1, "no"))
    error = b'{"code":-1,"message":"no","data":null}'
    assert encode(refusal) == b'{"jsonrpc":"2.0","error":%s,"id":null}' % error
    assert error_object(-4, "no", {"response": 1})["data"] == {"response": 1}


@given(values)
def test_what_is_written_on_one_line_is_read_as_it_was(value: Any) -> None:
    line = encode(value)
    assert b"\n" not in line
    assert json.loads(line) == value


def test_what_orjson_cannot_write_is_written_all_the_same() -> None:
    assert encode({"id": 10**40}) == b'{"id":%d}' % 10**40
    assert encode({"id": "a\ud800é"}) == '{"id":"a?é"}'.encode()
