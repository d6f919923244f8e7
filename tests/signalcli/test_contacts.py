from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import CallTimedOut, NotFound, Refused, RequestError
from signal_bridge.signalcli import contacts
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.contacts import ContactChange

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
    assert contacts.update_contact(ME, ContactChange(*arguments)) == Call("updateContact", params)


def test_changing_a_contact_needs_a_recipient() -> None:
    with pytest.raises(RequestError, match=r"^Couldn't process request - recipient missing$"):
        contacts.update_contact(ME, ContactChange("", "x"))


@pytest.mark.parametrize("seconds", [-1, 2**31])
def test_a_timer_has_to_be_one_that_signal_cli_can_hold(seconds: int) -> None:
    with pytest.raises(RequestError, match=r"expiration_in_seconds must be between 0 and"):
        contacts.update_contact(ME, ContactChange("+491", expiration_in_seconds=seconds))


LINKED = Refused("This command doesn't work on linked devices.", -1)
OTHER = Refused("Update contact error: Connection closed!", -3)
BOTH = "Changed: expiration_in_seconds. Not changed: name. "


@pytest.mark.parametrize(
    ("change", "error", "rows", "told"),
    [
        # the order is known: first the timer, then the name, given or not
        (ContactChange("+491", None, 60), LINKED, None, None),
        (ContactChange("+491", "x", 60), LINKED, None, BOTH + str(LINKED)),
        (ContactChange("+491", "x"), LINKED, None, str(LINKED)),
        (ContactChange("+491"), LINKED, None, str(LINKED)),
        # any other refusal may come before or after
        (ContactChange("+491", None, 60), OTHER, [{"messageExpirationTime": 60}], None),
        (ContactChange("+491", None, 60), OTHER, [{"messageExpirationTime": 0}], str(OTHER)),
        (ContactChange("+491", "x", 60), OTHER, [{"messageExpirationTime": 60}], BOTH + str(OTHER)),
        (ContactChange("+491", "x", 60), OTHER, [{"messageExpirationTime": 60, "name": "x"}], None),
        *((ContactChange("+491", "x", 60), OTHER, odd, str(OTHER)) for odd in (None, [], "x", [5])),
    ],
)
def test_of_a_refused_change_what_was_done_is_no_failure(
    change: ContactChange, error: Refused, rows: Any, told: str | None
) -> None:
    left = contacts.refused_change(change, error, rows)
    assert (None if left is None else str(left)) == told


def test_how_much_was_done_is_only_asked_when_it_is_not_known() -> None:
    timer = ContactChange("foo.01", None, 60)
    look = contacts.look_at_contact(ME, timer, OTHER)
    assert look is not None
    assert (look.method, look.params) == (
        "listContacts",
        {"recipient": "u:foo.01", "allRecipients": True, "account": ME},
    )
    assert contacts.look_at_contact(ME, timer, LINKED) is None
    assert contacts.look_at_contact(ME, ContactChange("foo.01", "x"), OTHER) is None


def test_a_list_that_takes_long_says_why_and_that_again_helps() -> None:
    late = CallTimedOut("signal-cli did not answer within 120 s", request_written=True)
    told = contacts.still_refreshing(late)
    assert told.retryable
    assert "fetching the profiles" in str(told)
    assert str(late) in str(told)


def test_a_group_is_no_contact() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        contacts.update_contact(ME, ContactChange("group.xx"))


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
    assert contacts.required_numbers(["", "+491"]) == ["", "+491"]
    with pytest.raises(RequestError, match=r"^Please provide numbers to query for$"):
        contacts.required_numbers([])
    assert contacts.search(ME, [""]).params == {"recipient": [""], "account": ME}


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
