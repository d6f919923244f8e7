"""Groups: who is in one, who may do what, and the link that invites to it. Pure."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.people import Person

EVERYBODY: Final = "EVERY_MEMBER"
ADMINS: Final = "ONLY_ADMINS"

DISABLED: Final = "disabled"
ENABLED: Final = "enabled"
WITH_APPROVAL: Final = "enabled-with-approval"

_PREFIXES: Final = ("https://signal.group/#", "sgnl://signal.group/#")
_KEY_HEAD: Final = b"\x0a\x34\x0a\x20"
_PASSWORD_HEAD: Final = b"\x12\x10"


@dataclass(frozen=True)
class Label:
    """What a member calls itself in a group: None where it never said, empty if it took it back."""

    emoji: str | None = None
    text: str | None = None

    def as_json(self) -> dict[str, str]:
        """The keys of an entry in `members` of `listGroups`, as far as there is something."""
        pairs = {"labelEmoji": self.emoji, "label": self.text}
        return {key: value for key, value in pairs.items() if value is not None}


@dataclass(eq=False)
class Group:
    """One group. It is the same for all its members."""

    name: str
    description: str | None = None
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    link_password: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    link: str = DISABLED
    revision: int = 0
    expiration: int = 0
    avatar: bytes | None = None
    add_member: str = EVERYBODY
    edit_details: str = EVERYBODY
    send_message: str = EVERYBODY
    members: dict[str, Person] = field(default_factory=dict)
    pending: dict[str, Person] = field(default_factory=dict)
    requesting: dict[str, Person] = field(default_factory=dict)
    banned: dict[str, Person] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)
    labels: dict[str, Label] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Derived from the key, as Signal's: base64 of 32 bytes."""
        return base64.b64encode(hashlib.sha256(self.key).digest()).decode()

    @property
    def title(self) -> str:
        """How errors name it."""
        return f"{self.name} ({self.id})"

    @property
    def invite_link(self) -> str | None:
        """`groupInviteLink`; None while the link is disabled."""
        if self.link == DISABLED:
            return None
        raw = _KEY_HEAD + self.key + _PASSWORD_HEAD + self.link_password
        return _PREFIXES[0] + base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def has(self, person: Person) -> bool:
        """Whether a person is a member, and not merely invited or asking to be one."""
        return person.aci in self.members

    def is_admin(self, person: Person) -> bool:
        """Whether a person may do everything. Nobody who left may."""
        return person.aci in self.admins

    def others(self, person: Person, invited: bool = False) -> list[Person]:
        """All members but one: those a message of that one goes to. News goes to `invited`, too."""
        people = [*self.members.values(), *(self.pending.values() if invited else ())]
        return [each for each in people if each is not person]

    def add(self, person: Person) -> None:
        """Make a person a member, whether invited, asking or neither."""
        self.remove_requests(person)
        self.members[person.aci] = person

    def invite(self, person: Person) -> None:
        """Let a person decide whether to be a member. One that asked has decided."""
        if person.aci in self.requesting:
            self.add(person)
        elif not self.has(person):
            self.pending[person.aci] = person

    def remove(self, person: Person) -> None:
        """Take away membership, an invitation, a request, and the rights of an admin."""
        self.members.pop(person.aci, None)
        self.remove_requests(person)
        self.admins.discard(person.aci)
        self.labels.pop(person.aci, None)

    def remove_requests(self, person: Person) -> None:
        """Neither an invitation nor a request of a person is open any more."""
        self.pending.pop(person.aci, None)
        self.requesting.pop(person.aci, None)

    def replace(self, person: Person) -> None:
        """Somebody registered anew, and is in the group as before."""
        for people in (self.members, self.pending, self.requesting, self.banned):
            if person.aci in people:
                people[person.aci] = person

    def label(self, person: Person) -> Label:
        """What a member calls itself here."""
        return self.labels.get(person.aci, Label())

    def ban(self, person: Person) -> None:
        """Remove a person and let it not come back by the link."""
        self.remove(person)
        self.banned[person.aci] = person

    def unban(self, person: Person) -> None:
        """Let a person come back."""
        self.banned.pop(person.aci, None)

    def need_member(self, person: Person) -> None:
        """Raises RpcError (-1) if a person is no member."""
        if not self.has(person):
            raise errors.user_error(f"User is not a member in group: {self.title}")

    def need_sender(self, person: Person) -> None:
        """Raises RpcError (-1) if a person may not write here."""
        self.need_member(person)
        if self.send_message == ADMINS and not self.is_admin(person):
            text = f"User is not allowed to send message to group: {self.title}"
            raise errors.user_error(text)

    def need_admin(self, person: Person) -> None:
        """Raises RpcError (-32603) for others than admins, whom the server would refuse."""
        if not self.is_admin(person):
            raise errors.internal_error("Failed to send message: [403] Authorization failed!")

    def as_json(self, person: Person, blocked: bool, detailed: bool) -> dict[str, Any]:
        """An entry of `listGroups`, as one member (or former one) sees the group.

        Members are `detailed` since 0.14.1: whether they are admins, and their labels.
        """
        admins = [each for each in self.members.values() if self.is_admin(each)]
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "isMember": self.has(person),
            "isBlocked": blocked,
            "messageExpirationTime": self.expiration,
            "members": [self._member(each, detailed) for each in self.members.values()],
            "pendingMembers": _addresses(self.pending.values()),
            "requestingMembers": _addresses(self.requesting.values()),
            "admins": _addresses(admins),
            "banned": _addresses(self.banned.values()),
            "permissionAddMember": self.add_member,
            "permissionEditDetails": self.edit_details,
            "permissionSendMessage": self.send_message,
            "groupInviteLink": self.invite_link,
        }

    def _member(self, person: Person, detailed: bool) -> dict[str, Any]:
        (address,) = _addresses([person])
        if not detailed:
            return address
        return {**address, "isAdmin": self.is_admin(person), **self.label(person).as_json()}


def checked_id(text: str) -> str:
    """A group id that is base64, or the daemon's complaint about it."""
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        problem = f'Failed to decode groupId (must be base64) "{text}"'
        raise errors.user_error(f"Invalid group id: {problem}") from None
    return text


def read_invite(uri: str) -> tuple[bytes, bytes]:
    """The group's key and the link's password."""
    prefix = next((each for each in _PREFIXES if uri.startswith(each)), None)
    if prefix is None:
        raise errors.user_error("Link is not a signal group invitation link")
    encoded = uri.removeprefix(prefix)
    try:
        raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        raw = b""
    if len(raw) != 54 or not raw.startswith(_KEY_HEAD):
        raise errors.user_error("Group link is invalid")
    return raw[4:36], raw[38:]


def _addresses(people: Iterable[Person]) -> list[dict[str, Any]]:
    return [{"number": each.number, "uuid": each.aci} for each in people]
