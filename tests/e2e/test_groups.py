"""Groups, from both sides."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.e2e.real_world import PhoneFriend, RealWorld
from tests.e2e.test_people import PNG
from tests.e2e.world import World, rest_id
from tests.support import eventually


def test_a_group_with_a_stranger_can_be_written_to(real: RealWorld) -> None:
    """Of Bob signal-cli knows no profile key yet; with him it makes a group of the old kind."""
    made = real.call(
        "POST", "/v1/groups/{}", 201, name="strangers", members=[real.friend.number],
        group_link="enabled", expiration_time=3600, base64_avatar=base64.b64encode(PNG).decode(),
    )  # fmt: skip
    path = f"/v1/groups/{{}}/{made['id']}"
    about = real.call("GET", path, 200)
    assert (about["admins"], about["pending_invites"]) == ([real.account], [real.friend.number])
    assert about["invite_link"].startswith("https://signal.group/#")
    assert about["expiration_time"] == 3600
    assert real.bridge.get(f"{path}/avatar".format(real.account)).content == PNG
    real.send("hello group", to=made["id"])
    assert [one["id"] for one in real.call("GET", "/v1/groups/{}", 200)] == [made["id"]]


@pytest.fixture(scope="module")
def group(world: World) -> str:
    """One that the account made with both friends, whom it knows from a message; its id."""
    for friend in (world.friend, world.other):
        friend.say(f"I am {friend.number}")
        world.hears_text(f"I am {friend.number}")
    members = [world.friend.number, world.other.number]
    created = world.call("POST", "/v1/groups/{}", 201, name="climbing", members=members)
    groups = world.call("GET", "/v1/groups/{}", 200)
    (internal_id,) = (one["internal_id"] for one in groups if one["id"] == created["id"])
    world.friend.hears(lambda one: one.group == internal_id or one.kind == "other")
    return str(internal_id)


def in_group(path: str, group: str) -> str:
    return f"/v1/groups/{{}}/{rest_id(group)}{path}"


def at_the_bridge(world: World, group: str) -> dict[str, Any]:
    return dict(world.call("GET", in_group("", group), 200))


def test_both_friends_are_members_of_the_new_group(world: World, group: str) -> None:
    everybody = {world.account, world.friend.number, world.other.number}
    seen = world.friend.sees_group(group, lambda one: one.members == everybody)
    assert seen.name == "climbing"
    assert seen.admins == {world.account}
    assert set(at_the_bridge(world, group)["members"]) == everybody


def test_a_message_reaches_everybody_in_the_group(world: World, group: str) -> None:
    world.send("to all", to=rest_id(group))
    for friend in (world.friend, world.other):
        assert friend.hears_text("to all").group == group


def test_a_friends_message_names_the_group(world: World, group: str) -> None:
    world.friend.say("hello everybody", group=group)
    assert world.hears_text("hello everybody").group == group


def test_the_group_gets_another_name_and_a_description(world: World, group: str) -> None:
    world.call("PUT", in_group("", group), name="bouldering", description="Tuesdays")
    seen = world.friend.sees_group(group, lambda one: one.name == "bouldering")
    assert seen.description == "Tuesdays"


def test_the_group_gets_a_picture(world: World, group: str) -> None:
    picture = base64.b64encode(PNG).decode()
    world.call("PUT", in_group("", group), base64_avatar=picture)
    answer = world.bridge.get(in_group("/avatar", group).format(world.account))
    assert (answer.status_code, answer.content) == (200, PNG)


def test_messages_in_the_group_disappear_after_a_while(world: World, group: str) -> None:
    for seconds in (3600, 0):
        world.call("PUT", in_group("", group), expiration_time=seconds)
        world.send(f"for {seconds} s", to=rest_id(group))
        assert world.friend.hears_text(f"for {seconds} s").expires == seconds
        assert at_the_bridge(world, group)["expiration_time"] == seconds


def test_only_admins_may_speak(world: World, group: str) -> None:
    world.call("PUT", in_group("", group), permissions={"send_messages": "only-admins"})
    eventually(lambda: at_the_bridge(world, group)["permissions"]["send_messages"] == "only-admins")
    world.call("PUT", in_group("", group), permissions={"send_messages": "every-member"})
    eventually(
        lambda: at_the_bridge(world, group)["permissions"]["send_messages"] == "every-member"
    )


def test_a_friend_renames_the_group(world: World, group: str) -> None:
    world.friend.rename_group(group, "via ferrata")
    eventually(lambda: at_the_bridge(world, group)["name"] == "via ferrata", 20)


def test_a_friend_becomes_an_admin_and_is_one_no_longer(world: World, group: str) -> None:
    admins = in_group("/admins", group)
    world.call("POST", admins, admins=[world.friend.number])
    both = {world.account, world.friend.number}
    world.friend.sees_group(group, lambda one: one.admins == both)
    world.call("DELETE", admins, admins=[world.friend.number])
    world.friend.sees_group(group, lambda one: one.admins == {world.account})


def test_a_member_is_removed_and_added_again(world: World, group: str) -> None:
    members, other = in_group("/members", group), world.other.number
    world.call("DELETE", members, members=[other])
    world.friend.sees_group(group, lambda one: other not in one.members)
    world.call("POST", members, members=[other])
    world.friend.sees_group(group, lambda one: other in one.members | one.invited)


def test_an_invitation_is_accepted_and_the_group_left_again(world: World, group: str) -> None:
    other_group = world.friend.new_group("chess", [world.other])
    listed = eventually(
        lambda: [
            one for one in world.call("GET", "/v1/groups/{}", 200)
            if one["internal_id"] == other_group
        ], 20, "the invitation",
    )  # fmt: skip
    assert listed[0]["name"] == "chess"
    if world.account not in listed[0]["members"]:
        world.call("POST", in_group("/join", other_group))
    world.friend.sees_group(other_group, lambda one: world.account in one.members)
    world.send("your move", to=rest_id(other_group))
    assert world.friend.hears_text("your move").group == other_group
    world.call("POST", in_group("/quit", other_group))
    world.friend.sees_group(other_group, lambda one: world.account not in one.members)


def test_somebody_joins_by_the_invitation_link(real: RealWorld) -> None:
    created = real.call("POST", "/v1/groups/{}", 201, name="open", group_link="enabled")
    path = f"/v1/groups/{{}}/{created['id']}"
    about = real.call("GET", path, 200)
    dave = PhoneFriend(real.mock.phone("dave"), real.account)
    dave.phone.in_groups("joinByLink", link=about["invite_link"])
    # By his ACI: signal-cli has met him nowhere else and does not know his number.
    eventually(lambda: dave.aci in real.call("GET", path, 200)["members"], 20, "dave in it")
    dave.say("thank you", group=about["internal_id"])
    assert real.hears_text("thank you").group == about["internal_id"]


def test_somebody_asks_to_join_and_is_let_in(real: RealWorld) -> None:
    created = real.call(
        "POST", "/v1/groups/{}", 201, name="closed", group_link="enabled-with-approval"
    )
    path = f"/v1/groups/{{}}/{created['id']}"
    eve = PhoneFriend(real.mock.phone("eve"), real.account)
    eve.phone.in_groups("joinByLink", link=real.call("GET", path, 200)["invite_link"])
    waiting = eventually(lambda: real.call("GET", path, 200)["pending_requests"], 20, "the request")
    assert eve.number in waiting or eve.aci in waiting
    real.call("POST", f"{path}/members", members=waiting)
    group = real.call("GET", path, 200)["internal_id"]
    eve.sees_group(group, lambda one: eve.number in one.members)


def test_the_account_leaves_a_group_and_is_not_removed_from_it(real: RealWorld) -> None:
    created = real.call("POST", "/v1/groups/{}", 201, name="own")
    path = f"/v1/groups/{{}}/{created['id']}"
    told = real.call("DELETE", f"{path}/members", 400, members=[real.account])
    assert "/quit" in told["error"]
    assert real.account in real.call("GET", path, 200)["members"]
    real.call("POST", f"{path}/quit")
    assert real.call("GET", path, 200)["members"] == []
