"""What refers to a message: reactions, deletions, typing, receipts, polls, pins."""

from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, Client
from tests.sandbox.shapes import ENVELOPE, NEVER, arrives, data_keys, target


def test_a_reaction_arrives(subscriber: Client, knows: Version) -> None:
    message = arrives(
        subscriber, "sendReaction", emoji="👍", targetAuthor=ALICE, targetTimestamp=NEVER
    )
    assert list(message) == data_keys(knows, "reaction")
    assert message["message"] is None
    expected = {
        "emoji": "👍", **target("targetAuthor", ALICE),
        "targetSentTimestamp": NEVER, "isRemove": False,
    }  # fmt: skip
    assert message["reaction"] == expected
    assert list(message["reaction"]) == list(expected)


def test_between_two_a_reaction_need_not_name_the_author(subscriber: Client) -> None:
    message = arrives(subscriber, "sendReaction", emoji="x", targetTimestamp=NEVER, remove=True)
    assert message["reaction"]["targetAuthor"] == BOB
    assert message["reaction"]["isRemove"] is True


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"emoji": "x"}, '"targetTimestamp" is missing'),
        ({"targetTimestamp": NEVER}, '"emoji" is missing'),
        ({"emoji": "x", "targetTimestamp": 5}, '"targetTimestamp" has the wrong type'),
        (
            {"recipient": [], "noteToSelf": True, "emoji": "x", "targetTimestamp": NEVER},
            '"targetAuthor" is missing',
        ),
    ],
)
def test_an_incomplete_reaction_is_refused(
    client: Client, params: dict[str, Any], message: str
) -> None:
    error = client.error("sendReaction", **{"recipient": [BOB], **params})
    assert error == {"code": -32603, "message": message, "data": None}


def test_a_deletion_arrives(subscriber: Client, knows: Version) -> None:
    message = arrives(subscriber, "remoteDelete", targetTimestamp=NEVER)
    assert list(message) == data_keys(knows, "remoteDelete")
    assert message["remoteDelete"] == {"timestamp": NEVER}
    assert subscriber.error("remoteDelete", recipient=[BOB])["code"] == -32603


@pytest.mark.parametrize(("stop", "action"), [(None, "STARTED"), (True, "STOPPED")])
def test_typing_arrives(subscriber: Client, stop: bool | None, action: str) -> None:
    sent = subscriber.result("sendTyping", recipient=BOB, stop=stop)["timestamp"]
    envelope = subscriber.envelope(BOB, "typingMessage", sent)
    assert list(envelope) == [*ENVELOPE, "typingMessage"]
    assert envelope["typingMessage"] == {"action": action, "timestamp": sent}


def test_typing_to_nobody_or_to_an_unknown_group_is_refused(client: Client) -> None:
    assert client.error("sendTyping")["message"] == "No recipients given"
    text = "Failed to send to group: Group not found: AAAA"
    assert client.error("sendTyping", groupId="AAAA")["message"] == text


@pytest.mark.parametrize("kind", ["read", "viewed"])
def test_receipts_arrive(subscriber: Client, kind: str) -> None:
    params = {} if kind == "read" else {"type": kind}
    sent = subscriber.result("sendReceipt", recipient=BOB, targetTimestamp=NEVER, **params)
    receipt = subscriber.envelope(BOB, "receiptMessage", sent["timestamp"])["receiptMessage"]
    assert receipt == {
        "when": sent["timestamp"], "isDelivery": False, "isRead": kind == "read",
        "isViewed": kind == "viewed", "timestamps": [NEVER],
    }  # fmt: skip


def test_receipts_that_make_no_sense_are_refused(client: Client) -> None:
    error = client.error("sendReceipt", recipient=BOB, targetTimestamp=[NEVER], type="x")
    assert error["message"] == "Unknown receipt type: x"
    assert client.error("sendReceipt", targetTimestamp=[NEVER])["code"] == -32603
    assert client.error("sendReceipt", recipient=BOB)["code"] == -32603
    assert client.error("sendReceipt", recipient=BOB, targetTimestamp=[5])["code"] == -32603


@only_new
def test_polls_arrive(subscriber: Client) -> None:
    created = arrives(subscriber, "sendPollCreate", question="Lunch?", options=["Pizza", "Sushi"])
    poll = {"question": "Lunch?", "allowMultiple": True, "options": ["Pizza", "Sushi"]}
    assert created["pollCreate"] == poll
    assert list(created["pollCreate"]) == list(poll)
    vote = arrives(
        subscriber, "sendPollVote", pollAuthor=BOB, pollTimestamp=NEVER, option=[0, 1], voteCount=2
    )["pollVote"]
    assert vote == {
        **target("author", BOB), "targetSentTimestamp": NEVER,
        "optionIndexes": [0, 1], "voteCount": 2,
    }  # fmt: skip
    ended = arrives(subscriber, "sendPollTerminate", pollTimestamp=NEVER)
    assert ended["pollTerminate"] == {"targetSentTimestamp": NEVER}


@only_new
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a"], "Poll needs at least two options"),
        (["a"] * 11, "Poll cannot have more than 10 options"),
        (["a", ""], "Poll options must not be empty"),
        (
            ["a", "b" * 101],
            f'Poll option "{"b" * 101}" exceeds the maximum length of 100 characters',
        ),
    ],
)
def test_polls_that_make_no_sense_are_refused(
    client: Client, options: list[str], message: str
) -> None:
    error = client.error("sendPollCreate", recipient=BOB, question="?", option=options)
    assert error == {"code": -1, "message": message, "data": None}


@only_new
def test_pins_arrive(subscriber: Client) -> None:
    pin = arrives(
        subscriber, "sendPinMessage", targetAuthor=ALICE, targetTimestamp=NEVER, pinDuration=-1
    )["pinMessage"]
    where = {**target("targetAuthor", ALICE), "targetSentTimestamp": NEVER}
    assert pin == {**where, "pinDurationSeconds": -1}
    unpin = arrives(subscriber, "sendUnpinMessage", targetAuthor=ALICE, targetTimestamp=NEVER)
    assert unpin["unpinMessage"] == where
    assert subscriber.error("sendPinMessage", recipient=[BOB])["code"] == -32603


def test_requests_about_message_requests_and_sync_are_answered_with_nothing(
    client: Client,
) -> None:
    method = "sendMessageRequestResponse"
    assert client.result(method, recipient=BOB, type="accept") == {}
    assert client.error(method, recipient=BOB, type="foo")["code"] == -32603
    assert client.error(method, recipient=BOB)["code"] == -32603
    assert client.result("sendContacts") == {}
    assert client.result("sendSyncRequest") == {}


def test_a_payment_arrives(subscriber: Client, knows: Version) -> None:
    params = {"recipient": BOB, "receipt": "AQID", "note": "thanks"}
    message = arrives(subscriber, "sendPaymentNotification", **params)
    assert list(message) == data_keys(knows, "payment")
    assert message["payment"] == {"note": "thanks", "receipt": "AQID"}
    bad = subscriber.error("sendPaymentNotification", recipient=BOB, receipt="!")
    assert bad["code"] == -32603
    assert subscriber.error("sendPaymentNotification", recipient=BOB)["code"] == -32603


@only_new
def test_an_admin_deletes_what_others_wrote(subscriber: Client, knows: Version) -> None:
    group = subscriber.result("updateGroup", name="g", member=[BOB, CAROL])["groupId"]
    deletion = {"groupId": group, "targetAuthor": BOB, "targetTimestamp": NEVER}
    sent = subscriber.result("sendAdminDelete", **deletion)
    assert {entry["recipientAddress"]["number"] for entry in sent["results"]} == {BOB, CAROL}
    message = subscriber.data_message(CAROL, sent["timestamp"])
    assert list(message) == data_keys(knows, "groupInfo", "adminDelete")
    deleted = {**target("targetAuthor", BOB), "targetSentTimestamp": NEVER}
    assert message["adminDelete"] == deleted
    assert list(message["adminDelete"]) == list(deleted)


@only_new
def test_nothing_is_shown_of_a_deletion_by_who_is_no_admin(subscriber: Client) -> None:
    group = subscriber.result("updateGroup", name="g", member=[BOB, CAROL])["groupId"]
    deletion = {"groupId": group, "targetAuthor": ALICE, "targetTimestamp": NEVER}
    sent = subscriber.result("sendAdminDelete", account=BOB, **deletion)["timestamp"]
    last = subscriber.result("send", account=BOB, groupId=group, message="x")["timestamp"]
    subscriber.data_message(CAROL, last)
    assert f"'timestamp': {sent}" not in str(subscriber.notifications)


@only_new
def test_an_admins_deletion_wants_a_group_an_author_and_a_time(client: Client) -> None:
    group = client.result("updateGroup", name="g", member=BOB)["groupId"]
    text = "Admin delete requires group IDs"
    assert client.error("sendAdminDelete", targetAuthor=BOB)["message"] == text
    assert client.error("sendAdminDelete", groupId="AAAA")["message"] == "Group not found: AAAA"
    assert client.error("sendAdminDelete", groupId=group)["code"] == -32603
    assert client.error("sendAdminDelete", groupId=group, targetAuthor=BOB)["code"] == -32603
