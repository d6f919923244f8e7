from __future__ import annotations

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import sentmessages
from signal_bridge.signalcli.call import Call

ME = "+4915112345"
BOB = "+491"
MS = 1700000000123
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
MESSAGE = {"target-author": BOB, "target-timestamp": MS, "account": ME}
CHATS = [
    (BOB, {"recipient": BOB}),
    ("user.01", {"recipient": "u:user.01"}),
    (GROUP, {"group-id": INTERNAL}),
    (INTERNAL, {"group-id": INTERNAL}),
]


@pytest.mark.parametrize(("recipient", "chat"), CHATS)
def test_a_message_is_pinned_where_it_was_written(recipient: str, chat: dict[str, str]) -> None:
    assert sentmessages.pin(ME, recipient, BOB, MS, 86400) == Call(
        "sendPinMessage", {**chat, **MESSAGE, "pin-duration": 86400}
    )
    assert sentmessages.unpin(ME, recipient, BOB, MS) == Call(
        "sendUnpinMessage", {**chat, **MESSAGE}
    )


@pytest.mark.parametrize("duration", [None, -1])
def test_without_a_duration_it_stays_pinned(duration: int | None) -> None:
    call = sentmessages.pin(ME, BOB, "user.01", MS, duration)
    assert call.params == {
        "recipient": BOB,
        "target-author": "u:user.01",
        "target-timestamp": MS,
        "pin-duration": -1,
        "account": ME,
    }


@pytest.mark.parametrize("duration", [0, -2, 2**31, 2**62])
def test_a_pin_lasts_as_long_as_signal_cli_can_say(duration: int) -> None:
    with pytest.raises(RequestError, match="duration must be between 1 and 2147483647 seconds"):
        sentmessages.pin(ME, BOB, BOB, MS, duration)


@pytest.mark.parametrize(
    ("recipient", "author", "timestamp", "missing"),
    [
        ("", "", 0, "recipient"),
        (BOB, "", 0, "target_author"),
        (BOB, BOB, 0, "timestamp"),
    ],
)
def test_a_message_is_named_by_its_chat_its_author_and_its_time(
    recipient: str, author: str, timestamp: int, missing: str
) -> None:
    text = f"^Couldn't process request - {missing} missing$"
    with pytest.raises(RequestError, match=text):
        sentmessages.pin(ME, recipient, author, timestamp, 0)
    with pytest.raises(RequestError, match=text):
        sentmessages.unpin(ME, recipient, author, timestamp)
    if recipient:
        with pytest.raises(RequestError, match=text):
            sentmessages.admin_delete(ME, INTERNAL, author, timestamp)


def test_what_cannot_be_a_group_is_none() -> None:
    with pytest.raises(RequestError, match=r"^Invalid group id$"):
        sentmessages.pin(ME, "group.!", BOB, MS)


def test_an_admin_deletes_in_a_group() -> None:
    assert sentmessages.admin_delete(ME, INTERNAL, "user.01", MS) == Call(
        "sendAdminDelete",
        {
            "target-author": "u:user.01",
            "target-timestamp": MS,
            "group-id": INTERNAL,
            "account": ME,
        },
    )
