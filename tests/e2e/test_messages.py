"""What people send each other: every kind of message, both ways."""

from __future__ import annotations

import base64
import random

import pytest

from tests.e2e.heard import Heard
from tests.e2e.world import World

SMALL = b"\x00\xff\r\n\x1a" + bytes(range(256))
LARGE = random.Random(5).randbytes(5_000_000)
# A mention stands where this character does, which every client replaces by the name.
PLACE = "\ufffc"


def about(kind: str, timestamp: int) -> object:
    return lambda one: one.kind == kind and one.about == timestamp


def reads(one: Heard) -> bool:
    return one.kind == "receipt" and one.detail == "READ"


# -- texts -------------------------------------------------------------------------------------


def test_a_text_reaches_the_friend(world: World) -> None:
    timestamp = world.send("good morning")
    got = world.friend.hears_text("good morning")
    assert (got.sender, got.timestamp) == (world.account, timestamp)


def test_a_friends_text_reaches_the_account(world: World) -> None:
    timestamp = world.friend.say("good evening")
    got = world.hears_text("good evening")
    assert (got.sender, got.timestamp) == (world.friend.number, timestamp)


def test_every_character_arrives_as_it_was_sent(world: World) -> None:
    joined, hebrew = "\U0001f9d1\u200d\U0001f680", "\u200f\u05e9\u05dc\u200e"
    text = f'tab\t quote" back\\slash \u2028 {joined} {hebrew} \x7f end'
    world.send(text)
    assert world.friend.hears_text(text)
    world.friend.say(text + "!")
    assert world.hears_text(text + "!")


def test_a_text_of_many_kilobytes_arrives_whole(world: World) -> None:
    """Beyond 2,000 bytes Signal sends the whole text as an attachment."""
    text = "long " * 2_000 + "end"
    world.send(text)
    got = world.friend.hears(lambda one: (one.text or "").startswith("long "))
    whole = got.files[0].decode() if got.attachments else got.text
    assert whole == text


def test_a_styled_text_arrives_with_its_styles(world: World) -> None:
    world.send("this is *fine* and **bold**", text_mode="styled")
    got = world.friend.hears_text("this is fine and bold")
    assert sorted(got.styles) == [(8, 4, "ITALIC"), (17, 4, "BOLD")]


def test_a_friends_styled_text_has_its_styles(world: World) -> None:
    styles = ((0, 4, "BOLD"), (5, 4, "SPOILER"))
    world.friend.say("loud hush", styles=styles)
    assert tuple(sorted(world.hears_text("loud hush").styles)) == styles


def test_a_mention_names_the_friend(world: World) -> None:
    world.send(f"{PLACE} look", mentions=[{"start": 0, "length": 1, "author": world.friend.number}])
    got = world.friend.hears_text(f"{PLACE} look")
    assert got.mentions == ((0, 1, world.friend.aci),)


def test_a_friends_mention_names_the_other_friend(world: World) -> None:
    world.friend.say(f"ask {PLACE}", mentions=((4, 1, world.other.aci),))
    assert world.hears_text(f"ask {PLACE}").mentions == ((4, 1, world.other.aci),)


def test_a_quote_says_what_it_answers(world: World) -> None:
    asked = world.friend.say("shall we?")
    world.hears_text("shall we?")
    world.send(
        "yes", quote_timestamp=asked, quote_author=world.friend.number, quote_message="shall we?"
    )
    assert world.friend.hears_text("yes").quote == (asked, "shall we?")


def test_a_friends_quote_says_what_it_answers(world: World) -> None:
    said = world.friend.say("first")
    world.friend.say("second", quote=(said, "first"))
    assert world.hears_text("second").quote == (said, "first")


# -- changes of a message ------------------------------------------------------------------------


def test_an_edit_replaces_a_message(world: World) -> None:
    first = world.send("teh")
    world.send("the", edit_timestamp=first)
    assert world.friend.hears(about("edit", first)).text == "the"


def test_a_friends_edit_names_the_message(world: World) -> None:
    first = world.friend.say("wrogn")
    world.friend.say("wrong", edits=first)
    assert world.hears(about("edit", first)).text == "wrong"


def test_a_message_is_deleted_for_everybody(world: World) -> None:
    sent = world.send("forget this")
    body = {"recipient": world.friend.number, "timestamp": sent}
    world.call("DELETE", "/v1/remote-delete/{}", 201, **body)
    world.friend.hears(about("delete", sent))


def test_a_friend_deletes_a_message(world: World) -> None:
    said = world.friend.say("never said")
    world.friend.delete(said)
    world.hears(about("delete", said))


def test_a_reaction_comes_and_goes(world: World) -> None:
    said = world.friend.say("nice?")
    reaction = {
        "recipient": world.friend.number, "target_author": world.friend.number,
        "timestamp": said, "reaction": "👍",
    }  # fmt: skip
    world.call("POST", "/v1/reactions/{}", **reaction)
    assert world.friend.hears(about("reaction", said)).detail == "👍"
    world.call("DELETE", "/v1/reactions/{}", **reaction)
    world.friend.hears(about("reaction taken back", said))


def test_a_friends_reaction_comes_and_goes(world: World) -> None:
    said = world.friend.say("me first")
    world.friend.react("🎉", said)
    assert world.hears(about("reaction", said)).detail == "🎉"
    world.friend.react("🎉", said, take_back=True)
    world.hears(about("reaction taken back", said))


# -- typing and receipts -------------------------------------------------------------------------


def test_the_friend_sees_somebody_typing(world: World) -> None:
    world.call("PUT", "/v1/typing-indicator/{}", recipient=world.friend.number)
    world.friend.hears(lambda one: (one.kind, one.detail) == ("typing", "STARTED"))
    world.call("DELETE", "/v1/typing-indicator/{}", recipient=world.friend.number)
    world.friend.hears(lambda one: (one.kind, one.detail) == ("typing", "STOPPED"))


def test_the_account_sees_a_friend_typing(world: World) -> None:
    world.friend.type_something()
    world.hears(lambda one: (one.kind, one.detail) == ("typing", "STARTED"))
    world.friend.type_something(stop=True)
    world.hears(lambda one: (one.kind, one.detail) == ("typing", "STOPPED"))


def test_a_friends_message_is_confirmed_by_itself(world: World) -> None:
    """signal-cli tells the sender that a message was delivered."""
    said = world.friend.say("did you get it?")
    world.hears_text("did you get it?")
    world.friend.hears(lambda one: one.detail == "DELIVERY" and said in one.receipt_for)


def test_a_read_receipt_reaches_the_friend(world: World) -> None:
    said = world.friend.say("read me")
    world.hears_text("read me")
    receipt = {"recipient": world.friend.number, "receipt_type": "read", "timestamp": said}
    world.call("POST", "/v1/receipts/{}", **receipt)
    world.friend.hears(lambda one: reads(one) and said in one.receipt_for)


def test_a_friends_read_receipt_reaches_the_account(world: World) -> None:
    sent = world.send("tell me when you have read it")
    world.friend.hears_text("tell me when you have read it")
    world.friend.confirm_reading(sent)
    world.hears(lambda one: reads(one) and sent in one.receipt_for)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "5 MB"])
def test_a_file_reaches_the_friend_byte_for_byte(world: World, content: bytes) -> None:
    encoded = base64.b64encode(content).decode()
    data = f"data:application/octet-stream;filename=blob.bin;base64,{encoded}"
    text = f"a file of {len(content)}"
    world.send(text, base64_attachments=[data])
    assert world.friend.hears_text(text).files == [content]


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "5 MB"])
def test_a_friends_file_reaches_the_account_byte_for_byte(world: World, content: bytes) -> None:
    text = f"here are {len(content)}"
    world.friend.say(text, files=[("blob.bin", "application/octet-stream", content)])
    got = world.hears_text(text)
    assert got.files == [content]
    assert got.attachments[0]["filename"] == "blob.bin"
    assert got.attachments[0]["size"] == len(content)


def test_several_files_arrive_in_their_order(world: World) -> None:
    contents = [b"one", b"two", b"three"]
    data = [f"data:text/plain;base64,{base64.b64encode(one).decode()}" for one in contents]
    world.send("three files", base64_attachments=data)
    assert world.friend.hears_text("three files").files == contents


def test_a_picture_to_be_seen_once_says_so(world: World) -> None:
    data = f"data:image/png;base64,{base64.b64encode(SMALL).decode()}"
    world.send(base64_attachments=[data], view_once=True)
    assert world.friend.hears(lambda one: one.view_once).files == [SMALL]


def test_a_friends_picture_to_be_seen_once_says_so(world: World) -> None:
    world.friend.say(files=[("once.png", "image/png", SMALL)], view_once=True)
    assert world.hears(lambda one: one.view_once).files == [SMALL]
