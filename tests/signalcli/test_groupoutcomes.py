"""What became of a group that was to be made or changed."""

from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import Refused, SignalUnreachable
from signal_bridge.signalcli import groupoutcomes as outcomes
from signal_bridge.signalcli.groups import GroupChange, MemberChange, NewGroup, Permissions

ME = "+4915112345"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
LEGACY = "E+4TpHMp2YYTVkErlYCTJw=="
NO = Refused("boom", -1)
ROW = {
    "id": INTERNAL,
    "name": "new",
    "description": None,
    "messageExpirationTime": 60,
    "permissionAddMember": "EVERY_MEMBER",
    "permissionEditDetails": "ONLY_ADMINS",
    "permissionSendMessage": "EVERY_MEMBER",
    "groupInviteLink": "https://signal.group/#x",
}


@pytest.mark.parametrize(
    ("group_id", "legacy"),
    [(LEGACY, True), (INTERNAL, False), ("", False), ("x", False), ("ä" * 24, False)],
)
def test_a_group_of_the_old_kind_is_known_by_its_id(group_id: str, legacy: bool) -> None:
    assert outcomes.is_legacy(group_id) is legacy


def test_a_group_that_could_not_be_made_says_why_and_what_helps() -> None:
    gone, stays = outcomes.only_legacy(None), outcomes.only_legacy(LEGACY)
    for error in (gone, stays):
        assert str(error).startswith("The group was not made.")
        assert "PUT /v1/profiles/{number}" in str(error)
    assert "deleted again" in str(gone)
    assert LEGACY in str(stays)


def test_members_that_were_refused_say_what_became_of_the_group() -> None:
    error = SignalUnreachable("no network", -3)
    gone, stays = outcomes.without_members(error, None), outcomes.without_members(error, INTERNAL)
    assert str(gone) == ("The group was not made, since its members could not be added: no network")
    assert str(stays) == (
        f"The group {INTERNAL} was made, but its members could not be added: no network"
    )
    assert type(gone) is type(stays) is SignalUnreachable
    # again would make a second group beside the one that stays
    assert (gone.retryable, stays.retryable) == (True, False)


@pytest.mark.parametrize(
    ("group", "code", "doubt"),
    [
        (NewGroup(name="x", members=["+491"]), -3, False),
        (NewGroup(name="x", members=["+491"]), -32603, True),
        (NewGroup(name="x", group_link="enabled"), -1, False),
        (NewGroup(name="x", group_link="enabled"), -32603, True),
        (NewGroup(name="x", permissions=Permissions(edit_group="only-admins")), -3, True),
        (NewGroup(name="x", expiration_time=60), -3, True),
    ],
)
def test_a_creation_that_failed_on_its_way_may_have_made_the_group(
    group: NewGroup, code: int, doubt: bool
) -> None:
    told = outcomes.refused_creation(group, SignalUnreachable("boom", code))
    assert ("may have been made" in str(told)) is doubt
    assert told.retryable is not doubt
    assert str(told).startswith("boom")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (GroupChange(name="other", expiration_time=3600), "boom"),
        (GroupChange(name="new", expiration_time=60), None),
        # what is listed may have been so before, and of the picture nothing is
        (GroupChange(name="new", description="", avatar="/a.png"),
         "Changed: name, description. Not known: base64_avatar. boom"),
        (GroupChange(name="other", avatar="/a.png"), "boom"),
        (GroupChange(avatar="/a.png"), "Not known: base64_avatar. boom"),
        # nor whether its link wants an approval
        (GroupChange(group_link="enabled"), "Not known: group_link. boom"),
        (GroupChange(group_link="enabled-with-approval"), "Not known: group_link. boom"),
        (GroupChange(group_link="disabled"), "boom"),
        (GroupChange(name="other", expiration_time=60, group_link="enabled-with-approval"),
         "Changed: expiration_time. Not changed: name. Not known: group_link. boom"),
        (GroupChange(avatar="/a.png", group_link="disabled"),
         "Not changed: group_link. Not known: base64_avatar. boom"),
        (GroupChange(permissions=Permissions("every-member", "every-member", "only-admins")),
         "Changed: permissions.add_members. Not changed: permissions.edit_group, "
         "permissions.send_messages. boom"),
    ],
)  # fmt: skip
def test_of_a_refused_change_what_was_done_is_told(change: GroupChange, told: str | None) -> None:
    row = outcomes.group_in([5, {"id": "other"}, ROW], INTERNAL)
    assert row is not None
    left = outcomes.refused_change(change, NO, row)
    assert (None if left is None else str(left)) == told


@pytest.mark.parametrize(("link", "told"), [("disabled", None), ("enabled", "boom")])
def test_that_a_group_has_no_link_is_known(link: str, told: str | None) -> None:
    left = outcomes.refused_change(GroupChange(group_link=link), NO, ROW | {"groupInviteLink": ""})
    assert (None if left is None else str(left)) == told


@pytest.mark.parametrize("result", [None, "x", [], [5], [{"id": "other"}]])
def test_a_group_that_is_not_listed_is_not_known(result: Any) -> None:
    assert outcomes.group_in(result, INTERNAL) is None


@pytest.mark.parametrize(("code", "looks"), [(-1, False), (-4, False), (-3, True), (-32603, True)])
def test_a_look_is_worth_it_when_something_failed_on_its_way(code: int, looks: bool) -> None:
    assert (outcomes.look_at_groups(ME, Refused("boom", code)) is not None) is looks


def test_a_group_shows_whether_it_was_left_joined_and_blocked() -> None:
    member, gone = {"isMember": True, "isBlocked": True}, {"isMember": False, "isBlocked": False}
    for row, inside in ((member, True), (gone, False)):
        assert outcomes.is_joined(row) is inside
        assert outcomes.is_left(ME, row) is not inside
        assert outcomes.is_blocked(row) is inside
    said = [outcomes.is_joined({}), outcomes.is_left(ME, {}), outcomes.is_blocked({})]
    assert not any(said)


@pytest.mark.parametrize("name", ["pendingMembers", "requestingMembers"])
def test_an_invitation_that_stands_was_not_declined(name: str) -> None:
    row = {"isMember": False, name: [{"number": ME, "uuid": "u1"}]}
    assert not outcomes.is_left(ME, row)
    assert outcomes.is_left("+491", row)


PEOPLE = {
    "members": [{"number": "+491", "uuid": "u1"}],
    "pendingMembers": [{"number": None, "uuid": "11111111-1111-1111-1111-111111111111"}],
    "admins": [{"number": "+491", "uuid": "u1"}],
}


@pytest.mark.parametrize(
    ("change", "people", "done"),
    [
        (MemberChange.ADD_MEMBERS, ["+491", "11111111-1111-1111-1111-111111111111"], True),
        (MemberChange.ADD_MEMBERS, ["+491", "+492"], False),
        (MemberChange.ADD_MEMBERS, ["foo.01"], False),
        (MemberChange.ADD_ADMINS, ["+491"], True),
        (MemberChange.ADD_ADMINS, ["11111111-1111-1111-1111-111111111111"], False),
        (MemberChange.REMOVE_MEMBERS, ["+499"], False),
    ],
)
def test_members_that_are_listed_were_added(
    change: MemberChange, people: list[str], done: bool
) -> None:
    assert outcomes.are_changed(change, people, PEOPLE) is done


@pytest.mark.parametrize(
    ("change", "people", "result", "left"),
    [
        (MemberChange.REMOVE_MEMBERS, ["+491", "+499"], {}, ["+491"]),
        (MemberChange.REMOVE_MEMBERS, ["11111111-1111-1111-1111-111111111111"], {},
         ["11111111-1111-1111-1111-111111111111"]),
        (MemberChange.REMOVE_MEMBERS, ["+493"], {}, ["+493"]),
        (MemberChange.REMOVE_MEMBERS, ["0049 3"], {}, ["0049 3"]),
        (MemberChange.REMOVE_MEMBERS, ["foo.01", "+499"], {}, []),
        (MemberChange.REMOVE_MEMBERS, ["+491"], {"timestamp": 5, "results": []}, []),
        (MemberChange.REMOVE_ADMINS, ["+491", "+493"], {}, ["+491"]),
        (MemberChange.ADD_MEMBERS, ["+491"], {}, []),
        (MemberChange.ADD_ADMINS, ["+491"], {}, []),
    ],
)  # fmt: skip
def test_who_is_listed_when_nothing_changed_was_not_removed(
    change: MemberChange, people: list[str], result: Any, left: list[str]
) -> None:
    """signal-cli #2000"""
    row = PEOPLE | {"requestingMembers": [{"number": "+493", "uuid": "u3"}]}
    assert outcomes.not_removed(change, people, result, row) == left
