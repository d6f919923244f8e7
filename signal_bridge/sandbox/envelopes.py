"""The `receive` payload of signal-cli.rst 3, in its order of keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from signal_bridge.sandbox.attachments import Attachment
from signal_bridge.sandbox.groups import Group
from signal_bridge.sandbox.people import Person

Json = dict[str, Any]

_PARTS: Final = (
    "reaction",
    "quote",
    "payment",
    "mentions",
    "previews",
    "attachments",
    "sticker",
    "remoteDelete",
    "pollCreate",
    "pollVote",
    "pollTerminate",
    "textStyles",
    "groupInfo",
    "storyContext",
    "pinMessage",
    "unpinMessage",
    "adminDelete",
)


class Sendable(Protocol):
    """Anything that can be sent: it knows its time and how it looks to a receiver."""

    @property
    def timestamp(self) -> int:
        """When it was sent, in milliseconds; with the sender it is its identity."""

    @property
    def files(self) -> tuple[Attachment, ...]:
        """What is uploaded along with it."""

    def content(self, expires: int, group: Group | None) -> Json:
        """What a receiver's envelope has below its head. `expires` is in seconds, 0 for never."""


@dataclass(frozen=True)
class Message:
    """A data message, or the edit of one. `parts` are the keys that are there only if used."""

    timestamp: int
    text: str | None = None
    view_once: bool = False
    edit_of: int | None = None
    group_update: bool = False
    timer_update: bool = False
    parts: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Attachment, ...] = ()

    def content(self, expires: int, group: Group | None) -> Json:
        """`dataMessage`, or `editMessage` around one."""
        message = self._data(expires, group)
        if self.edit_of is None:
            return {"dataMessage": message}
        return {"editMessage": {"targetSentTimestamp": self.edit_of, "dataMessage": message}}

    def _data(self, expires: int, group: Group | None) -> Json:
        parts = dict(self.parts)
        if group:
            parts["groupInfo"] = group_info(group, self.group_update)
        return {
            "timestamp": self.timestamp,
            "message": self.text,
            "expiresInSeconds": expires,
            "isExpirationUpdate": self.timer_update,
            "viewOnce": self.view_once,
            **{name: parts[name] for name in _PARTS if parts.get(name) not in (None, [])},
        }


@dataclass(frozen=True)
class Typing:
    """Somebody began or stopped writing."""

    timestamp: int
    stop: bool
    files: tuple[Attachment, ...] = ()

    def content(self, expires: int, group: Group | None) -> Json:  # noqa: ARG002 - Sendable
        """`typingMessage`, with the group if that is where somebody writes."""
        action = "STOPPED" if self.stop else "STARTED"
        where = {"groupId": group.id} if group else {}
        return {"typingMessage": {"action": action, "timestamp": self.timestamp, **where}}


@dataclass(frozen=True)
class Receipt:
    """Messages were delivered, read or viewed."""

    timestamp: int
    kind: str
    targets: list[int]
    files: tuple[Attachment, ...] = ()

    def content(self, expires: int, group: Group | None) -> Json:  # noqa: ARG002 - Sendable
        """`receiptMessage`, whose three flags say of which kind it is."""
        return {
            "receiptMessage": {
                "when": self.timestamp,
                "isDelivery": self.kind == "delivery",
                "isRead": self.kind == "read",
                "isViewed": self.kind == "viewed",
                "timestamps": self.targets,
            }
        }


@dataclass(frozen=True)
class Story:
    """A picture or a film to look at for a day, of one person or in a group."""

    timestamp: int
    allows_replies: bool
    files: tuple[Attachment, ...]

    def content(self, expires: int, group: Group | None) -> Json:  # noqa: ARG002 - Sendable
        """`storyMessage`, with the group if that is where it is shown."""
        where = {"groupId": group.id} if group else {}
        file = {"fileAttachment": self.files[0].as_json()}
        return {"storyMessage": {"allowsReplies": self.allows_replies, **where, **file}}


@dataclass(frozen=True)
class CallMessage:
    """A step of a telephone call, as `offerMessage`: its kind, and what it says."""

    timestamp: int
    kind: str
    body: Any
    files: tuple[Attachment, ...] = ()

    def content(self, expires: int, group: Group | None) -> Json:  # noqa: ARG002 - Sendable
        """`callMessage` with the one step."""
        return {"callMessage": {self.kind: self.body}}


@dataclass(frozen=True)
class Sync:
    """Something another device of the same account tells."""

    timestamp: int
    body: Json
    files: tuple[Attachment, ...] = ()

    def content(self, expires: int, group: Group | None) -> Json:  # noqa: ARG002 - Sendable
        """`syncMessage` around the body as it is."""
        return {"syncMessage": self.body}


def head(source: Person, name: str, device: int, timestamp: int, received: int) -> Json:
    """The head; the content comes after it."""
    return {
        "source": source.number,
        "sourceNumber": source.number,
        "sourceUuid": source.aci,
        "sourceName": name,
        "sourceDevice": device,
        "timestamp": timestamp,
        "serverReceivedTimestamp": received,
        "serverDeliveredTimestamp": received,
    }


def untrusted(source: Person) -> Json:
    """In place of a content: its sender has keys that the account does not trust.

    It stands beside the envelope when it is delivered (signal-cli.rst 3.1).
    """
    why = {"message": f"Untrusted identity: {source.aci}", "type": "UntrustedIdentityException"}
    return {"exception": why}


def without_timer_mark(content: Json) -> Json:
    """A content as versions show it that do not know `isExpirationUpdate`."""
    content = dict(content)
    for name, inner in content.items():
        if name == "dataMessage":
            content[name] = {key: inner[key] for key in inner if key != "isExpirationUpdate"}
        elif name == "editMessage":
            content[name] = without_timer_mark(inner)
    return content


def group_info(group: Group, update: bool) -> Json:
    """`groupInfo` of a data message. `update` when it tells of a change of the group."""
    return {
        "groupId": group.id,
        "groupName": group.name,
        "revision": group.revision,
        "type": "UPDATE" if update else "DELIVER",
    }


def mention(person: Person, start: int, length: int) -> Json:
    """An entry in `mentions`. `start` and `length` count UTF-16 code units."""
    return {
        "name": person.number,
        "number": person.number,
        "uuid": person.aci,
        "start": start,
        "length": length,
    }


def target(name: str, person: Person) -> Json:
    """The three keys that name the author of another message, as `targetAuthor…`."""
    return {name: person.number, f"{name}Number": person.number, f"{name}Uuid": person.aci}


def reaction(emoji: str, author: Person, timestamp: int, remove: bool) -> Json:
    """`reaction` of a data message: to the message that `author` sent at `timestamp`."""
    return {
        "emoji": emoji,
        **target("targetAuthor", author),
        "targetSentTimestamp": timestamp,
        "isRemove": remove,
    }


def pin(author: Person, timestamp: int, seconds: int | None = None) -> Json:
    """A pin with its duration, or without one an unpin."""
    lasts = {} if seconds is None else {"pinDurationSeconds": seconds}
    return {**target("targetAuthor", author), "targetSentTimestamp": timestamp, **lasts}


def story_context(author: Person, timestamp: int) -> Json:
    """`storyContext` of a data message: the story that `author` sent at `timestamp`."""
    return {"authorNumber": author.number, "authorUuid": author.aci, "sentTimestamp": timestamp}
