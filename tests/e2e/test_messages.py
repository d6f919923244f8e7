"""What people send each other: every kind of message, both ways."""

from __future__ import annotations

from tests.e2e.world import World


def test_a_text_reaches_the_friend(world: World) -> None:
    timestamp = world.send("good morning")
    got = world.friend.hears_text("good morning")
    assert (got.sender, got.timestamp) == (world.account, timestamp)


def test_a_friends_text_reaches_the_account(world: World) -> None:
    timestamp = world.friend.say("good evening")
    got = world.hears_text("good evening")
    assert (got.sender, got.timestamp) == (world.friend.number, timestamp)
