"""Groups: what listGroups shows, how changes arrive, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, ROBOT, Client, Sandbox, payload

GROUP = [
    "id", "name", "description", "isMember", "isBlocked", "messageExpirationTime", "members",
    "pendingMembers", "requestingMembers", "admins", "banned", "permissionAddMember",
    "permissionEditDetails", "permissionSendMessage", "groupInviteLink",
]  # fmt: skip
FORBIDDEN = "Failed to send message: [403] Authorization failed!"


def create(client: Client, *members: str, **more: Any) -> str:
    return str(client.result("updateGroup", name="three", member=list(members), **more)["groupId"])


def show(client: Client, group: str, account: str = ALICE) -> dict[str, Any]:
    (shown,) = client.result("listGroups", account=account, groupId=group)
    return dict(shown)


def numbers(addresses: list[dict[str, str]]) -> set[str]:
    return {address["number"] for address in addresses}


def test_a_new_group_is_answered_and_shown_as_signal_cli_shows_it(
    client: Client, knows: Version
) -> None:
    made = client.result("updateGroup", name="three", members=[BOB, CAROL])
    assert list(made) == ["groupId", "results", "timestamp"]
    assert len(made["groupId"]) == 44
    assert {entry["type"] for entry in made["results"]} == {"SUCCESS"}
    assert list(made["results"][0]) == ["recipientAddress", "type"]
    group = show(client, made["groupId"])
    assert list(group) == GROUP
    assert numbers(group["members"]) == {ALICE, BOB, CAROL}
    assert numbers(group["admins"]) == {ALICE}
    details = ["isAdmin"] if knows.details_members else []
    assert list(group["members"][0]) == ["number", "uuid", *details]
    assert (group["name"], group["description"], group["groupInviteLink"]) == ("three", None, None)
    assert show(client, made["groupId"], BOB) == group


def test_a_group_message_goes_to_every_other_member(subscriber: Client) -> None:
    group = create(subscriber, BOB, CAROL)
    sent = subscriber.result("send", groupId=group, message="to all")
    assert list(sent["results"][0]) == ["recipientAddress", "groupId", "type"]
    assert {entry["recipientAddress"]["number"] for entry in sent["results"]} == {BOB, CAROL}
    for member in (BOB, CAROL):
        message = subscriber.data_message(member, sent["timestamp"])
        assert message["groupInfo"] == {
            "groupId": group, "groupName": "three", "revision": 0, "type": "DELIVER",
        }  # fmt: skip
        assert list(message)[-1] == "groupInfo"


def test_a_new_group_arrives_as_an_empty_message_of_revision_0(subscriber: Client) -> None:
    made = subscriber.result("updateGroup", name="new", member=BOB)
    message = subscriber.data_message(BOB, made["timestamp"])
    assert message["message"] is None
    info = message["groupInfo"]
    assert list(info) == ["groupId", "groupName", "revision", "type"]
    assert (info["revision"], info["type"]) == (0, "DELIVER")


def test_a_change_arrives_as_an_update(subscriber: Client) -> None:
    group = create(subscriber, BOB)
    changed = subscriber.result("updateGroup", groupId=group, name="renamed", expiration=3600)
    assert list(changed) == ["results", "timestamp"]
    message = subscriber.data_message(BOB, changed["timestamp"])
    assert message["expiresInSeconds"] == 3600
    assert message["groupInfo"] == {
        "groupId": group, "groupName": "renamed", "revision": 1, "type": "UPDATE",
    }  # fmt: skip
    sent = subscriber.result("send", groupId=group, message="x")["timestamp"]
    assert subscriber.data_message(BOB, sent)["expiresInSeconds"] == 3600


def test_a_change_that_changes_nothing_is_answered_with_nothing(client: Client) -> None:
    group = create(client, BOB)
    assert client.result("updateGroup", groupId=group, name="three", member=BOB) == {}


def test_typing_in_a_group_names_the_group(subscriber: Client) -> None:
    group = create(subscriber, BOB)
    sent = subscriber.result("sendTyping", groupId=group)["timestamp"]
    typing = subscriber.envelope(BOB, "typingMessage", sent)["typingMessage"]
    assert typing == {"action": "STARTED", "timestamp": sent, "groupId": group}


def test_the_robot_answers_in_the_group(subscriber: Client) -> None:
    group = create(subscriber, ROBOT, BOB)
    subscriber.result("send", groupId=group, message="robot?")
    found = subscriber.wait_for(
        lambda params: "'robot?'" in str(params) and f"'sourceNumber': '{ROBOT}'" in str(params)
    )
    assert payload(found)["envelope"]["dataMessage"]["groupInfo"]["groupId"] == group


def test_members_and_admins_come_and_go(client: Client) -> None:
    group = create(client, BOB, CAROL)
    client.result("updateGroup", groupId=group, removeMember=CAROL, member=DAVE, admin=BOB)
    shown = show(client, group)
    assert numbers(shown["members"]) == {ALICE, BOB, DAVE}
    assert numbers(shown["admins"]) == {ALICE, BOB}
    assert show(client, group, CAROL)["isMember"] is False
    client.result("updateGroup", groupId=group, removeAdmin=BOB, ban=DAVE)
    shown = show(client, group)
    assert numbers(shown["admins"]) == {ALICE}
    assert numbers(shown["banned"]) == {DAVE}
    client.result("updateGroup", groupId=group, unban=DAVE)
    assert show(client, group)["banned"] == []


def test_details_and_permissions_are_kept(client: Client) -> None:
    group = create(
        client,
        description="d",
        expiration=60,
        setPermissionAddMember="only-admins",
        setPermissionEditDetails="onlyAdmins",
        setPermissionSendMessages="everyMember",
    )
    shown = show(client, group)
    assert (shown["description"], shown["messageExpirationTime"]) == ("d", 60)
    assert shown["permissionAddMember"] == shown["permissionEditDetails"] == "ONLY_ADMINS"
    assert shown["permissionSendMessage"] == "EVERY_MEMBER"


def test_a_group_has_an_avatar_if_it_was_given_one(client: Client, tmp_path: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"hello")
    group = create(client, avatar=str(path))
    assert client.result("getAvatar", groupId=group) == {"data": "aGVsbG8="}
    assert client.error("getAvatar", groupId=create(client))["message"] == "Could not find avatar"
    error = client.error("updateGroup", groupId=group, avatar="/nonexistent.png")
    assert error["code"] == -32603


def test_others_than_admins_may_not_do_everything(client: Client) -> None:
    group = create(client, BOB, setPermissionEditDetails="only-admins")
    for change in ({"name": "x"}, {"removeMember": ALICE}, {"link": "enabled"}, {"admin": BOB}):
        error = client.error("updateGroup", account=BOB, groupId=group, **change)
        assert error == {"code": -32603, "message": FORBIDDEN, "data": None}
    assert client.result("updateGroup", account=BOB, groupId=group, member=CAROL)["results"]


def test_only_admins_may_write_to_an_announcement_group(client: Client) -> None:
    group = create(client, BOB, setPermissionSendMessages="only-admins")
    text = f"User is not allowed to send message to group: three ({group})"
    error = client.error("send", account=BOB, groupId=group, message="x")
    assert error == {"code": -1, "message": text, "data": None}
    assert client.result("send", groupId=group, message="x")


def test_a_group_can_be_joined_by_its_link(subscriber: Client) -> None:
    group = create(subscriber, BOB, link="enabled")
    uri = show(subscriber, group)["groupInviteLink"]
    assert uri.startswith("https://signal.group/#CjQKI")
    joined = subscriber.result("joinGroup", account=CAROL, uri=uri)
    assert set(joined) == {"timestamp", "results", "groupId"}
    assert numbers(show(subscriber, group)["members"]) == {ALICE, BOB, CAROL}
    message = subscriber.data_message(ALICE, joined["timestamp"])
    assert message["groupInfo"]["type"] == "UPDATE"
    subscriber.result("updateGroup", groupId=group, resetLink=True)
    assert show(subscriber, group)["groupInviteLink"] != uri
    old = subscriber.error("joinGroup", account=DAVE, uri=uri)
    text = "Group link is not valid: Group link inactive (reason: UNKNOWN)"
    assert old["message"] == text
    subscriber.result("updateGroup", groupId=group, ban=DAVE)
    new = show(subscriber, group)["groupInviteLink"]
    banned = subscriber.error("joinGroup", account=DAVE, uri=new)
    text = "Group link is not valid: Group link inactive (reason: BANNED)"
    assert banned["message"] == text


def test_a_link_may_ask_for_the_approval_of_an_admin(client: Client) -> None:
    group = create(client, link="enabled-with-approval")
    uri = show(client, group)["groupInviteLink"]
    assert client.result("joinGroup", account=DAVE, uri=uri) == {
        "timestamp": 0, "results": [], "groupId": group, "onlyRequested": True,
    }  # fmt: skip
    again = client.error("joinGroup", account=DAVE, uri=uri)
    text = "Pending admin approval: You have already requested to join the group."
    assert again["message"] == text
    assert numbers(show(client, group)["requestingMembers"]) == {DAVE}
    client.result("updateGroup", groupId=group, member=DAVE)
    assert numbers(show(client, group)["members"]) == {ALICE, DAVE}
    assert show(client, group)["requestingMembers"] == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("https://example.com", "Link is not a signal group invitation link"),
        ("https://signal.group/#abc", "Group link is invalid"),
    ],
)
def test_a_link_that_is_none_is_refused(client: Client, uri: str, message: str) -> None:
    error = client.error("joinGroup", uri=uri)
    assert error == {"code": -1, "message": message, "data": None}


def test_a_member_can_leave_but_the_last_admin_must_name_another(subscriber: Client) -> None:
    group = create(subscriber, BOB)
    text = "You need to specify a new admin with --admin: User is last admin in group: three"
    error = subscriber.error("quitGroup", groupId=group)
    assert error == {"code": -1, "message": f"{text} ({group})", "data": None}
    left = subscriber.result("quitGroup", groupId=group, admin=[BOB])
    assert subscriber.data_message(BOB, left["timestamp"])["groupInfo"]["type"] == "UPDATE"
    shown = show(subscriber, group)
    assert shown["isMember"] is False
    assert numbers(shown["admins"]) == {BOB}
    assert subscriber.result("quitGroup", groupId=group) == {}
    gone = subscriber.error("send", groupId=group, message="x")
    assert gone["message"] == f"User is not a member in group: three ({group})"
    assert subscriber.result("quitGroup", groupId=group, delete=True) == {}
    assert subscriber.result("listGroups", groupId=group) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"groupId": "AAAA", "link": "foo"}, "Invalid group link state: foo"),
        (
            {"groupId": "AAAA", "setPermissionAddMember": "foo"},
            "Invalid group permission: foo",
        ),
        ({"groupId": "AAAA", "name": "x"}, "Group not found: AAAA"),
        ({"name": "x", "member": "+15550002222"}, "The user +15550002222 is not registered."),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    client: Client, params: dict[str, Any], message: str
) -> None:
    error = client.error("updateGroup", **params)
    assert error == {"code": -1, "message": message, "data": None}


def test_an_unknown_group_is_not_listed_and_cannot_be_left(client: Client) -> None:
    assert client.result("listGroups", groupId="AAAA") == []
    text = "Failed to send to group: Group not found: AAAA"
    assert client.error("quitGroup", groupId="AAAA")["message"] == text
    assert client.error("quitGroup")["message"] == '"groupId" is missing'


def test_a_blocked_group_is_not_heard(subscriber: Client) -> None:
    group = create(subscriber, BOB)
    subscriber.result("block", account=BOB, groupId=group)
    assert show(subscriber, group, BOB)["isBlocked"] is True
    subscriber.result("send", groupId=group, message="unheard")
    subscriber.result("unblock", account=BOB, groupId=[group])
    sent = subscriber.result("send", groupId=group, message="heard")["timestamp"]
    subscriber.data_message(BOB, sent)
    assert "'unheard'" not in str(subscriber.notifications)


INVITED = "+12025550198"


def test_who_has_to_be_invited_is_no_member_until_it_accepts(subscriber: Client) -> None:
    group = create(subscriber, BOB, INVITED)
    shown = show(subscriber, group)
    assert numbers(shown["members"]) == {ALICE, BOB}
    assert numbers(shown["pendingMembers"]) == {INVITED}
    joined = subscriber.wait_for(
        lambda params: f"'sourceNumber': '{INVITED}'" in str(params) and group in str(params)
    )
    assert payload(joined)["envelope"]["dataMessage"]["groupInfo"]["type"] == "UPDATE"
    shown = show(subscriber, group)
    assert numbers(shown["members"]) == {ALICE, BOB, INVITED}
    assert shown["pendingMembers"] == []


@pytest.fixture
def invitation(start: Callable[..., Sandbox]) -> tuple[Client, str]:
    """Dave, whose profile Alice has forgotten, is invited to a group of hers and Bob's."""
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=None)
    client.result("removeContact", recipient=DAVE, forget=True)
    return client, create(client, BOB, DAVE)


def test_an_account_accepts_an_invitation_by_updating_the_group(
    invitation: tuple[Client, str],
) -> None:
    client, group = invitation
    shown = show(client, group, DAVE)
    assert shown["isMember"] is False
    assert numbers(shown["pendingMembers"]) == {DAVE}
    client.error("send", account=DAVE, groupId=group, message="x")
    quiet = client.result("send", groupId=group, message="not for guests")
    assert [entry["recipientAddress"]["number"] for entry in quiet["results"]] == [BOB]
    accepted = client.result("updateGroup", account=DAVE, groupId=group)
    update = client.data_message(BOB, accepted["timestamp"])
    assert update["groupInfo"]["type"] == "UPDATE"
    assert numbers(show(client, group)["members"]) == {ALICE, BOB, DAVE}
    assert client.result("send", account=DAVE, groupId=group, message="hello")


def test_an_account_declines_an_invitation_by_leaving(invitation: tuple[Client, str]) -> None:
    client, group = invitation
    declined = client.result("quitGroup", account=DAVE, groupId=group)
    assert client.data_message(BOB, declined["timestamp"])["groupInfo"]["type"] == "UPDATE"
    assert show(client, group)["pendingMembers"] == []
    gone = client.error("updateGroup", account=DAVE, groupId=group)
    assert gone["message"] == f"User is not a member in group: three ({group})"


def test_an_invitation_can_be_taken_back(invitation: tuple[Client, str]) -> None:
    client, group = invitation
    client.result("updateGroup", groupId=group, removeMember=DAVE)
    assert show(client, group)["pendingMembers"] == []


def test_who_wrote_meanwhile_need_not_be_invited(invitation: tuple[Client, str]) -> None:
    client, _ = invitation
    sent = client.result("send", account=DAVE, recipient=[ALICE], message="it is me")
    client.data_message(ALICE, sent["timestamp"])
    group = create(client, DAVE)
    assert numbers(show(client, group)["members"]) == {ALICE, DAVE}


def test_who_is_invited_may_also_come_by_the_link(invitation: tuple[Client, str]) -> None:
    client, group = invitation
    client.result("updateGroup", groupId=group, link="enabled-with-approval")
    uri = show(client, group)["groupInviteLink"]
    assert "onlyRequested" not in client.result("joinGroup", account=DAVE, uri=uri)
    assert numbers(show(client, group)["members"]) == {ALICE, BOB, DAVE}


@only_new
def test_members_give_themselves_labels(client: Client) -> None:
    group = create(client, BOB, memberLabel="host", memberLabelEmoji="🏠")
    shown = {member["number"]: member for member in show(client, group)["members"]}
    assert list(shown[ALICE]) == ["number", "uuid", "isAdmin", "labelEmoji", "label"]
    assert (shown[ALICE]["label"], shown[ALICE]["labelEmoji"]) == ("host", "🏠")
    assert list(shown[BOB]) == ["number", "uuid", "isAdmin"]
    assert (shown[ALICE]["isAdmin"], shown[BOB]["isAdmin"]) == (True, False)
    assert client.result("updateGroup", account=BOB, groupId=group, memberLabel="cook")["results"]
    client.result("updateGroup", groupId=group, memberLabelEmoji="🏡")
    shown = {member["number"]: member for member in show(client, group)["members"]}
    assert shown[BOB]["label"] == "cook"
    assert (shown[ALICE]["label"], shown[ALICE]["labelEmoji"]) == ("host", "🏡")


@pytest.mark.parametrize("version", ["0.13.19"], indirect=True)
def test_0_13_knows_no_labels(client: Client) -> None:
    group = create(client, BOB)
    assert client.result("updateGroup", groupId=group, memberLabel="host") == {}
