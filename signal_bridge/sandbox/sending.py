"""To whom a call sends, and what comes of it (signal-cli.rst 2.1 and 2.3)."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.call import Call
from signal_bridge.sandbox.envelopes import Message, Sendable
from signal_bridge.sandbox.groups import Group, checked_id
from signal_bridge.sandbox.network import SUCCESS, UNREGISTERED
from signal_bridge.sandbox.people import Person, Recipient

Entry = dict[str, Any]

_NOTHING: Final[Entry] = {}
_CLEAR_FAILURES: Final = {
    "IDENTITY_FAILURE": (
        errors.UNTRUSTED_KEY,
        "Failed to send message due to untrusted identities",
    ),
    "RATE_LIMIT_FAILURE": (errors.RATE_LIMIT, "Failed to send message due to rate limiting"),
}


@dataclass(frozen=True)
class Targets:
    """Where one call sends to. With `notify_self` the sender is a receiver like any other."""

    recipients: list[Recipient]
    groups: list[Group]
    notify_self: bool = False

    def without_self(self) -> Targets:
        """The same, but the sender only keeps a note of it."""
        return dataclasses.replace(self, notify_self=False)

    @property
    def only_person(self) -> Person | None:
        """The person of a conversation between two."""
        if len(self.recipients) != 1 or self.groups:
            return None
        return self.recipients[0].person


def read_targets(call: Call) -> Targets:
    """`recipient`, `groupId`, `username` and `noteToSelf`, with `notifySelf`."""
    params, people, own = call.params, call.network.people, call.account.number
    names = [people.find(text) for text in params.texts("recipient")]
    names += [people.find_username(text) for text in params.texts("username")]
    names += [people.find(own)] if params.flag("noteToSelf") else []
    group_ids = dict.fromkeys(checked_id(text) for text in params.texts("groupId"))
    if not names and not group_ids:
        raise errors.user_error("No recipients given")
    groups = [find_sendable_group(call, group_id) for group_id in group_ids]
    return Targets(_distinct(names), groups, bool(params.flag("notifySelf")))


def find_group(call: Call, group_id: str) -> Group:
    """A group that the account knows. Raises RpcError (-1), also if `group_id` is no base64."""
    group = call.network.known_group(call.account, checked_id(group_id))
    if group is None:
        raise errors.user_error(f"Group not found: {group_id}")
    return group


def find_sendable_group(call: Call, group_id: str) -> Group:
    """A group that the account knows and may write to. Raises RpcError (-1)."""
    group = find_group(call, group_id)
    group.need_sender(call.account.person)
    return group


async def send(call: Call, targets: Targets, what: Sendable) -> dict[str, Any]:
    """Send to one after another, and answer as the command does."""
    await _keep_files(call, what)
    results = [await _to_recipient(call, each, what, targets) for each in targets.recipients]
    for group in targets.groups:
        results += await send_to_group(call, group, what, name_group=True)
    return _answer({"timestamp": what.timestamp, "results": results})


async def send_to_people(
    call: Call, people: list[Person], what: Sendable, group: Group | None
) -> dict[str, Any]:
    """Send to each of these, who may be in a group that the results do not name."""
    await _keep_files(call, what)
    results = await _to_each(call, people, what, group)
    return _answer({"timestamp": what.timestamp, "results": results})


async def send_to_group(
    call: Call, group: Group, what: Sendable, name_group: bool = False
) -> list[Entry]:
    """One entry per member but the sender; a change is told to those who are invited, too."""
    naming = {"groupId": group.id} if name_group else {}
    people = group.others(call.account.person, invited=not name_group)
    return await _to_each(call, people, what, group, naming)


def new_message(call: Call, **parts: Any) -> Message:
    """A message without text that carries one thing."""
    return Message(call.account.person.ticker.next_ms(), parts=parts)


async def _keep_files(call: Call, what: Sendable) -> None:
    if what.files and not call.world.options.ignore_attachments:
        await asyncio.to_thread(call.world.storage.keep, what.files)


async def _to_each(
    call: Call, people: list[Person], what: Sendable, group: Group | None, naming: Entry = _NOTHING
) -> list[Entry]:
    results = []
    for person in people:
        outcome = await call.network.post(call.account, person, what, group)
        address = _address(call, Recipient(person.number, person))
        results.append({**address, **naming, **outcome.as_json()})
    return results


async def _to_recipient(
    call: Call, recipient: Recipient, what: Sendable, targets: Targets
) -> Entry:
    person = recipient.person
    outcome = UNREGISTERED
    if person is call.account.person and not targets.notify_self:
        outcome = SUCCESS
    elif person is not None:
        outcome = await call.network.post(call.account, person, what)
    return {**_address(call, recipient), **outcome.as_json()}


def _address(call: Call, recipient: Recipient) -> Entry:
    return {"recipientAddress": call.account.address_of(recipient)}


def _answer(response: dict[str, Any]) -> dict[str, Any]:
    """The result, unless nobody at all could be reached."""
    kinds = {entry["type"] for entry in response["results"]}
    if not kinds or SUCCESS.type in kinds:
        return response
    only = kinds.pop() if len(kinds) == 1 else ""
    code, text = _CLEAR_FAILURES.get(only, (errors.USER, "Failed to send message"))
    raise errors.RpcError(code, text, {"response": response})


def _distinct(recipients: list[Recipient]) -> list[Recipient]:
    return list({each.person or each: each for each in recipients}.values())
