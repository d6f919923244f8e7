"""Envelopes as signal-cli sends them (signal-cli.rst 3.7)."""

from __future__ import annotations

from typing import Any

ACCOUNT = "+15550001111"
ALICE = "11111111-2222-4333-8444-555555555555"

HEAD: dict[str, Any] = {
    "source": "+15550002222",
    "sourceNumber": "+15550002222",
    "sourceUuid": ALICE,
    "sourceName": "Alice",
    "sourceDevice": 1,
    "timestamp": 1700000000123,
    "serverReceivedTimestamp": 1700000000128,
    "serverDeliveredTimestamp": 1700000000132,
}
DATA: dict[str, Any] = {
    "timestamp": 1700000000123,
    "message": None,
    "expiresInSeconds": 0,
    "isExpirationUpdate": False,
    "viewOnce": False,
}
GROUP = {
    "groupInfo": {
        "groupId": "zdEvSWTdow65gEhcuo8axQ==",
        "groupName": "My Group",
        "revision": 7,
        "type": "DELIVER",
    }
}
FILE = {
    "contentType": "image/jpeg",
    "filename": "pic.jpg",
    "id": "Zm9vYmFy0123.jpg",
    "size": 34567,
    "width": 640,
    "height": 480,
    "caption": None,
    "uploadTimestamp": 1700000000123,
}
TARGET = {
    "targetAuthor": ACCOUNT,
    "targetAuthorNumber": ACCOUNT,
    "targetAuthorUuid": "00000000-0000-4000-8000-000000001111",
    "targetSentTimestamp": 1699999995123,
}
DESTINATION = {
    "destination": "+15550002222",
    "destinationNumber": "+15550002222",
    "destinationUuid": ALICE,
}


def received(**content: Any) -> dict[str, Any]:
    """The params of a notification whose envelope has `content` below the usual head."""
    return {"envelope": {**HEAD, **content}, "account": ACCOUNT}


def data(**content: Any) -> dict[str, Any]:
    return received(dataMessage={**DATA, **content})


def sync(**content: Any) -> dict[str, Any]:
    return received(syncMessage=content)


def text(message: str, timestamp: int = 1700000000123, account: str = ACCOUNT) -> dict[str, Any]:
    """A plain text, which its time and words tell from others."""
    envelope = {
        **HEAD,
        "timestamp": timestamp,
        "dataMessage": {**DATA, "timestamp": timestamp, "message": message},
    }
    return {"envelope": envelope, "account": account}


# Every kind there is, with the kind of event it becomes.
EVERY_KIND: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("message", data(message="hello")),
    "no number": (
        "message",
        received(source=ALICE, sourceNumber=None, dataMessage={**DATA, "message": "hi"}),
    ),
    "PNI only": (
        "message",
        received(
            source="PNI:33333333-2222-4333-8444-555555555555",
            sourceNumber=None,
            sourceUuid=None,
            sourceName="",
            dataMessage={**DATA, "message": "hi"},
        ),
    ),
    "group": ("message", data(message="hi group", **GROUP)),
    "group update": (
        "group_update",
        data(groupInfo={**GROUP["groupInfo"], "revision": 8, "type": "UPDATE"}),
    ),
    "mentions": (
        "message",
        data(
            message="\ufffc hi",
            mentions=[{"name": ACCOUNT, "number": ACCOUNT, "uuid": ALICE, "start": 0, "length": 1}],
            textStyles=[{"style": "BOLD", "start": 2, "length": 2}],
        ),
    ),
    "quote": (
        "message",
        data(
            message="reply",
            quote={
                "id": 1699999999123,
                "author": ACCOUNT,
                "authorNumber": ACCOUNT,
                "authorUuid": ALICE,
                "text": "original",
                "attachments": [{"contentType": "image/jpeg", "filename": None, "thumbnail": FILE}],
            },
        ),
    ),
    "attachment": ("message", data(attachments=[FILE, FILE])),
    "view once": ("message", data(viewOnce=True, attachments=[FILE])),
    "sticker": ("message", data(sticker={"packId": "aabb0102", "stickerId": 4})),
    "reaction": ("reaction", data(reaction={"emoji": "👍", **TARGET, "isRemove": False})),
    "reaction taken back": (
        "reaction",
        data(reaction={"emoji": "👍", **TARGET, "isRemove": True}, **GROUP),
    ),
    "delete": ("delete", data(remoteDelete={"timestamp": 1699999991123})),
    "timer": ("timer", data(expiresInSeconds=86400, isExpirationUpdate=True)),
    "payment": ("payment", data(payment={"note": "thanks", "receipt": "AQID"})),
    "preview": (
        "message",
        data(
            message="https://example.org/x",
            previews=[
                {
                    "url": "https://example.org/x",
                    "title": "Title",
                    "description": "Desc",
                    "image": FILE,
                }
            ],
        ),
    ),
    "contacts": (
        "message",
        data(contacts=[{"name": {"given": "Given", "family": None}, "organization": None}]),
    ),
    "story reply": (
        "message",
        data(
            message="nice",
            storyContext={"authorNumber": ACCOUNT, "authorUuid": ALICE, "sentTimestamp": 17},
        ),
    ),
    "poll": (
        "poll",
        data(
            pollCreate={"question": "Lunch?", "allowMultiple": True, "options": ["Pizza", "Sushi"]},
            **GROUP,
        ),
    ),
    "vote": (
        "poll_vote",
        data(
            pollVote={
                "author": ACCOUNT,
                "authorNumber": ACCOUNT,
                "authorUuid": ALICE,
                "targetSentTimestamp": 1699999995123,
                "optionIndexes": [0, 1],
                "voteCount": 2,
            },
            **GROUP,
        ),
    ),
    "poll end": ("poll_close", data(pollTerminate={"targetSentTimestamp": 1699999995123}, **GROUP)),
    "pin": ("pin", data(pinMessage={**TARGET, "pinDurationSeconds": -1})),
    "unpin": ("unpin", data(unpinMessage=TARGET)),
    "admin delete": ("admin_delete", data(adminDelete=TARGET, **GROUP)),
    "group call": ("other", data(**GROUP)),
    "end of a session": ("other", data(isEndSession=True)),
    "profile key": ("other", data(isProfileKeyUpdate=True)),
    "data that nobody has heard of": ("other", data(holo={"x": 1})),
    "edit": (
        "edit",
        received(
            editMessage={
                "targetSentTimestamp": 1700000000023,
                "dataMessage": {**DATA, "message": "edited text"},
            }
        ),
    ),
    "receipt": (
        "receipt",
        received(
            receiptMessage={
                "when": 1700000000123,
                "isDelivery": True,
                "isRead": False,
                "isViewed": False,
                "timestamps": [1700000000122, 1700000000121],
            }
        ),
    ),
    "typing": (
        "typing",
        received(typingMessage={"action": "STARTED", "timestamp": 1700000000123}),
    ),
    "typing in a group": (
        "typing",
        received(
            typingMessage={
                "action": "STOPPED",
                "timestamp": 1700000000123,
                "groupId": "hsz5SFeL6QsVyJrd2y008g==",
            }
        ),
    ),
    "sync sent": ("sync", sync(sentMessage={**DESTINATION, **DATA, "message": "from my phone"})),
    "sync reaction": (
        "sync",
        sync(sentMessage={**DESTINATION, **DATA, "reaction": {"emoji": "👍", **TARGET}}),
    ),
    "sync edit": (
        "sync",
        sync(
            sentMessage={
                **DESTINATION,
                "editMessage": {"targetSentTimestamp": 1700000000023, "dataMessage": DATA},
            }
        ),
    ),
    "sync story": (
        "sync",
        sync(sentStoryMessage={"destinationNumber": None, "allowsReplies": True}),
    ),
    "sync read": (
        "sync",
        sync(readMessages=[{"sender": "+15550002222", "senderUuid": ALICE, "timestamp": 17}]),
    ),
    "sync block": ("sync", sync(blockedNumbers=["+15550002222", ALICE], blockedGroupIds=["a=="])),
    "sync type": ("sync", sync(type="CONTACTS_SYNC")),
    "sync of another kind": ("sync", sync()),
    "call": (
        "call",
        received(
            callMessage={
                "offerMessage": {
                    "id": 18446744073709551611,
                    "type": "AUDIO_CALL",
                    "opaque": "AQI=",
                }
            }
        ),
    ),
    "hangup": (
        "call",
        received(callMessage={"hangupMessage": {"id": -5, "type": "NORMAL", "deviceId": 0}}),
    ),
    "story": ("story", received(storyMessage={"allowsReplies": True, "fileAttachment": FILE})),
    "story text": (
        "story",
        received(
            storyMessage={
                "allowsReplies": False,
                "textAttachment": {
                    "text": "story text",
                    "backgroundGradient": {"positions": [0.0, 1.0], "angle": 90},
                },
            }
        ),
    ),
    "no content": ("other", received()),
    "a kind nobody has heard of": ("other", received(holoMessage={"x": 1})),
    "exception": (
        "error",
        {
            "exception": {
                "message": f"Untrusted identity: {ALICE}",
                "type": "UntrustedIdentityException",
            },
            "envelope": {**HEAD, "sourceDevice": 3},
            "account": ACCOUNT,
        },
    ),
    "exception from an unknown sender": (
        "error",
        {
            "exception": {"message": None, "type": "RuntimeException"},
            "envelope": {
                "source": None,
                "sourceNumber": None,
                "sourceUuid": None,
                "sourceName": None,
                "sourceDevice": None,
                "timestamp": 1700000000123,
            },
            "account": ACCOUNT,
        },
    ),
}
