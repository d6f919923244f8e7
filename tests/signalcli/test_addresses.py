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
    account,
    classify,
    conversation,
    destination,
    destination_v1,
    from_url,
    group_id,
    internal_group_id,
    mentioned,
    number_to_register,
    optional_person,
    person,
    required_group_id,
    rest_group_id,
    sender,
)
from tests.signalcli.spellings import (
    GROUP,
    GROUP_SPELLINGS,
    LEGACY_GROUP,
    LEGACY_GROUP_SPELLINGS,
    LINK,
    LINK_SPELLINGS,
    NO_NUMBERS,
    NOBODY,
    NUMBER,
    NUMBER_SPELLINGS,
    PNI,
    PNI_SPELLINGS,
    USERNAME,
    USERNAME_SPELLINGS,
    UUID,
    UUID_SPELLINGS,
)

INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
REST = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="

numbers = st.from_regex(r"\+[1-9][0-9]{0,14}", fullmatch=True)
usernames = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{2,31}\.[0-9]{2,9}", fullmatch=True)
links = st.binary(min_size=48, max_size=48).map(
    lambda raw: f"https://signal.me/#eu/{base64.urlsafe_b64encode(raw).decode()}"
)
internal_ids = st.one_of(
    st.binary(min_size=size, max_size=size).map(lambda raw: base64.b64encode(raw).decode())
    for size in (32, 16)
)
pnis = st.uuids().map(lambda value: f"PNI:{value}")


def refusal(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        classify(text)
    return str(caught.value)


# -- every spelling of everybody -------------------------------------------------------------------


@pytest.mark.parametrize("text", NUMBER_SPELLINGS)
def test_a_number_is_its_plus_and_digits_however_it_is_written(text: str) -> None:
    assert classify(text) == Recipient(Kind.NUMBER, NUMBER)


@pytest.mark.parametrize("text", UUID_SPELLINGS)
def test_a_uuid_is_written_small_and_with_hyphens(text: str) -> None:
    assert classify(text) == Recipient(Kind.NUMBER, UUID)


@pytest.mark.parametrize("text", PNI_SPELLINGS)
def test_a_pni_is_no_username(text: str) -> None:
    assert classify(text) == Recipient(Kind.NUMBER, PNI)


@pytest.mark.parametrize("text", USERNAME_SPELLINGS)
def test_a_username_may_be_marked_as_one(text: str) -> None:
    assert classify(text) == Recipient(Kind.USERNAME, USERNAME)


@pytest.mark.parametrize("text", ["foo", "_x.12", "group.12345", "u.01", "a" * 32])
def test_a_name_may_have_no_digits_and_look_like_something_else(text: str) -> None:
    expected = Recipient(Kind.NUMBER, str(uuid.UUID("a" * 32)))
    assert classify(text) == (expected if text == "a" * 32 else Recipient(Kind.USERNAME, text))


@pytest.mark.parametrize("text", LINK_SPELLINGS)
def test_a_username_may_be_given_by_its_link(text: str) -> None:
    assert classify(text) == Recipient(Kind.USERNAME, LINK)


@pytest.mark.parametrize("text", GROUP_SPELLINGS)
def test_a_group_is_known_by_every_spelling_of_its_id(text: str) -> None:
    assert classify(text) == Recipient(Kind.GROUP, GROUP)
    assert group_id(text) == internal_group_id(text) == GROUP


@pytest.mark.parametrize("text", LEGACY_GROUP_SPELLINGS)
def test_a_legacy_group_is_a_group(text: str) -> None:
    assert classify(text) == Recipient(Kind.GROUP, LEGACY_GROUP)
    assert group_id(text) == internal_group_id(text) == LEGACY_GROUP


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_number_that_cannot_be_called_from_abroad_is_refused(text: str) -> None:
    shown = text.strip()
    assert refusal(text) == (
        f"{shown} is not an international number: it must begin with + and the country code"
    )


@pytest.mark.parametrize("text", NOBODY)
def test_what_signal_cli_would_guess_at_is_refused(text: str) -> None:
    said = refusal(text)
    assert "names nobody" in said
    assert "username" not in said


def test_the_empty_text_is_refused() -> None:
    assert refusal(" \n") == "A recipient is empty"


def test_of_a_long_text_only_the_beginning_is_shown() -> None:
    assert len(refusal("!" * 10_000)) < 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group.1234", "Invalid identifier group.1234"),
        ("group.YWJjZA==", "Invalid Signal group size (3"),
        ("group.", "Invalid Signal group size (0"),
        ("group.abcdefghijk", "Invalid group id"),
        ("group.!!", "Invalid group id"),
        ("group.abc", "Invalid group id"),
        ("group.ääääää", "Invalid group id"),
    ],
)
def test_what_looks_like_a_group_and_is_none_is_refused(text: str, message: str) -> None:
    assert refusal(text) == message


# -- properties ------------------------------------------------------------------------------------


@given(st.one_of(numbers, usernames, links, internal_ids, pnis, st.uuids().map(str)))
def test_what_was_read_is_read_again_as_the_same(text: str) -> None:
    found = classify(text)
    assert found.value == text
    assert classify(found.value) == found


@given(st.one_of(numbers, usernames, links, pnis, st.uuids().map(str)))
def test_a_person_is_the_same_person_when_read_again(text: str) -> None:
    assert person(person(text)) == person(text)


@given(internal_ids)
def test_every_group_id_survives_being_shown_and_given_back(internal_id: str) -> None:
    shown = rest_group_id(internal_id)
    assert not set("+/") & set(shown)
    assert internal_group_id(shown) == internal_id
    assert internal_group_id(shown.removeprefix("group.")) == internal_id
    assert classify(shown) == classify(internal_id) == Recipient(Kind.GROUP, internal_id)


@given(st.text() | st.text(alphabet="+0123456789 -()./u:PNIgroup.=").map(str))
def test_whatever_is_written_is_somebody_in_the_one_spelling_or_refused(text: str) -> None:
    try:
        found = classify(text)
    except RequestError:
        return
    assert classify(found.value) == found


@given(st.text())
def test_the_account_of_any_text_is_read_again_as_the_same(text: str) -> None:
    assert account(account(text)) == account(text)


@given(st.text() | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()))
def test_what_starts_as_a_group_is_one_or_a_short_username_or_refused(rest: str) -> None:
    text = "group." + rest
    try:
        found = classify(text)
    except RequestError:
        return
    assert found.kind is Kind.GROUP or (found.kind is Kind.USERNAME and found.value[6:].isdecimal())


# -- groups in paths -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["!!!", "group.!!", "a", "group.a-_=", "/w==", "group.eA==", "nope"]
)
def test_an_invalid_group_id_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        internal_group_id(text)


def test_an_empty_group_id_is_refused_where_one_is_required() -> None:
    with pytest.raises(RequestError, match=r"^Please specify a group id$"):
        required_group_id("")
    assert internal_group_id("") == ""
    assert required_group_id(REST) == INTERNAL


# -- people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (USERNAME, f"u:{USERNAME}"),
        (f"u:{USERNAME}", f"u:{USERNAME}"),
        ("group.12345", "u:group.12345"),
        (LINK, f"u:{LINK}"),
        (PNI, PNI),
        (UUID.upper(), UUID),
        ("0049 151-12345", NUMBER),
    ],
)
def test_a_username_gets_its_prefix_and_nobody_else_does(text: str, sent: str) -> None:
    assert person(text) == optional_person(text) == sent


@pytest.mark.parametrize("text", [GROUP, LEGACY_GROUP, REST])
def test_a_group_is_no_person(text: str) -> None:
    with pytest.raises(RequestError, match="is a group, and a person belongs here"):
        person(text)


def test_nobody_may_be_named_where_that_is_allowed() -> None:
    assert optional_person("") == ""
    with pytest.raises(RequestError):
        person("")
    with pytest.raises(RequestError):
        optional_person(" ")


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        ("+49 1", {"recipient": "+491"}),
        ("user.01", {"recipient": "u:user.01"}),
        (REST, {"group-id": INTERNAL}),
        (INTERNAL, {"group-id": INTERNAL}),
        (LEGACY_GROUP, {"group-id": LEGACY_GROUP}),
    ],
)
def test_a_conversation_is_with_a_person_or_a_group(text: str, params: dict[str, str]) -> None:
    assert conversation(text) == params


def test_a_conversation_with_a_group_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        conversation("group.!!")


def test_a_plus_that_became_a_space_in_a_url_is_a_plus() -> None:
    assert from_url(" 4915112345") == NUMBER
    assert from_url(NUMBER) == NUMBER
    assert from_url(" name.01") == " name.01"


@pytest.mark.parametrize(("text", "read"), [("0049 1", "+491"), (UUID.upper(), UUID)])
def test_a_sender_is_a_number_or_a_uuid(text: str, read: str) -> None:
    assert sender(text) == read


@pytest.mark.parametrize("text", [USERNAME, REST, "4915112345", ""])
def test_nobody_else_is_a_sender(text: str) -> None:
    with pytest.raises(RequestError):
        sender(text)


# -- accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*NUMBER_SPELLINGS[:20], "4915112345", " 4915112345", "49 151 123-45"]
)
def test_an_account_is_its_number_however_it_is_written(text: str) -> None:
    assert account(text) == NUMBER


@pytest.mark.parametrize(
    ("text", "read"), [(UUID.upper(), UUID), *((t, t) for t in ("", "*", " ", "49", "0151", "x"))]
)
def test_what_is_no_number_stays_for_signal_cli_to_refuse(text: str, read: str) -> None:
    assert account(text) == read


@pytest.mark.parametrize("text", ["0049 151 12345", " 4915112345", NUMBER])
def test_an_account_is_made_of_an_international_number(text: str) -> None:
    assert number_to_register(text) == NUMBER
    assert number_to_register("") == ""


@pytest.mark.parametrize("text", ["4915112345", "015112345", UUID, "x"])
def test_an_account_is_made_of_nothing_else(text: str) -> None:
    with pytest.raises(RequestError, match="is not an international number"):
        number_to_register(text)


# -- where a message goes --------------------------------------------------------------------------

BOB = "+491"


@pytest.mark.parametrize(
    ("recipients", "target"),
    [
        ([BOB, "+49 2", BOB], {"recipient": [BOB, "+492", BOB]}),
        ([UUID, BOB, PNI], {"recipient": [UUID, BOB, PNI]}),
        (["user.01", "u:foo"], {"username": ["user.01", "foo"]}),
        ([REST], {"group-id": INTERNAL}),
        ([INTERNAL], {"group-id": INTERNAL}),
        ([LEGACY_GROUP], {"group-id": LEGACY_GROUP}),
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
ONE_GROUP = (
    "A signal message cannot be sent to more than one group at once! Please use multiple REST API "
    "calls for that."
)


@pytest.mark.parametrize(
    ("recipients", "text"),
    [
        ([REST, BOB], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        ([REST, "user.01"], TOGETHER.format("Signal Messenger Groups and usernames")),
        ([BOB, "user.01"], TOGETHER.format("Signal Messenger phone numbers and usernames")),
        (["user.01", BOB, REST], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        ([REST, INTERNAL], ONE_GROUP),
        ([BOB, REST, "group.YWJjZA=="], "Invalid Signal group size (3"),
    ],
)
def test_recipients_of_several_kinds_are_refused(recipients: list[str], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        destination(recipients)
    assert str(caught.value) == text


def test_an_empty_recipient_is_left_to_signal_cli_as_in_the_peer() -> None:
    assert destination([BOB, ""]) == {"recipient": [BOB, ""]}


def test_the_old_send_wants_a_group_without_its_prefix_as_the_peer_does() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        destination_v1([REST], is_group=True)


@pytest.mark.parametrize(
    ("text", "author"),
    [("u", "u"), ("user.01", "u:user.01"), ("ABCDEF" * 5 + "AB", None)],
)
def test_who_is_mentioned_is_read_as_any_person_but_for_half_a_name(
    text: str, author: str | None
) -> None:
    wanted = str(uuid.UUID(text)) if author is None else author
    assert mentioned(text) == wanted


@pytest.mark.parametrize(
    ("recipients", "is_group", "target"),
    [
        (["+49 1", "user.01", UUID], False, {"recipient": [BOB, "u:user.01", UUID]}),
        ([REST], False, {"group-id": INTERNAL}),
        ([INTERNAL], True, {"group-id": INTERNAL}),
        ([REST.removeprefix("group.")], True, {"group-id": INTERNAL}),
    ],
)
def test_the_old_send_goes_to_people_of_every_kind_or_to_a_group(
    recipients: list[str], is_group: bool, target: dict[str, Any]
) -> None:
    assert destination_v1(recipients, is_group) == target


@pytest.mark.parametrize(
    ("recipients", "is_group", "text"),
    [
        ([], False, "Please specify at least one recipient"),
        ([], True, "Please specify at least one recipient"),
        (["a", "b"], True, "More than one recipient is currently not allowed"),
        (["!"], True, "Invalid group id"),
        ([""], True, "Invalid group id"),
        ([REST, BOB], False, TOGETHER.format("Signal Messenger Groups and phone numbers")),
    ],
)
def test_the_old_send_refuses(recipients: list[str], is_group: bool, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        destination_v1(recipients, is_group)
    assert str(caught.value) == text


@pytest.mark.parametrize("text", ["x" * 1001, " " * 1000 + BOB, "\ufdfa" * 100_000])
def test_a_text_of_any_size_is_nobody(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        classify(text)
    assert len(str(caught.value)) < 250
    assert account(text) == text


def test_a_group_of_any_size_is_none() -> None:
    assert group_id(" " * 1000 + INTERNAL) is None
