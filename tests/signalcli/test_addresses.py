from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.addresses import (
    Kind,
    Recipient,
    classify,
    conversation,
    destination,
    destination_v1,
    internal_group_id,
    person,
    required_group_id,
    rest_group_id,
)

INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
REST = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
UUID = "11111111-1111-1111-1111-111111111111"

internal_ids = st.binary(min_size=32, max_size=32).map(lambda raw: base64.b64encode(raw).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+491",
        "+",
        "+49 15 1",
        UUID,
        UUID.upper().replace("1", "A"),
        "{" + UUID + "}",
        "urn:uuid:" + UUID,
        "URN:UUID:" + UUID,
        "1" * 32,
    ],
)
def test_numbers_and_uuids_are_numbers_as_they_are_written(text: str) -> None:
    assert classify(text) == Recipient(Kind.NUMBER, text)


@pytest.mark.parametrize(
    "text",
    [
        "user.01",
        "foo",
        "u:foo.01",
        "PNI:" + UUID,
        "4915112345",
        " +491 ",
        "+49x",
        "+49١",  # a digit, but not of ASCII
        "group.12345",
        "group.abc",
        "group.!!",
        "{" + UUID,
        "1" * 31,
    ],
)
def test_whatever_is_nothing_else_is_a_username(text: str) -> None:
    assert classify(text) == Recipient(Kind.USERNAME, text)


@pytest.mark.parametrize("text", [REST, INTERNAL, REST.removeprefix("group.")])
def test_a_group_is_known_by_every_spelling_of_its_id(text: str) -> None:
    assert classify(text) == Recipient(Kind.GROUP, INTERNAL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group.1234", "Invalid identifier group.1234"),
        ("group.YWJjZA==", "Invalid Signal group size (3"),
        ("group.", "Invalid Signal group size (0"),
        ("group.abcdefghijk", "Invalid identifier group.abcdefghijk"),
        ("group.ääääää", "Invalid identifier group.ääääää"),  # twelve bytes
        ("group." + INTERNAL, "Invalid identifier group." + INTERNAL),
    ],
)
def test_what_looks_like_a_group_and_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        classify(text)
    assert str(caught.value) == message


@given(internal_ids)
def test_every_group_id_survives_being_shown_and_given_back(internal_id: str) -> None:
    shown = rest_group_id(internal_id)
    assert len(shown) == 66
    assert not set("+/") & set(shown)
    assert internal_group_id(shown) == internal_id
    assert internal_group_id(shown.removeprefix("group.")) == internal_id
    assert internal_group_id(internal_id) == internal_id
    assert classify(shown) == classify(internal_id) == Recipient(Kind.GROUP, internal_id)


@given(st.text().filter(lambda text: not text.startswith("group.")))
def test_only_what_starts_as_a_group_can_be_refused(text: str) -> None:
    found = classify(text)
    assert found.kind is Kind.GROUP or found.value == text


@given(st.text() | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()))
def test_what_starts_as_a_group_is_one_or_a_short_username_or_refused(rest: str) -> None:
    text = "group." + rest
    try:
        outcome: object = classify(text)
    except RequestError as error:
        outcome = str(error).partition(" (")[0]
    group = outcome.value if isinstance(outcome, Recipient) else ""
    assert outcome in (
        Recipient(Kind.GROUP, group),
        Recipient(Kind.USERNAME, text),
        f"Invalid identifier {text}".partition(" (")[0],
        "Invalid Signal group size",
    )


@given(st.uuids())
def test_every_uuid_is_a_number(value: uuid.UUID) -> None:
    assert classify(str(value)).kind is Kind.NUMBER
    assert person(str(value)) == str(value)


@pytest.mark.parametrize(
    "text", ["!!!", "group.!!", "a", "group.a-_=", "/w==", "group." + INTERNAL]
)
def test_an_invalid_group_id_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        internal_group_id(text)


def test_a_group_id_of_another_length_is_left_to_signal_cli() -> None:
    assert internal_group_id("group.eA==") == "x"
    assert internal_group_id("") == ""


def test_an_empty_group_id_is_refused_where_one_is_required() -> None:
    with pytest.raises(RequestError, match=r"^Please specify a group id$"):
        required_group_id("")
    assert required_group_id(REST) == INTERNAL


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("user.01", "u:user.01"),
        ("foo", "u:foo"),
        ("_x.12", "u:_x.12"),
        ("group.12345", "u:group.12345"),
        ("u:user.01", "u:user.01"),
        ("PNI:" + UUID, "PNI:" + UUID),
        (UUID, UUID),
        ("abcdefab-1111-1111-1111-111111111111",) * 2,
        ("a" * 32,) * 2,
        ("+491", "+491"),
        ("4915112345", "4915112345"),
        ("", ""),
        ("group.xx", "group.xx"),
        ("p" + INTERNAL[1:],) * 2,
    ],
)
def test_a_username_gets_its_prefix_and_nobody_else_does(text: str, sent: str) -> None:
    assert person(text) == sent


@given(st.text())
def test_a_prefix_is_never_put_twice(text: str) -> None:
    assert person(person(text)) == person(text)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        ("+491", {"recipient": "+491"}),
        ("user.01", {"recipient": "u:user.01"}),
        (REST, {"group-id": INTERNAL}),
        (INTERNAL, {"group-id": INTERNAL}),
    ],
)
def test_a_conversation_is_with_a_person_or_a_group(text: str, params: dict[str, str]) -> None:
    assert conversation(text) == params


def test_a_conversation_with_a_group_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        conversation("group.!!")


BOB = "+491"


@pytest.mark.parametrize(
    ("recipients", "target"),
    [
        ([BOB, "+492", BOB], {"recipient": [BOB, "+492", BOB]}),
        ([UUID, BOB], {"recipient": [UUID, BOB]}),
        ([""], {"recipient": [""]}),
        (["user.01", "foo"], {"username": ["user.01", "foo"]}),
        ([REST], {"group-id": INTERNAL}),
        ([INTERNAL], {"group-id": INTERNAL}),
    ],
)
def test_recipients_of_one_kind_go_into_one_call(
    recipients: list[str], target: dict[str, Any]
) -> None:
    assert destination(recipients) == target


TOGETHER = (
    "{} cannot be specified together in one request! Please split them up into multiple REST API "
    "calls."
)


@pytest.mark.parametrize(
    ("recipients", "text"),
    [
        ([REST, BOB], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        ([REST, "user.01"], TOGETHER.format("Signal Messenger Groups and usernames")),
        ([BOB, "user.01"], TOGETHER.format("Signal Messenger phone numbers and usernames")),
        (["user.01", BOB, REST], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        (
            [REST, REST],
            "A signal message cannot be sent to more than one group at once! Please use multiple "
            "REST API calls for that.",
        ),
        ([BOB, REST, "group.YWJjZA=="], "Invalid Signal group size (3"),
    ],
)
def test_recipients_of_several_kinds_are_refused(recipients: list[str], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        destination(recipients)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("recipients", "is_group", "text"),
    [
        ([], False, "Please specify at least one recipient"),
        ([], True, "Please specify at least one recipient"),
        (["a", "b"], True, "More than one recipient is currently not allowed"),
        ([REST], True, "Invalid group id"),
        (["!"], True, "Invalid group id"),
    ],
)
def test_the_old_send_refuses(recipients: list[str], is_group: bool, text: str) -> None:
    with pytest.raises(RequestError, match=f"^{text}$"):
        destination_v1(recipients, is_group)
