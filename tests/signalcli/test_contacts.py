from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import contacts
from signal_bridge.signalcli.call import Call

ME = "+4915112345"
UUID = "11111111-1111-1111-1111-111111111111"
ROW = {
    "number": "+491",
    "uuid": UUID,
    "username": "x.1",
    "name": "Name",
    "givenName": "G",
    "familyName": "F",
    "nickName": "nn",
    "nickGivenName": "ng",
    "nickFamilyName": "nf",
    "note": "note",
    "color": "red",
    "isArchived": False,
    "isBlocked": True,
    "messageExpirationTime": 3600,
    "profile": {
        "lastUpdateTimestamp": 17,
        "givenName": "PG",
        "familyName": "PF",
        "about": "ab",
        "hasAvatar": True,
    },
}
SHOWN = {
    "number": "+491",
    "uuid": UUID,
    "name": "Name",
    "profile_name": "PG PF",
    "username": "x.1",
    "color": "red",
    "blocked": True,
    "archived": False,
    "message_expiration": "3600",
    "note": "note",
    "profile": {
        "given_name": "PG",
        "lastname": "PF",
        "about": "ab",
        "has_avatar": True,
        "last_updated_timestamp": 17,
    },
    "given_name": "G",
    "nickname": {"name": "nn", "given_name": "ng", "family_name": "nf"},
}
EMPTY = {
    "number": "",
    "uuid": UUID,
    "name": "",
    "profile_name": "",
    "username": "",
    "color": "",
    "blocked": False,
    "message_expiration": "",
    "note": "",
    "profile": {
        "given_name": "",
        "lastname": "",
        "about": "",
        "has_avatar": False,
        "last_updated_timestamp": 0,
    },
    "given_name": "",
    "nickname": {"name": "", "given_name": "", "family_name": ""},
}


def test_contacts_are_shown_with_all_their_keys() -> None:
    shown = contacts.contacts([ROW, {"number": None, "uuid": UUID, "profile": None}])
    assert shown == [SHOWN, EMPTY]
    assert list(shown[0]) == list(SHOWN)


def test_messages_that_do_not_expire_are_told_from_the_unknown() -> None:
    [shown] = contacts.contacts([{"messageExpirationTime": 0}])
    assert shown["message_expiration"] == "0"


def test_one_contact_is_the_first() -> None:
    assert contacts.one_contact([ROW, {}], UUID) == SHOWN
    with pytest.raises(NotFound) as caught:
        contacts.one_contact([], UUID)
    assert str(caught.value) == f"No user with that id ({UUID}) found"


@pytest.mark.parametrize("result", [{}, "x", [{"isBlocked": "true"}], [{"profile": []}]])
def test_contacts_of_another_type_are_an_invalid_response(result: Any) -> None:
    with pytest.raises(RequestError, match="invalid signal-cli response"):
        contacts.contacts(result)


@pytest.mark.parametrize(
    ("call", "params"),
    [
        (contacts.list_contacts(ME), {"account": ME}),
        (
            contacts.list_contacts(ME, all_recipients=True),
            {"allRecipients": True, "account": ME},
        ),
        (contacts.list_contacts(ME, UUID), {"recipient": UUID, "account": ME}),
        (contacts.list_contacts(ME, "x.01"), {"recipient": "u:x.01", "account": ME}),
    ],
)
def test_contacts_are_asked_for(call: Call, params: dict[str, Any]) -> None:
    assert call == Call("listContacts", params, repeatable=True)


@pytest.mark.parametrize("make", [contacts.list_contacts, contacts.get_contact_avatar])
def test_one_contact_needs_an_id(make: Any) -> None:
    with pytest.raises(RequestError, match=r"^Couldn't process request - uuid missing$"):
        make(ME, "")


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        (("+491",), {"recipient": "+491", "account": ME}),
        (("+491", "x", 60), {"recipient": "+491", "name": "x", "expiration": 60, "account": ME}),
        (("+491", "", 0), {"recipient": "+491", "name": "", "expiration": 0, "account": ME}),
        (("x.01",), {"recipient": "u:x.01", "account": ME}),
        (("0049 1",), {"recipient": "+491", "account": ME}),
    ],
)
def test_a_contact_is_changed_as_given(arguments: Any, params: dict[str, Any]) -> None:
    assert contacts.update_contact(ME, *arguments) == Call("updateContact", params)


def test_changing_a_contact_needs_a_recipient() -> None:
    with pytest.raises(RequestError, match=r"^Couldn't process request - recipient missing$"):
        contacts.update_contact(ME, "", "x")


def test_a_group_is_no_contact() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        contacts.update_contact(ME, "group.xx")


@pytest.mark.parametrize("make", [contacts.list_contacts, contacts.get_contact_avatar])
def test_a_plus_may_have_become_a_space_in_the_path(make: Any) -> None:
    assert "+4915112345" in make(ME, " 4915112345").params.values()


def test_contacts_are_sent_to_the_other_devices() -> None:
    assert contacts.sync_contacts(ME) == Call("sendContacts", {"account": ME})


def test_a_contacts_avatar_is_asked_for() -> None:
    params = {"profile": UUID, "account": ME}
    assert contacts.get_contact_avatar(ME, UUID) == Call("getAvatar", params, repeatable=True)


def test_a_search_is_for_numbers_and_usernames() -> None:
    assert contacts.search(ME, [" 491", "+49-2", "u:x.01"]) == Call(
        "getUserStatus",
        {"recipient": ["+491", "+492"], "username": ["x.01"], "account": ME},
        repeatable=True,
    )
    assert contacts.search(None, ["x.01"]).params == {"username": ["x.01"]}
    assert contacts.search(None, ["+491"]).params == {"recipient": ["+491"]}


def test_a_search_needs_numbers() -> None:
    assert contacts.required_numbers(["", "+491"]) == ["+491"]
    for none in ([], [""]):
        with pytest.raises(RequestError, match=r"^Please provide numbers to query for$"):
            contacts.required_numbers(none)


@pytest.mark.parametrize("text", ["1", "+491,+492", "015112345", UUID, "group.xx", "-"])
def test_a_search_is_for_nothing_that_signal_cli_would_guess_at(text: str) -> None:
    with pytest.raises(RequestError):
        contacts.search(ME, ["+491", text])


def test_a_search_answers_a_number_for_each() -> None:
    found = [
        {"recipient": "+492", "number": "+492", "uuid": "x", "isRegistered": True},
        {"recipient": "+493", "uuid": None, "isRegistered": False},
    ]
    assert contacts.found_numbers(found) == [
        {"number": "+492", "registered": True},
        {"number": "+493", "registered": False},
    ]
