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
    requesting: dict[str, Person] = field(default_factory=dict)
    banned: dict[str, Person] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)

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
        """Whether a person is a member, and not merely asking to be one."""
        return person.aci in self.members

    def is_admin(self, person: Person) -> bool:
        """Whether a person may do everything. Nobody who left may."""
        return person.aci in self.admins

    def others(self, person: Person) -> list[Person]:
        """All members but one: those a message of that one goes to."""
        return [each for each in self.members.values() if each is not person]

    def add(self, person: Person) -> None:
        """Make a person a member, whether asking or not."""
        self.members[person.aci] = person
        self.requesting.pop(person.aci, None)

    def remove(self, person: Person) -> None:
        """Take away membership, a request for it, and the rights of an admin."""
        self.members.pop(person.aci, None)
        self.requesting.pop(person.aci, None)
        self.admins.discard(person.aci)

    def replace(self, person: Person) -> None:
        """Somebody registered anew, and is in the group as before."""
        for people in (self.members, self.requesting, self.banned):
            if person.aci in people:
                people[person.aci] = person

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

    def as_json(self, person: Person, blocked: bool) -> dict[str, Any]:
        """An entry of `listGroups`, as one member (or former one) sees the group."""
        admins = [each for each in self.members.values() if self.is_admin(each)]
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "isMember": self.has(person),
            "isBlocked": blocked,
            "messageExpirationTime": self.expiration,
            "members": _addresses(self.members.values()),
            "pendingMembers": [],
            "requestingMembers": _addresses(self.requesting.values()),
            "admins": _addresses(admins),
            "banned": _addresses(self.banned.values()),
            "permissionAddMember": self.add_member,
            "permissionEditDetails": self.edit_details,
            "permissionSendMessage": self.send_message,
            "groupInviteLink": self.invite_link,
        }


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


def _addresses(people: Iterable[Person]) -> list[dict[str, str]]:
    return [{"number": each.number, "uuid": each.aci} for each in people]
