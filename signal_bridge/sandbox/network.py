"""The network: it carries what one user sends to the others, and fails where magic says so.

What is for an account of this daemon goes into that account's mailbox; `deliveries` takes it from
there. Everybody else is played here: they confirm what they get, and the robot answers.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from signal_bridge.sandbox import envelopes, errors
from signal_bridge.sandbox.account_data import (
    UNTRUSTED,
    UNVERIFIED,
    VERIFIED,
    Account,
    Device,
    Identity,
)
from signal_bridge.sandbox.envelopes import Message, Receipt, Sendable, Story, Sync
from signal_bridge.sandbox.groups import Group
from signal_bridge.sandbox.mailbox import Envelope
from signal_bridge.sandbox.options import Options
from signal_bridge.sandbox.people import ACCOUNT_NUMBERS, Fault, People, Person, now_ms

SLOW_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 60
CHALLENGE_SECONDS: Final = 86_400
ACCEPT_SECONDS: Final = 1.0

_log = logging.getLogger("SandboxNetwork")


@dataclass(frozen=True)
class Outcome:
    """How sending to one person ended."""

    type: str
    token: str | None = None
    retry_after_seconds: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The part of an entry in `results` that tells it (signal-cli.rst 2.3)."""
        pairs = {"token": self.token, "retryAfterSeconds": self.retry_after_seconds}
        return {"type": self.type, **{key: value for key, value in pairs.items() if value}}


SUCCESS: Final = Outcome("SUCCESS")
UNREGISTERED: Final = Outcome("UNREGISTERED_FAILURE")


@dataclass(frozen=True)
class Parcel:
    """Something on its way: from whom, what, in which group, and its timer in seconds."""

    source: Person
    device: int
    what: Sendable
    group: Group | None = None
    expires: int = 0


class Network:
    """People, accounts and groups, and the wires between them.

    `accounts` are those that are loaded, `asleep` the others on this daemon's disk; by number.
    """

    def __init__(self, options: Options) -> None:
        self.people = People()
        self.groups: dict[str, Group] = {}
        self.accounts: dict[str, Account] = {}
        self.asleep: dict[str, Account] = {}
        self.on_added: list[Callable[[Account], None]] = []
        self.on_removed: list[Callable[[Account], None]] = []
        self.on_renumbered: list[Callable[[Account, str], None]] = []
        self._options = options

    @property
    def all_accounts(self) -> list[Account]:
        """All on disk, loaded or not."""
        return [*self.accounts.values(), *self.asleep.values()]

    def make_first_accounts(self, only: str | None = None) -> None:
        """Those that are there from the start, or `only` the one of `-a`. All asleep still."""
        for number in ACCOUNT_NUMBERS if only is None else [only]:
            person = self.people.find(number).need_person()
            self.asleep[number] = self._at_home(Account(person, Device(1, None)))

    def move_in(self, person: Person, device: Device) -> Account:
        """Somebody registers or links here, in place of whoever had the number, and is loaded."""
        self.people.add(person)
        for each in self.all_accounts:
            self._notice_keys(each, person)
        for group in self.groups.values():
            group.replace(person)
        account = self._at_home(Account(person, device))
        self.load(account)
        return account

    def load(self, account: Account, announced: bool = True) -> None:
        """An account can be used. Unannounced, no connection that is open hears of it."""
        self.asleep.pop(account.number, None)
        self.accounts[account.number] = account
        account.announced = announced
        for each in self.on_added:
            each(account)

    def let_go(self, account: Account) -> None:
        """A loaded account is not loaded any more, silently (signal-cli.rst 1.8)."""
        self.asleep[account.number] = account
        self.unload(account)

    def unload(self, account: Account) -> None:
        """An account goes for good, silently (signal-cli.rst 1.8)."""
        del self.accounts[account.number]
        for each in self.on_removed:
            each(account)

    def renumber(self, account: Account, number: str) -> None:
        """A loaded account gets another number, which must be free; nothing else changes."""
        old = account.number
        del self.accounts[old]
        self.people.renumber(account.person, number)
        self.accounts[number] = account
        for each in self.on_renumbered:
            each(account, old)

    def account_of(self, person: Person) -> Account | None:
        """The account of this daemon that a person is, if it is one and not a former one."""
        account = self.accounts.get(person.number) or self.asleep.get(person.number)
        return account if account and account.person is person else None

    def known_group(self, account: Account, group_id: str) -> Group | None:
        """A group by its id, if the account knows it."""
        return self.groups[group_id] if group_id in account.groups else None

    async def post(
        self, sender: Account, to: Person, what: Sendable, group: Group | None = None
    ) -> Outcome:
        """Send to one person, unless there is something the matter."""
        outcome = await self._obstacle(sender, to)
        if outcome is SUCCESS:
            expires = group.expiration if group else sender.contact(to).expiration
            self.carry(Parcel(sender.person, sender.device.id, what, group, expires), to)
        return outcome

    def carry(self, parcel: Parcel, to: Person) -> None:
        """Bring it to one person, who may be an account of this daemon or somebody played here."""
        account = self.account_of(to)
        if account:
            self.deposit(account, parcel)
            return
        if parcel.group and to.aci in parcel.group.pending:
            self._accept_invitation(to, parcel.group)
        if isinstance(parcel.what, Message):
            self._confirm(to, 1, parcel.source, parcel.what.timestamp)
            if to.is_robot and parcel.what.edit_of is None:
                self._echo(to, parcel, parcel.what.text)

    def sync_from_phone(self, account: Account) -> None:
        """What a linked device is told when it is new, or asks."""
        blocked = [each.person for each in account.contacts.values() if each.blocked]
        lists = {
            "blockedNumbers": [text for each in blocked for text in (each.number, each.aci)],
            "blockedGroupIds": sorted(account.blocked_groups),
        }
        for body in ({"type": "CONTACTS_SYNC"}, lists, {}):
            sync = Sync(account.person.ticker.next_ms(), body)
            self.deposit(account, Parcel(account.person, 1, sync))

    def acknowledge(self, account: Account, received: Envelope) -> None:
        """An account took a message from its mailbox: confirm it to whoever sent it."""
        source = self.people.by_number(received["sourceNumber"])
        is_message = "dataMessage" in received or "editMessage" in received
        if source is None or source is account.person or not is_message:
            return
        device = account.device.id
        self._confirm(account.person, device, source, received["timestamp"])
        if self._options.send_read_receipts:
            self._confirm(account.person, device, source, received["timestamp"], "read")

    async def _obstacle(self, sender: Account, to: Person) -> Outcome:
        await asyncio.sleep(SLOW_SECONDS if to.fault is Fault.SLOW else 0)
        if self.people.by_number(to.number) is not to:
            return UNREGISTERED
        if to.fault is Fault.BROKEN:
            raise errors.internal_error("Failed to send message: Connection reset")
        if to.fault is Fault.IDENTITY_CHANGED:
            sender.identity(to, self._trust_in_new_keys)
        if sender.distrusts(to):
            return Outcome("IDENTITY_FAILURE")
        if to.fault is Fault.CHALLENGED:
            return self._challenge(sender, to)
        if to.fault is Fault.RATE_LIMITED:
            seconds = RETRY_SECONDS if self._options.version.says_when_to_retry else None
            return Outcome("RATE_LIMIT_FAILURE", retry_after_seconds=seconds)
        return _FAILURES.get(to.fault, SUCCESS)

    @property
    def _trust_in_new_keys(self) -> str:
        return UNVERIFIED if self._options.trust_new_identities == "always" else UNTRUSTED

    def _at_home(self, account: Account) -> Account:
        """A new account knows those who are there already."""
        account.identity(account.person, VERIFIED)  # its own keys are in signal-cli's list, too
        for other in self.people:
            if other.fault is None and other is not account.person:
                account.contact(other)
                account.identity(other)
        return account

    def _notice_keys(self, account: Account, person: Person) -> None:
        """Somebody registered anew: whoever knew the old keys does not trust the new ones."""
        if person.aci in account.contacts:
            account.contacts[person.aci].person = person
        if person.aci in account.identities:
            account.identities[person.aci] = Identity(person, self._trust_in_new_keys)

    def _challenge(self, sender: Account, to: Person) -> Outcome:
        token = sender.challenges.setdefault(to.aci, str(uuid.uuid4()))
        if not token:
            return SUCCESS
        return Outcome("RATE_LIMIT_FAILURE", token, CHALLENGE_SECONDS)

    def deposit(self, account: Account, parcel: Parcel) -> None:
        """Put it into the mailbox of an account, unless the account would not show it."""
        source, what, group = parcel.source, parcel.what, parcel.group
        if self._is_unwanted(account, parcel):
            return
        if group:
            account.groups.add(group.id)
        elif isinstance(what, Message):
            account.contact(source).expiration = parcel.expires
        account.strangers.discard(source.aci)
        name = account.name_of(source)
        head = envelopes.head(source, name, parcel.device, what.timestamp, now_ms())
        content = what.content(parcel.expires, group)
        if not self._options.version.marks_timer_changes:
            content = envelopes.without_timer_mark(content)
        if source is not account.person:
            identity = account.identity(source)
            if identity.trust == UNTRUSTED and identity.person is source:
                identity.held.append({**head, **content})
                content = envelopes.untrusted(source)
        self._put(account, {**head, **content})

    def release(self, account: Account, identity: Identity) -> None:
        """What somebody sent while not trusted is shown now."""
        held, identity.held = identity.held, []
        for each in held:
            self._put(account, each)

    def _put(self, account: Account, received: Envelope) -> None:
        dropped = account.mailbox.put(received)
        if dropped:
            _log.warning("The mailbox of %s is full: %d oldest gone", account.number, dropped)
        account.changed.set()

    def _is_unwanted(self, account: Account, parcel: Parcel) -> bool:
        """What signal-cli throws away: of blocked people and groups, and what has no right."""
        source, what, group = parcel.source, parcel.what, parcel.group
        if account.blocks(source) or (group and group.id in account.blocked_groups):
            return True
        if isinstance(what, Story):
            return self._options.ignore_stories
        needs_admin = isinstance(what, Message) and "adminDelete" in what.parts
        return needs_admin and not (group and group.is_admin(source))

    def _confirm(
        self, who: Person, device: int, to: Person, timestamp: int, kind: str = "delivery"
    ) -> None:
        def send() -> None:
            receipt = Receipt(who.ticker.next_ms(), kind, [timestamp])
            self.carry(Parcel(who, device, receipt), to)

        _call_soon(send, 0.03)

    def _accept_invitation(self, invited: Person, group: Group) -> None:
        def accept() -> None:
            if invited.aci not in group.pending:
                return
            group.add(invited)
            group.revision += 1
            joined = Message(invited.ticker.next_ms(), group_update=True)
            for each in group.others(invited, invited=True):
                self.carry(Parcel(invited, 1, joined, group, group.expiration), each)

        _call_soon(accept, ACCEPT_SECONDS)

    def _echo(self, robot: Person, heard: Parcel, text: str | None) -> None:
        def send() -> None:
            answer = Message(robot.ticker.next_ms(), text)
            parcel = Parcel(robot, 1, answer, heard.group, heard.expires)
            for each in heard.group.others(robot) if heard.group else [heard.source]:
                self.carry(parcel, each)

        if text:
            _call_soon(send, 0.08)


_FAILURES: Final[dict[Fault | None, Outcome]] = {
    Fault.OFFLINE: Outcome("NETWORK_FAILURE"),
    Fault.STALE_KEYS: Outcome("INVALID_PRE_KEY_FAILURE"),
}


def _call_soon(action: Callable[[], None], delay_seconds: float) -> None:
    """After a moment, as the network is not instant."""
    delay_seconds *= random.uniform(1, 1.5)  # noqa: S311 - not a secret
    asyncio.get_running_loop().call_later(delay_seconds, action)
