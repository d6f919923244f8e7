from __future__ import annotations

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import messages
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.messages import Reaction

ME = "+4915112345"
BOB = "+491"
UUID = "11111111-1111-1111-1111-111111111111"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
THUMB = "\N{THUMBS UP SIGN}"


@pytest.mark.parametrize(
    ("recipient", "target"),
    [
        (BOB, {"recipient": BOB}),
        ("user.01", {"recipient": "u:user.01"}),
        (GROUP, {"group-id": INTERNAL}),
    ],
)
def test_a_reaction_goes_to_a_person_or_a_group(recipient: str, target: dict[str, str]) -> None:
    expected = {"emoji": THUMB, "target-author": BOB, "target-timestamp": 5, "account": ME}
    reaction = Reaction(THUMB, BOB, 5)
    assert messages.react(ME, recipient, reaction) == Call("sendReaction", target | expected)


def test_a_reaction_removed_without_an_emoji_is_a_thumbs_up() -> None:
    call = messages.react(ME, BOB, Reaction("", "user.01", 5, remove=True))
    assert call.params == {
        "recipient": BOB,
        "emoji": THUMB,
        "target-author": "u:user.01",
        "target-timestamp": 5,
        "remove": True,
        "account": ME,
    }


@pytest.mark.parametrize(
    ("recipient", "reaction", "missing"),
    [
        ("", Reaction("", "", 0), "recipient"),
        (BOB, Reaction("", "", 0), "reaction"),
        (BOB, Reaction("", "", 0, remove=True), "target_author"),
        (BOB, Reaction("x", BOB, 0), "timestamp"),
    ],
)
def test_a_reaction_needs_all_its_parts(recipient: str, reaction: Reaction, missing: str) -> None:
    with pytest.raises(RequestError, match=f"^Couldn't process request - {missing} missing$"):
        messages.react(ME, recipient, reaction)


def test_a_receipt_names_its_kind_as_signal_cli_does() -> None:
    assert messages.send_receipt(ME, "user.01", "viewed", 5) == Call(
        "sendReceipt",
        {"recipient": "u:user.01", "type": "viewed", "target-timestamp": 5, "account": ME},
    )


@pytest.mark.parametrize(
    ("recipient", "kind", "timestamp", "text"),
    [
        ("", "x", 0, "recipient missing"),
        (BOB, "", 0, "receipt type must be read or viewed"),
        (BOB, "read", 0, "timestamp missing"),
    ],
)
def test_a_receipt_needs_all_its_parts(
    recipient: str, kind: str, timestamp: int, text: str
) -> None:
    with pytest.raises(RequestError, match=f"^Couldn't process request - {text}$"):
        messages.send_receipt(ME, recipient, kind, timestamp)


def test_typing_starts_and_stops() -> None:
    assert messages.start_typing(ME, BOB) == Call("sendTyping", {"recipient": BOB, "account": ME})
    assert messages.start_typing(ME, "") == Call("sendTyping", {"account": ME})
    assert messages.stop_typing(ME, GROUP) == Call(
        "sendTyping", {"group-id": INTERNAL, "stop": True, "account": ME}
    )


@pytest.mark.parametrize(
    ("recipient", "target"),
    [
        (BOB, {"recipient": BOB}),
        ("", {}),
        ("user.01", {"recipient": "u:user.01"}),
        ("0049 1", {"recipient": "+491"}),
        (GROUP, {"group-id": INTERNAL}),
    ],
)
def test_a_message_is_deleted_where_it_was_sent(recipient: str, target: dict[str, str]) -> None:
    assert messages.remote_delete(ME, recipient, 5) == Call(
        "remoteDelete", {**target, "target-timestamp": 5, "account": ME}
    )


def test_a_deletion_needs_a_recipient_that_can_be_one() -> None:
    with pytest.raises(RequestError, match=r"^Invalid identifier group\.1234$"):
        messages.remote_delete(ME, "group.1234", 5)


def test_a_deletion_needs_to_know_of_which_message() -> None:
    """signal-cli #1817"""
    with pytest.raises(RequestError, match=r"timestamp missing$"):
        messages.remote_delete(ME, BOB, 0)


def test_a_message_is_pinned_for_ever_unless_told_otherwise() -> None:
    pinned = {"target-author": "", "target-timestamp": 0, "group-id": INTERNAL, "account": ME}
    for duration, sent in ((None, -1), (0, 0), (60, 60)):
        call = messages.pin_message(ME, INTERNAL, "", 0, duration)
        assert call == Call("sendPinMessage", {**pinned, "pin-duration": sent})


def test_a_message_is_unpinned() -> None:
    assert messages.unpin_message(ME, INTERNAL, BOB, 5) == Call(
        "sendUnpinMessage",
        {"target-author": BOB, "target-timestamp": 5, "group-id": INTERNAL, "account": ME},
    )


@pytest.mark.parametrize(
    ("author", "timestamp", "missing"), [("", 0, "target author"), (BOB, 0, "timestamp")]
)
def test_unpinning_needs_all_its_parts(author: str, timestamp: int, missing: str) -> None:
    with pytest.raises(RequestError, match=f"^Couldn't process request - {missing} missing$"):
        messages.unpin_message(ME, INTERNAL, author, timestamp)
