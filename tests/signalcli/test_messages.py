from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import messages
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.messages import LinkPreview, Mention, Message, Reaction
from signal_bridge.signalcli.results import INVALID_RESPONSE

ME = "+4915112345"
BOB = "+491"
UUID = "11111111-1111-1111-1111-111111111111"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
THUMB = "\N{THUMBS UP SIGN}"


def message(**fields: Any) -> Message:
    return Message(**{"number": ME, "recipients": [BOB], "message": "hi", **fields})


def params(**fields: Any) -> dict[str, Any]:
    """What is sent, without what every message has."""
    sent = messages.send(message(**fields)).params
    assert sent is not None
    usual = {"message": "hi", "notify-self": True, "account": ME, "recipient": [BOB]}
    return {name: value for name, value in sent.items() if usual.get(name) != value}


def test_a_plain_message_is_sent_with_its_account_and_to_oneself() -> None:
    assert messages.send(message()) == Call(
        "send", {"recipient": [BOB], "message": "hi", "notify-self": True, "account": ME}
    )


@pytest.mark.parametrize(
    ("recipients", "target"),
    [
        ([BOB, "+492", BOB], {"recipient": [BOB, "+492", BOB]}),
        ([UUID, BOB], {"recipient": [UUID, BOB]}),
        ([""], {"recipient": [""]}),
        (["user.01", "foo"], {"username": ["user.01", "foo"]}),
        ([GROUP], {"group-id": INTERNAL}),
        ([INTERNAL], {"group-id": INTERNAL}),
    ],
)
def test_recipients_of_one_kind_go_into_one_call(
    recipients: list[str], target: dict[str, Any]
) -> None:
    assert messages.destination(recipients) == target


TOGETHER = (
    "{} cannot be specified together in one request! Please split them up into multiple REST API "
    "calls."
)


@pytest.mark.parametrize(
    ("recipients", "text"),
    [
        ([GROUP, BOB], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        ([GROUP, "user.01"], TOGETHER.format("Signal Messenger Groups and usernames")),
        ([BOB, "user.01"], TOGETHER.format("Signal Messenger phone numbers and usernames")),
        (["user.01", BOB, GROUP], TOGETHER.format("Signal Messenger Groups and phone numbers")),
        (
            [GROUP, GROUP],
            "A signal message cannot be sent to more than one group at once! Please use multiple "
            "REST API calls for that.",
        ),
        ([BOB, GROUP, "group.YWJjZA=="], "Invalid Signal group size (3"),
    ],
)
def test_recipients_of_several_kinds_are_refused(recipients: list[str], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        messages.destination(recipients)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"message": ""}, {"message": ""}),
        ({"attachments": ["/a", "/b"]}, {"attachment": ["/a", "/b"]}),
        ({"sticker": "abc:1"}, {"sticker": "abc:1"}),
        ({"mentions": [Mention(0, 1, "+4912"), Mention()]}, {"mentions": ["0:1:+4912", "0:0:"]}),
        (
            {
                "quote_timestamp": 123,
                "quote_author": "+49",
                "quote_message": "q",
                "quote_mentions": [Mention(1, 2, "u")],
            },
            {
                "quote-timestamp": 123,
                "quote-author": "+49",
                "quote-message": "q",
                "quote-mentions": ["1:2:u"],
            },
        ),
        (
            {"quote_timestamp": 0, "quote_author": "", "edit_timestamp": 0},
            {"quote-timestamp": 0, "quote-author": "", "edit-timestamp": 0},
        ),
        ({"view_once": True}, {"view-once": True}),
        (
            {"message": "a **b** c", "styled": True},
            {"message": "a b c", "text-style": ["2:1:BOLD"]},
        ),
        ({"message": "a **b** c"}, {"message": "a **b** c"}),
        ({"message": "~~", "styled": True}, {"message": ""}),
        (
            {"link_preview": LinkPreview("https://x", "t")},
            {"preview-url": "https://x", "preview-title": "t", "preview-description": ""},
        ),
        (
            {"link_preview": LinkPreview("https://x", "t", "d", "/i.png")},
            {
                "preview-url": "https://x",
                "preview-title": "t",
                "preview-description": "d",
                "preview-image": "/i.png",
            },
        ),
        (
            {"voice_note": True, "no_urgent": True, "text_styles": ["0:2:BOLD"]},
            {"voice-note": True, "no-urgent": True, "text-style": ["0:2:BOLD"]},
        ),
        (
            {"story_timestamp": 5, "story_author": "+49"},
            {"story-timestamp": 5, "story-author": "+49"},
        ),
    ],
)
def test_a_field_is_sent_when_it_was_given(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert params(**fields) == sent


def test_one_may_be_left_out_of_ones_own_message() -> None:
    call = messages.send(message(notify_self=False))
    assert call.params == {"recipient": [BOB], "message": "hi", "account": ME}


NO_RECIPIENT = "Couldn't process request - please provide at least one recipient"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"recipients": [], "number": "", "sticker": "x"}, NO_RECIPIENT),
        (
            {"number": "", "sticker": "x"},
            "Couldn't process request - please provide a valid number",
        ),
        (
            {"sticker": "x", "view_once": True},
            "Couldn't process request - please provide valid sticker delimiter",
        ),
        (
            {"view_once": True, "recipients": ["group.1234"]},
            "'view_once' can only be set for image attachments!",
        ),
        (
            {"recipients": ["group.1234"], "link_preview": LinkPreview()},
            "Invalid identifier group.1234",
        ),
        ({"link_preview": LinkPreview()}, "Please provide a valid Link Preview URL"),
        (
            {"link_preview": LinkPreview("http://x")},
            "Link Preview URL must start with https://..",
        ),
        (
            {"link_preview": LinkPreview("httpsfoo", "t")},
            "Link Preview URL must start with https://..",
        ),
        ({"link_preview": LinkPreview("https://x")}, "Please provide a valid Link Preview Title"),
        (
            {"link_preview": LinkPreview("https://x", "t")},
            "Link Preview URL is missing in the message!",
        ),
        (
            {"reaction": Reaction("", "+49", 5), "message": ""},
            "Couldn't process request - reaction missing",
        ),
        (
            {"reaction": Reaction("x", "", 5), "message": ""},
            "Couldn't process request - target_author missing",
        ),
        (
            {"reaction": Reaction("x", "+49", 0), "message": ""},
            "Couldn't process request - timestamp missing",
        ),
        (
            {"reaction": Reaction("x", "+49", 5)},
            "A reaction cannot be sent together with a message!",
        ),
    ],
)
def test_the_first_thing_wrong_with_a_message_is_told(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        messages.check(message(**fields), attachments=0)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("fields", "attachments"),
    [
        ({}, 0),
        ({"view_once": True}, 1),
        ({"sticker": "a:1"}, 0),
        ({"message": "**https://x**", "link_preview": LinkPreview("https://x", "t")}, 0),
        ({"message": "", "reaction": Reaction("x", BOB, 5)}, 0),
    ],
)
def test_nothing_is_wrong_with_a_good_message(fields: dict[str, Any], attachments: int) -> None:
    messages.check(message(**fields), attachments)


@pytest.mark.parametrize(
    ("recipients", "target"),
    [
        ([BOB, "+492"], {"recipient": [BOB, "+492"]}),
        (["user.01"], {"username": ["user.01"]}),
        ([GROUP], {"group-id": INTERNAL}),
    ],
)
def test_a_reaction_may_be_sent_as_a_message_is(
    recipients: list[str], target: dict[str, Any]
) -> None:
    reaction = Reaction(THUMB, BOB, 5)
    call = messages.send(message(recipients=recipients, message="", reaction=reaction))
    expected = {"emoji": THUMB, "target-author": BOB, "target-timestamp": 5, "account": ME}
    assert call == Call("sendReaction", target | expected)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({"timestamp": 7, "results": [{"type": "SUCCESS"}]}, {"timestamp": "7"}),
        ({"timestamp": 7}, {"timestamp": "7"}),
        (None, {"timestamp": "0"}),
        ({"timestamp": None, "results": None}, {"timestamp": "0"}),
        (
            {
                "timestamp": 7,
                "results": [
                    {"type": "SUCCESS", "recipientAddress": {"number": "+492"}},
                    {
                        "type": "IDENTITY_FAILURE",
                        "recipientAddress": {"uuid": "u3", "number": "+493", "username": "x.1"},
                    },
                    {"type": "NETWORK_FAILURE", "recipientAddress": {"uuid": None, "number": ""}},
                    {"type": "UNREGISTERED_FAILURE"},
                ],
            },
            {
                "timestamp": "7",
                "errors": {
                    "recipients": [
                        {
                            "username": "x.1",
                            "number": "+493",
                            "uuid": "u3",
                            "reason": "IDENTITY_FAILURE",
                        },
                        {"reason": "NETWORK_FAILURE"},
                        {"reason": "UNREGISTERED_FAILURE"},
                    ]
                },
            },
        ),
    ],
)
def test_a_send_answers_its_time_and_who_was_not_reached(
    result: Any, answer: dict[str, Any]
) -> None:
    assert messages.sent(result) == answer


@pytest.mark.parametrize(
    "result",
    ["x", [], 5, {"timestamp": "7"}, {"timestamp": True}, {"results": {}}, {"results": ["x"]}],
)
def test_a_result_of_another_type_is_an_invalid_response(result: Any) -> None:
    with pytest.raises(RequestError, match=f"^{INVALID_RESPONSE}$"):
        messages.sent(result)


def test_the_old_send_takes_recipients_as_they_are() -> None:
    call = messages.send_v1(ME, [BOB, "user.01"], "**x**", "/a", is_group=False)
    assert call == Call(
        "send",
        {
            "recipient": [BOB, "user.01"],
            "message": "**x**",
            "attachment": ["/a"],
            "notify-self": True,
            "account": ME,
        },
    )


def test_the_old_send_takes_a_group_without_its_prefix() -> None:
    call = messages.send_v1(ME, [GROUP.removeprefix("group.")], "x", None, is_group=True)
    assert call == Call(
        "send", {"group-id": INTERNAL, "message": "x", "notify-self": True, "account": ME}
    )


@pytest.mark.parametrize(
    ("recipients", "is_group", "text"),
    [
        ([], False, "Please specify at least one recipient"),
        ([], True, "Please specify at least one recipient"),
        (["a", "b"], True, "More than one recipient is currently not allowed"),
        ([GROUP], True, "Invalid group id"),
        (["!"], True, "Invalid group id"),
    ],
)
def test_the_old_send_refuses(recipients: list[str], is_group: bool, text: str) -> None:
    with pytest.raises(RequestError, match=f"^{text}$"):
        messages.destination_v1(recipients, is_group)


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
        ("group.abc", {"recipient": "group.abc"}),
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
