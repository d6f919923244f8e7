"""An account of this daemon: what one user knows, has and waits for."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.mailbox import Envelope, Mailbox
from signal_bridge.sandbox.people import Fault, Person, Recipient, now_ms

UNTRUSTED: Final = "UNTRUSTED"
UNVERIFIED: Final = "TRUSTED_UNVERIFIED"
VERIFIED: Final = "TRUSTED_VERIFIED"


@dataclass
class Contact:
    """What an account noted about a person."""

    person: Person
    given_name: str | None = None
    family_name: str | None = None
    nick_given_name: str | None = None
    nick_family_name: str | None = None
    note: str | None = None
    expiration: int = 0
    blocked: bool = False
    hidden: bool = False
    listed: bool = True
    knows_username: bool = False

    @property
    def name(self) -> str:
        """The name this account gave, `given family`; empty if it gave none."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)


@dataclass
class Identity:
    """The key of somebody, as an account trusts it; `held` waits for the trust."""

    person: Person
    trust: str = UNVERIFIED
    added_ms: int = field(default_factory=now_ms)
    held: list[Envelope] = field(default_factory=list)


@dataclass
class Device:
    """One device of an account."""

    id: int
    name: str | None
    created_ms: int = field(default_factory=now_ms)


@dataclass
class PhoneCall:
    """A call as one side of it sees it. `id` has 64 bits and a sign, as `callId` does.

    `devices` are the names of the microphone and the loudspeaker, once it is connected.
    """

    id: int
    other: Person
    is_outgoing: bool
    state: str
    devices: tuple[str, ...] = ()


@dataclass
class Sticker:
    """One picture of a pack. `id` is its place in the pack, from 0."""

    id: int
    emoji: str
    content_type: str
    data: bytes


@dataclass
class StickerPack:
    """A pack as it was uploaded, or as a link led to it; `id` and `key` are hexadecimal."""

    id: str
    key: str
    title: str
    author: str
    stickers: list[Sticker]
    cover: Sticker | None

    @property
    def url(self) -> str:
        """The link that `addStickerPack` takes."""
        return f"https://signal.art/addstickers/#pack_id={self.id}&pack_key={self.key}"


class Account:
    """One loaded account."""

    def __init__(self, person: Person, device: Device) -> None:
        self.person = person
        self.device = device
        self.devices = [device] if device.id == 1 else [Device(1, None), device]
        self.contacts: dict[str, Contact] = {}
        self.identities: dict[str, Identity] = {}
        self.groups: set[str] = set()
        self.blocked_groups: set[str] = set()
        self.strangers: set[str] = set()
        self.challenges: dict[str, str] = {}
        self.calls: dict[int, PhoneCall] = {}
        self.sticker_packs: dict[str, StickerPack] = {}
        self.mailbox = Mailbox()
        self.changed = asyncio.Event()
        self.receiving = False
        self.announced = True
        self.sends_receipts = True

    @property
    def number(self) -> str:
        """In E.164, as `listAccounts` has it."""
        return self.person.number

    @property
    def is_linked(self) -> bool:
        """Whether another device, the phone, has the account (device 1)."""
        return self.device.id != 1

    def need_primary(self) -> None:
        """Raises RpcError (-1) on a linked device."""
        if self.is_linked:
            raise errors.user_error("This command doesn't work on linked devices.")

    def contact(self, person: Person) -> Contact:
        """The note on a person; a person not met before is met now."""
        return self.contacts.setdefault(person.aci, Contact(person))

    def identity(self, person: Person, trust: str = UNVERIFIED) -> Identity:
        """The key of a person; one not seen before is trusted as `trust` says."""
        return self.identities.setdefault(person.aci, Identity(person, trust))

    def knows_profile(self, person: Person) -> bool:
        """Whether a person can be added to a group, and need not be invited."""
        return person.fault is not Fault.INVITED and person.aci not in self.strangers

    def distrusts(self, person: Person) -> bool:
        """Whether the key of a person is not trusted, so that nothing is sent there."""
        identity = self.identities.get(person.aci)
        return identity is not None and identity.trust == UNTRUSTED

    def blocks(self, person: Person) -> bool:
        """Whether nothing of a person is to be delivered here."""
        contact = self.contacts.get(person.aci)
        return contact is not None and contact.blocked

    def name_of(self, person: Person) -> str:
        """What this account calls a person: the name it gave, else that of the profile."""
        contact = self.contacts.get(person.aci)
        return (contact.name if contact else "") or person.profile_name

    def address_of(self, recipient: Recipient) -> dict[str, str | None]:
        """`recipientAddress`: a username is in it once the account has come to know it."""
        person = recipient.person
        if person is None:
            return _address(recipient.uuid, recipient.number, recipient.username)
        contact = self.contact(person)
        contact.knows_username |= recipient.username is not None or person is self.person
        return _address(person.aci, person.number, self.known_username(person))

    def known_username(self, person: Person) -> str | None:
        """The username of a person, once this account has come across it."""
        contact = self.contacts.get(person.aci)
        return person.username if contact and contact.knows_username else None

    def safety_number(self, other: Person) -> str:
        """Twelve groups of five digits, the same for both sides."""
        pair = "".join(sorted((self.person.key, other.key)))
        value = int.from_bytes(hashlib.sha512(pair.encode()).digest(), "big")
        digits = f"{value % 10**60:060}"
        return " ".join(digits[start : start + 5] for start in range(0, 60, 5))


def fingerprint(person: Person) -> str:
    """The public key of a person as `listIdentities` has it: hexadecimal bytes, spaced."""
    return (b"\x05" + hashlib.sha256(person.key.encode()).digest()).hex(" ")


def scannable(text: str) -> str:
    """What a telephone would scan to compare a safety number, in base64."""
    return base64.b64encode(hashlib.sha512(text.encode()).digest()).decode()


def _address(uuid: str | None, number: str | None, username: str | None) -> dict[str, Any]:
    return {"uuid": uuid, "number": number, "username": username}
