from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import groups
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.groups import GroupChange, MemberChange, NewGroup, Permissions

ME = "+4915112345"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
LISTED = [
    {
        "id": INTERNAL,
        "name": "n",
        "description": None,
        "isMember": True,
        "isBlocked": False,
        "messageExpirationTime": 86400,
        "members": [{"number": "+491", "uuid": "u1"}, {"number": None, "uuid": "u2"}],
        "pendingMembers": [],
        "requestingMembers": [{"number": None, "uuid": "u3"}],
        "admins": [{"number": "+491", "uuid": "u1"}],
        "banned": [],
        "permissionAddMember": "EVERY_MEMBER",
        "permissionEditDetails": "ONLY_ADMINS",
        "permissionSendMessage": "SOMETHING_NEW",
        "groupInviteLink": None,
    },
    {"id": "x"},
]
SHOWN = {
    "name": "n",
    "description": "",
    "id": GROUP,
    "internal_id": INTERNAL,
    "members": ["+491", "u2"],
    "blocked": False,
    "member": True,
    "pending_invites": [],
    "pending_requests": ["u3"],
    "invite_link": "",
    "admins": ["+491"],
    "permissions": {
        "add_members": "every-member",
        "edit_group": "only-admins",
        "send_messages": "",
    },
    "expiration_time": 86400,
}


def test_listing_groups_may_be_repeated() -> None:
    assert groups.list_groups(ME) == Call("listGroups", {"account": ME}, repeatable=True)


def test_groups_are_shown_with_names_in_the_order_of_the_peer() -> None:
    first, second = groups.groups(LISTED)
    assert first == SHOWN
    assert list(first) == list(SHOWN)
    assert second["id"] == "group.eA=="
    assert "expiration_time" not in second  # signal-cli did not say
    assert second["members"] == second["admins"] == []
    assert second["permissions"] == {"add_members": "", "edit_group": "", "send_messages": ""}
    assert groups.groups(None) == []


def test_groups_may_be_shown_with_addresses() -> None:
    first, second = groups.groups(LISTED, expand=True)
    assert first["members"] == [{"number": "+491", "uuid": "u1"}, {"number": "", "uuid": "u2"}]
    assert first["pending_invites"] == []
    assert second["members"] is None


@pytest.mark.parametrize("group_id", [GROUP, INTERNAL, f" {GROUP}"])
def test_one_group_is_found_by_its_id(group_id: str) -> None:
    assert groups.one_group(LISTED, group_id) == SHOWN
    assert groups.known_group_id(LISTED, group_id) == INTERNAL


# The last is found by no such route of the peer's either.
@pytest.mark.parametrize("group_id", ["nope", "", f"{INTERNAL}x", GROUP.removeprefix("group.")])
def test_a_group_that_is_not_listed_is_not_found(group_id: str) -> None:
    with pytest.raises(NotFound, match=r"^No group with that id found$"):
        groups.one_group(LISTED, group_id)
    with pytest.raises(NotFound) as caught:
        groups.known_group_id(LISTED, group_id)
    assert str(caught.value) == f"No group with that group id ({group_id}) found"


@pytest.mark.parametrize("result", [{}, "x", [5], [{"id": 5}], [{"members": {}}]])
def test_groups_of_another_type_are_an_invalid_response(result: Any) -> None:
    with pytest.raises(RequestError, match="invalid signal-cli response"):
        groups.groups(result)


def test_a_group_is_created_of_what_was_given() -> None:
    assert groups.create_group(ME, NewGroup()) == Call("updateGroup", {"account": ME})
    group = NewGroup(
        name="g",
        description="d",
        members=["+491", "foo.01", "u:bar.02"],
        permissions=Permissions("only-admins", "", "every-member"),
        group_link="enabled",
        expiration_time=60,
        avatar="/a.png",
    )
    assert groups.create_group(ME, group).params == {
        "avatar": "/a.png",
        "name": "g",
        "members": ["+491", "u:foo.01", "u:bar.02"],
        "link": "enabled",
        "description": "d",
        "setPermissionAddMember": "only-admins",
        "setPermissionSendMessages": "every-member",
        "expiration": 60,
        "account": ME,
    }


def test_a_created_group_answers_its_id() -> None:
    assert groups.created_group({"groupId": INTERNAL}) == INTERNAL
    assert groups.created_group(None) == ""


ONLY = "only 'every-member' and 'only-admins' allowed!"
LINKS = (
    "Invalid group link provided - only 'enabled', 'enabled-with-approval' and 'disabled' allowed!"
)
BAD_PERMISSIONS = [
    (Permissions("x", "x", "x"), f"Invalid add members permission provided - {ONLY}"),
    (Permissions("", "x", "x"), f"Invalid edit group permissions provided - {ONLY}"),
    (Permissions("", "", "x"), f"Invalid send messages permissions provided - {ONLY}"),
]


@pytest.mark.parametrize(("permissions", "text"), BAD_PERMISSIONS)
def test_a_new_group_with_an_unknown_permission_is_refused(
    permissions: Permissions, text: str
) -> None:
    with pytest.raises(RequestError) as caught:
        groups.create_group(ME, NewGroup(permissions=permissions, group_link="x"))
    assert str(caught.value) == text


def test_a_new_group_with_an_unknown_link_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        groups.create_group(ME, NewGroup(group_link="x"))
    assert str(caught.value) == LINKS


@pytest.mark.parametrize("seconds", [-1, 2**31])
def test_a_timer_has_to_be_one_that_signal_cli_can_hold(seconds: int) -> None:
    for check in (
        lambda: groups.check_new(NewGroup(expiration_time=seconds)),
        lambda: groups.check_change(GroupChange(expiration_time=seconds)),
    ):
        with pytest.raises(RequestError, match="expiration_time must be between 0 and"):
            check()


def test_a_change_sends_what_was_given_and_clears_what_was_given_empty() -> None:
    untouched = groups.update_group(ME, INTERNAL, GroupChange())
    assert untouched == Call("updateGroup", {"groupId": INTERNAL, "account": ME})
    change = GroupChange(
        name="",
        description="",
        permissions=Permissions(edit_group="only-admins"),
        group_link="disabled",
        expiration_time=0,
        avatar="/a.png",
    )
    assert groups.update_group(ME, INTERNAL, change).params == {
        "groupId": INTERNAL,
        "avatar": "/a.png",
        "description": "",
        "name": "",
        "expiration": 0,
        "link": "disabled",
        "setPermissionEditDetails": "only-admins",
        "account": ME,
    }


@pytest.mark.parametrize(("permissions", "text"), BAD_PERMISSIONS)
def test_a_change_is_checked_for_its_permissions(permissions: Permissions, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        groups.check_change(GroupChange(permissions=permissions))
    assert str(caught.value) == text


@pytest.mark.parametrize("link", ["", "x"])
def test_a_change_is_checked_for_its_link_first(link: str) -> None:
    with pytest.raises(RequestError) as caught:
        groups.update_group(
            ME, INTERNAL, GroupChange(permissions=Permissions("x"), group_link=link)
        )
    assert str(caught.value) == LINKS


def test_a_group_is_left_blocked_and_joined() -> None:
    params = {"groupId": INTERNAL, "account": ME}
    assert groups.quit_group(ME, INTERNAL) == Call("quitGroup", params)
    forgotten = params | {"delete": True}
    assert groups.undo_group(ME, INTERNAL) == Call("quitGroup", forgotten)
    assert groups.block_group(ME, INTERNAL) == Call("block", params)
    assert groups.join_group(ME, INTERNAL) == Call("updateGroup", params)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (MemberChange.ADD_MEMBERS, "member"),
        (MemberChange.REMOVE_MEMBERS, "remove-member"),
        (MemberChange.ADD_ADMINS, "admin"),
        (MemberChange.REMOVE_ADMINS, "remove-admin"),
    ],
)
def test_members_and_admins_are_changed(change: MemberChange, key: str) -> None:
    assert groups.change_members(ME, INTERNAL, change, ["+491", "foo.01"]) == Call(
        "updateGroup", {key: ["+491", "u:foo.01"], "groupId": INTERNAL, "account": ME}
    )


def test_adding_members_needs_some() -> None:
    assert groups.required_members(["+491"]) == ["+491"]
    with pytest.raises(RequestError, match=r"^Couldn't process request - group members missing$"):
        groups.required_members([])


def test_a_groups_avatar_is_asked_for() -> None:
    params = {"groupId": INTERNAL, "account": ME}
    assert groups.get_group_avatar(ME, INTERNAL) == Call("getAvatar", params, repeatable=True)
    assert groups.get_group_avatar(ME, "").params == {"account": ME}


def test_expanded_members_say_what_they_are_in_the_group() -> None:
    members = [
        {"number": "+491", "uuid": "u1", "isAdmin": True, "label": "Boss", "labelEmoji": "👑"},
        {"number": None, "uuid": "u2", "isAdmin": False, "label": None},
    ]
    row = {"id": INTERNAL, "members": members, "admins": [{"number": "+491", "uuid": "u1"}]}
    (shown,) = groups.groups([row], expand=True)
    assert shown["members"] == [
        {"number": "+491", "uuid": "u1", "is_admin": True, "label": "Boss", "label_emoji": "👑"},
        {"number": "", "uuid": "u2", "is_admin": False},
    ]
    assert shown["admins"] == [{"number": "+491", "uuid": "u1"}]
    (plain,) = groups.groups([row])
    assert plain["members"] == ["+491", "u2"]


def test_one_group_may_be_asked_for() -> None:
    assert groups.list_group(ME, INTERNAL) == Call(
        "listGroups", {"groupId": [INTERNAL], "account": ME}, repeatable=True
    )
