"""What is sent, how it is answered, and how it looks where it arrives (recorded shapes)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, BOB, CAROL, ROBOT, Client, Sandbox
from tests.sandbox.shapes import ATTACHMENT, ENVELOPE, NEVER, aci, arrives, data_keys, target


def test_a_send_is_answered_with_a_time_and_one_result_per_recipient(client: Client) -> None:
    sent = client.result("send", recipient=[BOB, CAROL], message="hi")
    assert set(sent) == {"timestamp", "results"}
    assert sent["results"] == [
        {
            "recipientAddress": {"uuid": aci(number), "number": number, "username": None},
            "type": "SUCCESS",
        }
        for number in (BOB, CAROL)
    ]


def test_a_text_arrives_with_the_keys_of_signal_cli_in_their_order(
    subscriber: Client, knows: Version
) -> None:
    sent = subscriber.result("send", recipient=[BOB], message="hi")["timestamp"]
    envelope = subscriber.envelope(BOB, "dataMessage", sent)
    assert list(envelope) == [*ENVELOPE, "dataMessage"]
    assert envelope["source"] == envelope["sourceNumber"] == ALICE
    assert envelope["sourceUuid"] == aci(ALICE)
    assert (envelope["sourceName"], envelope["sourceDevice"]) == ("Alice", 1)
    assert envelope["timestamp"] == sent
    message = envelope["dataMessage"]
    assert list(message) == data_keys(knows)
    assert message.pop("isExpirationUpdate", False) is False
    assert message == {
        "timestamp": sent, "message": "hi", "expiresInSeconds": 0, "viewOnce": False,
    }  # fmt: skip


def test_a_delivery_receipt_comes_back(subscriber: Client) -> None:
    sent = subscriber.result("send", recipient=[BOB], message="hi")["timestamp"]
    params = subscriber.wait_for(lambda params: f"'timestamps': [{sent}]" in str(params))
    envelope = params["result"]["envelope"]
    assert params["result"]["account"] == ALICE
    assert list(envelope) == [*ENVELOPE, "receiptMessage"]
    assert envelope["receiptMessage"] == {
        "when": envelope["timestamp"], "isDelivery": True, "isRead": False, "isViewed": False,
        "timestamps": [sent],
    }  # fmt: skip
    assert next(iter(envelope["receiptMessage"])) == "when"


def test_the_robot_sends_each_text_back(subscriber: Client) -> None:
    subscriber.result("send", recipient=[ROBOT], message="echo this")
    params = subscriber.wait_for(lambda params: "'echo this'" in str(params))
    assert params["result"]["account"] == ALICE
    assert params["result"]["envelope"]["sourceNumber"] == ROBOT


@pytest.mark.parametrize(
    "recipient",
    [
        {"recipient": BOB},
        {"recipient": [BOB]},
        {"recipients": [BOB]},
        {"recipient": "(202) 555-0101"},
        {"recipient": aci(BOB).upper()},
        {"recipient": "u:bob.01"},
        {"username": "bob.01"},
        {"usernames": ["bob.01"]},
        {"recipient": [BOB, aci(BOB), "u:bob.01"]},
        {"recipient": [BOB], "recipients": "ignored"},
        {"recipient": BOB, "bogus": 1},
    ],
)
def test_a_recipient_may_be_named_in_many_ways(client: Client, recipient: dict[str, Any]) -> None:
    results = client.result("send", message="hi", **recipient)["results"]
    assert [entry["recipientAddress"]["number"] for entry in results] == [BOB]


def test_a_username_is_in_the_address_once_it_is_known(client: Client) -> None:
    client.result("send", account=CAROL, recipient=["u:bob.01"], message="hi")
    results = client.result("send", account=CAROL, recipient=[BOB], message="hi")["results"]
    assert results[0]["recipientAddress"]["username"] == "bob.01"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({}, -1, "No recipients given"),
        ({"recipient": ["abc"]}, -1, "Invalid phone number 'abc': No valid characters found."),
        (
            {"recipient": [BOB], "message": ""},
            -1,
            "Sending empty message is not allowed, either a message, attachment or sticker must be "
            "given.",
        ),
        ({"recipients": BOB}, -32603, '"recipients" has the wrong type'),
        ({"recipient": 12025550101}, -32603, '"recipient" has the wrong type'),
        ({"noteToSelf": "true"}, -32603, '"noteToSelf" has the wrong type'),
        (
            {"recipient": BOB, "quoteTimestamp": 5},
            -32603,
            '"quoteTimestamp" has the wrong type',
        ),
        (
            {"recipient": BOB, "quoteTimestamp": NEVER},
            -1,
            "Quote author parameter is missing",
        ),
        (
            {"recipient": BOB, "quoteTimestamp": NEVER, "quoteAuthor": "+15550002222"},
            -1,
            "The user +15550002222 is not registered.",
        ),
        (
            {"recipient": BOB, "mention": "0:1"},
            -1,
            "Invalid mention syntax (0:1) expected 'start:length:recipientNumber'",
        ),
        (
            {"recipient": BOB, "mentions": ["0:1:+15550002222"]},
            -1,
            "The user +15550002222 is not registered.",
        ),
        ({"recipient": BOB, "textStyle": "0:1:FOO"}, -1, "Invalid style: FOO"),
        (
            {"recipient": BOB, "textStyle": ["0-1"]},
            -1,
            "Invalid textStyle syntax (0-1) expected 'start:length:STYLE'",
        ),
        (
            {"recipient": BOB, "sticker": "zz:1"},
            -1,
            "Invalid sticker syntax (zz:1) expected 'stickerPackId:stickerId'",
        ),
        (
            {"recipient": BOB, "sticker": "abcd:1"},
            -1,
            "Failed to send sticker: Sticker pack not found",
        ),
        (
            {"recipient": BOB, "attachment": "/nonexistent/x.png"},
            -32603,
            "Failed to send message: /nonexistent/x.png (No such file or directory)",
        ),
        (
            {"recipient": BOB, "attachment": "/dev/zero"},
            -32603,
            "Failed to send message: /dev/zero (Not a regular file)",
        ),
        ({"groupId": "AAAA"}, -1, "Group not found: AAAA"),
        (
            {"groupId": "***"},
            -1,
            'Invalid group id: Failed to decode groupId (must be base64) "***"',
        ),
    ],
)
def test_a_send_that_makes_no_sense_is_refused_in_the_words_of_signal_cli(
    client: Client, params: dict[str, Any], code: int, message: str
) -> None:
    error = client.error("send", **{"message": "hi", **params})
    assert error == {"code": code, "message": message, "data": None}


def test_a_message_that_is_no_string_is_made_one(subscriber: Client) -> None:
    assert arrives(subscriber, "send", message=5)["message"] == "5"


def test_note_to_self_succeeds_and_comes_back_only_with_notify_self(subscriber: Client) -> None:
    quiet = subscriber.result("send", noteToSelf=True, message="quiet")
    address = {"uuid": aci(ALICE), "number": ALICE, "username": "alice.01"}
    assert quiet["results"] == [{"recipientAddress": address, "type": "SUCCESS"}]
    loud = subscriber.result("send", recipient=ALICE, notifySelf=True, message="loud")
    assert subscriber.data_message(ALICE, loud["timestamp"])["message"] == "loud"
    assert "'quiet'" not in str(subscriber.notifications)


def test_attachments_lie_in_the_config_directory_before_the_message_arrives(
    subscriber: Client, sandbox: Sandbox, knows: Version, tmp_path: Path
) -> None:
    path = tmp_path / "blob.bin"
    path.write_bytes(b"\x00\x01")
    uri = "data:image/png;filename=my%20pic.png;base64,aGVsbG8="
    message = arrives(subscriber, "send", attachments=[str(path), uri], message="files")
    assert list(message) == data_keys(knows, "attachments")
    first, second = message["attachments"]
    assert list(first) == ATTACHMENT
    assert (first["contentType"], first["filename"]) == ("application/octet-stream", "blob.bin")
    assert (second["contentType"], second["filename"]) == ("image/png", "my pic.png")
    assert (second["size"], second["width"], second["caption"]) == (5, None, None)
    assert first["id"].endswith(".bin")
    assert second["id"].endswith(".png")
    assert (sandbox.config / "attachments" / second["id"]).read_bytes() == b"hello"
    data = subscriber.result("getAttachment", account=BOB, id=first["id"])["data"]
    assert base64.b64decode(data) == b"\x00\x01"


def test_a_data_uri_without_a_name_gets_its_extension_from_its_type(subscriber: Client) -> None:
    message = arrives(subscriber, "send", attachment="data:image/jpeg;base64,/9j/")
    assert message["message"] is None
    assert message["attachments"][0]["filename"] is None
    assert message["attachments"][0]["id"].endswith(".jpg")


def test_an_ignored_attachment_is_announced_but_not_kept(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--ignore-attachments")
    client = sandbox.connect()
    message = arrives(client, "send", attachment="data:image/png;base64,aGVsbG8=")
    assert message["attachments"][0]["id"]
    assert not (sandbox.config / "attachments").exists()


@pytest.mark.parametrize("name", ["nope", "/etc/hostname", "../data/accounts.json", ".", ""])
def test_get_attachment_does_not_leave_its_directory(client: Client, name: str) -> None:
    text = f"Could not find attachment with ID: {name}"
    assert client.error("getAttachment", id=name) == {"code": -1, "message": text, "data": None}


def test_mentions_and_styles_arrive(subscriber: Client, knows: Version) -> None:
    message = arrives(
        subscriber, "send", message="X hello", mention=f"0:1:{aci(CAROL)}", textStyle=["2:5:BOLD"]
    )
    assert list(message) == data_keys(knows, "mentions", "textStyles")
    mention = {"name": CAROL, "number": CAROL, "uuid": aci(CAROL), "start": 0, "length": 1}
    assert message["mentions"] == [mention]
    assert list(message["mentions"][0]) == list(mention)
    assert message["textStyles"] == [{"style": "BOLD", "start": 2, "length": 5}]
    assert list(message["textStyles"][0]) == ["style", "start", "length"]


def test_a_quote_arrives(subscriber: Client) -> None:
    quote = arrives(
        subscriber,
        "send",
        message="re",
        quoteTimestamp=NEVER,
        quoteAuthor=CAROL,
        quoteMessage="base",
    )["quote"]
    assert quote == {"id": NEVER, **target("author", CAROL), "text": "base", "attachments": []}
    assert list(quote) == ["id", "author", "authorNumber", "authorUuid", "text", "attachments"]


def test_a_quote_may_have_everything(subscriber: Client) -> None:
    quote = arrives(
        subscriber,
        "send",
        message="re",
        quoteTimestamp=NEVER,
        quoteAuthor=CAROL,
        quoteMention=f"0:1:{BOB}",
        quoteTextStyle="0:1:ITALIC",
        quoteAttachment=["image/jpeg:pic.jpg:data:image/png;base64,aGVsbG8="],
    )["quote"]
    assert list(quote) == [
        "id", "author", "authorNumber", "authorUuid", "text", "mentions", "attachments",
        "textStyles",
    ]  # fmt: skip
    assert quote["attachments"][0]["filename"] == "pic.jpg"
    assert list(quote["attachments"][0]["thumbnail"]) == ATTACHMENT


def test_a_preview_arrives(subscriber: Client) -> None:
    message = arrives(
        subscriber,
        "send",
        message="https://example.org/x",
        previewUrl="https://example.org/x",
        previewTitle="Title",
        previewImage="data:image/png;base64,aGVsbG8=",
    )
    preview = message["previews"][0]
    assert list(preview) == ["url", "title", "description", "image"]
    assert (preview["title"], preview["description"]) == ("Title", "")
    assert list(preview["image"]) == ATTACHMENT


def test_view_once_stories_and_edits_arrive(subscriber: Client) -> None:
    assert arrives(subscriber, "send", message="once", viewOnce=True)["viewOnce"] is True
    reply = arrives(subscriber, "send", message="nice", storyTimestamp=NEVER, storyAuthor=BOB)
    context = {"authorNumber": BOB, "authorUuid": aci(BOB), "sentTimestamp": NEVER}
    assert reply["storyContext"] == context
    sent = subscriber.result("send", recipient=BOB, message="changed", editTimestamp=NEVER)
    edit = subscriber.envelope(BOB, "editMessage", sent["timestamp"])["editMessage"]
    assert list(edit) == ["targetSentTimestamp", "dataMessage"]
    assert edit["targetSentTimestamp"] == NEVER
    assert edit["dataMessage"]["message"] == "changed"


def test_times_are_unique_and_rise_even_for_sends_at_the_same_moment(client: Client) -> None:
    line = (
        '{"jsonrpc":"2.0","method":"send","id":1,"params":{"account":"%s","noteToSelf":true,'
        '"message":"x"}}\n'
    )
    client.write(line % ALICE * 50)
    times = [client.read_reply()["result"]["timestamp"] for _ in range(50)]
    assert len(set(times)) == 50
    assert client.result("send", noteToSelf=True, message="x")["timestamp"] > max(times)


@pytest.mark.parametrize("form", ["camelCase", "dashed"])
def test_parameters_have_two_spellings(subscriber: Client, form: str) -> None:
    name = "view-once" if form == "dashed" else "viewOnce"
    assert arrives(subscriber, "send", message="x", **{name: True})["viewOnce"] is True
