"""What is to be sent: decided once, plain JSON, and sent in one call."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import orjson
import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import drafts
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.drafts import Draft, LinkPreview, Mention
from signal_bridge.signalcli.messages import Reaction

ME = "+4915112345"
BOB = "+491"
UUID = "11111111-1111-1111-1111-111111111111"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
THUMB = "\N{THUMBS UP SIGN}"


def draft(**fields: Any) -> Draft:
    return Draft(**{"account": ME, "recipients": [BOB], "text": "hi", **fields})


def decided(**fields: Any) -> Draft:
    return drafts.decide(draft(**fields), lambda: "", "normal")


def decided_v1(recipients: list[str], is_group: bool, **fields: Any) -> Draft:
    return drafts.decide_v1(draft(recipients=recipients, **fields), lambda: "", is_group)


def params(**fields: Any) -> dict[str, Any]:
    """What is sent, without what every message has."""
    sent = drafts.send(decided(**fields)).params
    assert isinstance(sent, dict)
    usual = {"message": "hi", "notify-self": True, "account": ME, "recipient": [BOB]}
    return {name: value for name, value in sent.items() if usual.get(name) != value}


def test_a_plain_message_is_sent_with_its_account_and_to_oneself() -> None:
    assert drafts.send(decided()) == Call(
        "send", {"recipient": [BOB], "message": "hi", "notify-self": True, "account": ME}
    )


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"text": ""}, {"message": ""}),
        ({"attachments": ["/a", "/b"]}, {"attachment": ["/a", "/b"]}),
        ({"sticker": "abc:1"}, {"sticker": "abc:1"}),
        (
            {"mentions": [Mention(0, 1, "+4912"), Mention(0, 0, "name.01")]},
            {"mentions": ["0:1:+4912", "0:0:u:name.01"]},
        ),
        (
            {
                "quote_timestamp": 123,
                "quote_author": "0049",
                "quote_message": "q",
                "quote_mentions": [Mention(1, 2, "name.01")],
            },
            {
                "quote-timestamp": 123,
                "quote-author": "+49",
                "quote-message": "q",
                "quote-mentions": ["1:2:u:name.01"],
            },
        ),
        (
            {"quote_timestamp": 0, "quote_author": "", "edit_timestamp": 0},
            {"quote-timestamp": 0, "quote-author": "", "edit-timestamp": 0},
        ),
        (
            {"view_once": True, "attachments": ["/a"]},
            {"view-once": True, "attachment": ["/a"]},
        ),
        (
            {"text": "a **b** c", "text_mode": "styled"},
            {"message": "a b c", "text-style": ["2:1:BOLD"]},
        ),
        ({"text": "a **b** c"}, {"message": "a **b** c"}),
        ({"text": "~~", "text_mode": "styled"}, {"message": ""}),
        (
            {"link_preview": LinkPreview("https://x", "t"), "text": "https://x"},
            {
                "message": "https://x",
                "preview-url": "https://x",
                "preview-title": "t",
                "preview-description": "",
            },
        ),
        (
            {"link_preview": LinkPreview("https://x", "t", "d", "/i.png"), "text": "https://x"},
            {
                "message": "https://x",
                "preview-url": "https://x",
                "preview-title": "t",
                "preview-description": "d",
                "preview-image": "/i.png",
            },
        ),
        (
            {"voice_note": True, "attachments": ["/a.m4a"]},
            {"voice-note": True, "attachment": ["/a.m4a"]},
        ),
        (
            {"no_urgent": True, "text_styles": ["0:2:BOLD"]},
            {"no-urgent": True, "text-style": ["0:2:BOLD"]},
        ),
        (
            {"story_timestamp": 5, "story_author": "+4 9"},
            {"story-timestamp": 5, "story-author": "+49"},
        ),
    ],
)
def test_a_field_is_sent_when_it_was_given(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    assert params(**fields) == sent


def test_one_may_be_left_out_of_ones_own_message() -> None:
    call = drafts.send(decided(notify_self=False))
    assert call.params == {"recipient": [BOB], "message": "hi", "account": ME}


NO_RECIPIENT = "Couldn't process request - please provide at least one recipient"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"recipients": [], "account": "", "sticker": "x"}, NO_RECIPIENT),
        (
            {"account": "", "sticker": "x"},
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
            {"quote_timestamp": 5, "quote_message": "q"},
            "Couldn't process request - quote_author missing",
        ),
        (
            {"quote_timestamp": 5, "quote_author": ""},
            "Couldn't process request - quote_author missing",
        ),
        ({"story_timestamp": 5}, "Couldn't process request - story_author missing"),
        (
            {"mentions": [Mention(0, 1, "+4912"), Mention(2, 1)]},
            "Couldn't process request - mentions[1].author missing",
        ),
        (
            {"quote_timestamp": 5, "quote_author": BOB, "quote_mentions": [Mention(0, 1)]},
            "Couldn't process request - quote_mentions[0].author missing",
        ),
        (
            {"reaction": Reaction("", "+49", 5), "text": ""},
            "Couldn't process request - reaction missing",
        ),
        (
            {"reaction": Reaction("x", "", 5), "text": ""},
            "Couldn't process request - target_author missing",
        ),
        (
            {"reaction": Reaction("x", "+49", 0), "text": ""},
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
        decided(**fields)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"view_once": True, "attachments": ["QUJD"]},
        {"sticker": "a:1"},
        {"text": "**https://x**", "link_preview": LinkPreview("https://x", "t")},
        {"text": "", "reaction": Reaction("x", BOB, 5)},
    ],
)
def test_nothing_is_wrong_with_a_good_message(fields: dict[str, Any]) -> None:
    assert decided(**fields).destination == {"recipient": [BOB]}


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
    call = drafts.send(decided(recipients=recipients, text="", reaction=reaction))
    expected = {"emoji": THUMB, "target-author": BOB, "target-timestamp": 5, "account": ME}
    assert call == Call("sendReaction", target | expected)


def test_the_old_send_takes_people_of_every_kind() -> None:
    call = drafts.send(decided_v1([BOB, "user.01"], False, text="**x**", attachments=["/a"]))
    assert call == Call(
        "send",
        {
            "recipient": [BOB, "u:user.01"],
            "message": "**x**",
            "attachment": ["/a"],
            "notify-self": True,
            "account": ME,
        },
    )


def test_the_old_send_takes_a_group_without_its_prefix() -> None:
    call = drafts.send(decided_v1([GROUP.removeprefix("group.")], True, text="x"))
    assert call == Call(
        "send", {"group-id": INTERNAL, "message": "x", "notify-self": True, "account": ME}
    )


def test_what_a_draft_left_open_is_filled_in() -> None:
    left_open = draft(account="", recipients=[], recipient=BOB)
    filled = drafts.decide(left_open, lambda: ME, "styled")
    assert (filled.account, filled.recipients, filled.text_mode) == (ME, [BOB], "styled")
    assert drafts.decide_v1(draft(account=""), lambda: ME, is_group=False).account == ME


@pytest.mark.parametrize(
    "fields",
    [
        {"quote_author": "015112345"},
        {"story_author": GROUP},
        {"mentions": [Mention(0, 1, "-")]},
        {"quote_mentions": [Mention(0, 1, "+")]},
    ],
)
def test_who_is_named_in_a_message_has_to_be_somebody(fields: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        decided(**fields)


def test_the_account_of_a_draft_may_be_spelled_as_one_likes() -> None:
    for spelled in ("4915112345", "0049 151 12345", " +4915112345"):
        spelled_so = draft(account=spelled)
        assert drafts.decide(spelled_so, lambda: "", "").account == "+4915112345"
        assert drafts.decide_v1(spelled_so, lambda: "", is_group=False).account == "+4915112345"


def test_what_a_draft_says_itself_stands() -> None:
    said = drafts.decide(draft(text_mode="normal"), lambda: "+49999", "styled")
    assert (said.account, said.text_mode) == (ME, "normal")


def test_the_default_account_is_looked_up_only_for_a_draft_that_can_be_sent() -> None:
    def never() -> str:
        raise AssertionError

    with pytest.raises(RequestError, match="at least one recipient"):
        drafts.decide(draft(account="", recipients=[]), never, "normal")


def test_a_decided_draft_can_be_stored_and_sent_by_somebody_else() -> None:
    whole = decided(
        text="see https://x",
        text_mode="styled",
        attachments=[Path("/spool/a.png")],
        mentions=[Mention(0, 3, BOB)],
        link_preview=LinkPreview("https://x", "t", "d", Path("/spool/b.png")),
    )
    stored = orjson.loads(orjson.dumps(whole, default=str))
    mentions = [Mention(**one) for one in stored.pop("mentions")]
    preview = LinkPreview(**stored.pop("link_preview"))
    again = Draft(**stored, mentions=mentions, link_preview=preview)
    assert drafts.send(again) == drafts.send(whole)
    assert set(stored) | {"mentions", "link_preview"} == {
        field.name for field in dataclasses.fields(Draft)
    }
