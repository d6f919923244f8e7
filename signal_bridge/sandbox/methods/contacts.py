"""Contacts, identities, the directory and avatars (signal-cli.rst 2.6)."""

from __future__ import annotations

import base64
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import (
    UNVERIFIED,
    VERIFIED,
    Contact,
    Identity,
    fingerprint,
    scannable,
)
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.envelopes import Message
from signal_bridge.sandbox.groups import checked_id
from signal_bridge.sandbox.people import Person

Json = dict[str, Any]

_NAMES: Final = {
    "name": "given_name",
    "givenName": "given_name",
    "familyName": "family_name",
    "nickGivenName": "nick_given_name",
    "nickFamilyName": "nick_family_name",
    "note": "note",
}
_INTERNAL: Final[Json] = {
    "capabilities": [],
    "unidentifiedAccessMode": None,
    "sharesPhoneNumber": None,
    "discoverableByPhonenumber": None,
}
_NOT_TRUSTED: Final = "Failed to set the trust for this number, make sure the number"


def get_user_status(call: Call) -> list[Json]:
    """`getUserStatus`: an entry for each number, then one for each username."""
    params = call.params
    numbers = [_number_status(call, text) for text in params.texts("recipient")]
    names = [_username_status(call, text) for text in params.texts("username")]
    return numbers + names


def list_contacts(call: Call) -> list[Json]:
    """`listContacts`: those not removed, or with `allRecipients` all, the account itself too."""
    params, account = call.params, call.account
    wanted = [call.network.people.find(text).person for text in params.texts("recipient")]
    everybody, blocked = params.flag("allRecipients"), params.flag("blocked")
    name, internal = params.text("name"), bool(params.flag("internal"))
    account.contact(account.person)
    return [
        _contact_json(call, contact, internal)
        for contact in account.contacts.values()
        if (everybody or _is_listed(call, contact))
        and (not wanted or contact.person in wanted)
        and blocked in (None, contact.blocked)
        and name in (None, account.name_of(contact.person))
    ]


async def update_contact(call: Call) -> Json:
    """`updateContact`: `{}`. A timer (`expiration`, seconds) is told to the other side.

    0.13 has set the timer when it refuses the rest on a linked device.
    """
    params = call.params
    person = call.network.people.find(params.needed_text("recipient")).need_person()
    contact = call.account.contact(person)
    expiration = params.integer("expiration")
    if expiration is not None:
        contact.expiration = expiration
        timer = Message(call.account.person.ticker.next_ms(), timer_update=True)
        await call.network.post(call.account, person, timer)
    if not call.version.names_contacts_when_linked:
        call.account.need_primary()
    contact.listed, contact.hidden = True, False
    for name, attribute in _NAMES.items():
        value = params.text(name)
        if value is not None:
            setattr(contact, attribute, value or None)
    if params.text("name") is not None:
        contact.family_name = params.text("familyName")
    return {}


def remove_contact(call: Call) -> Json:
    """`removeContact`: `{}`. Names go; with `forget` the key too; with `hide` it is marked."""
    person = call.network.people.find(call.params.needed_text("recipient")).person
    if person is None:
        return {}
    if call.params.flag("forget"):
        return _forget(call, person)
    contact = call.account.contact(person)
    if call.params.flag("hide"):
        contact.hidden = True
        return {}
    contact.given_name = contact.family_name = contact.note = None
    contact.nick_given_name = contact.nick_family_name = None
    contact.listed = False
    return {}


def block(call: Call) -> Json:
    """`block`: people and groups; `{}`."""
    return _set_blocked(call, True)


def unblock(call: Call) -> Json:
    """`unblock`: people and groups; `{}`."""
    return _set_blocked(call, False)


def list_identities(call: Call) -> list[Json]:
    """`listIdentities`: the keys of all, or of the one with `number`."""
    number = call.params.text("number")
    only = call.network.people.find(number).person if number else None
    known = call.account.identities.values()
    return [_identity_json(call, each) for each in known if number is None or each.person is only]


def trust(call: Call) -> Json:
    """`trust`: `{}`; -1 unless the safety number is right or all known keys are meant."""
    params = call.params
    recipient = call.network.people.find(params.needed_text("recipient"))
    trust_all, number = params.flag("trustAllKnownKeys"), params.text("verifiedSafetyNumber")
    if not trust_all and number is None:
        raise errors.user_error(
            "You need to specify the fingerprint/safety number you have verified with -v "
            "SAFETY_NUMBER"
        )
    aci = recipient.uuid or recipient.need_person().aci
    identity = call.account.identities.get(aci)
    if trust_all and identity is None:
        raise errors.user_error(f"{_NOT_TRUSTED} is correct.")
    if identity is None or not (trust_all or number in _safety_numbers(call, identity)):
        numbers = "and the fingerprint/safety number are correct."
        raise errors.user_error(f"{_NOT_TRUSTED} {numbers}")
    identity.trust = UNVERIFIED if trust_all else VERIFIED
    call.network.release(call.account, identity)
    return {}


def get_avatar(call: Call) -> Json:
    """`getAvatar` of a contact, a profile or a group: `{"data": base64}`."""
    data = _avatar(call)
    if not data:
        raise errors.user_error("Could not find avatar")
    return {"data": base64.b64encode(data).decode()}


METHODS: Final[dict[str, Handler]] = {
    "getUserStatus": get_user_status,
    "listContacts": list_contacts,
    "updateContact": update_contact,
    "removeContact": remove_contact,
    "block": block,
    "unblock": unblock,
    "listIdentities": list_identities,
    "trust": trust,
    "getAvatar": get_avatar,
}


def _number_status(call: Call, text: str) -> Json:
    digits = "".join(char for char in text if char in "0123456789")
    if not digits:
        return {"recipient": text, "uuid": None, "isRegistered": False}
    found = call.network.people.find_number(text)
    person = found.person
    uuid, registered = (person.aci, True) if person else (None, False)
    return {"recipient": text, "number": found.number, "uuid": uuid, "isRegistered": registered}


def _username_status(call: Call, text: str) -> Json:
    person = call.network.people.by_username(text)
    uuid, registered = (person.aci, True) if person else (None, False)
    return {"recipient": text, "username": text, "uuid": uuid, "isRegistered": registered}


def _is_listed(call: Call, contact: Contact) -> bool:
    return contact.listed and contact.person is not call.account.person


def _contact_json(call: Call, contact: Contact, internal: bool) -> Json:
    person = contact.person
    nick = " ".join(filter(None, (contact.nick_given_name, contact.nick_family_name)))
    archived = {"isArchived": False} if call.version.archives_contacts else {}
    body = {
        "number": person.number,
        "uuid": person.aci,
        "username": call.account.known_username(person),
        "name": contact.name,
        "givenName": contact.given_name,
        "familyName": contact.family_name,
        "nickName": nick or None,
        "nickGivenName": contact.nick_given_name,
        "nickFamilyName": contact.nick_family_name,
        "note": contact.note,
        "color": None,
        **archived,
        "isBlocked": contact.blocked,
        "isHidden": contact.hidden,
        "messageExpirationTime": contact.expiration,
        "profileSharing": not contact.blocked,
        "unregistered": call.network.people.by_number(person.number) is not person,
        "profile": _profile_json(person),
    }
    return {**body, "internal": _INTERNAL} if internal else body


def _profile_json(person: Person) -> Json:
    return {
        "lastUpdateTimestamp": person.profile_changed_ms,
        "givenName": person.given_name,
        "familyName": person.family_name,
        "about": person.about,
        "aboutEmoji": person.about_emoji,
        "hasAvatar": person.avatar is not None,
        "mobileCoinAddress": person.mobile_coin,
    }


def _identity_json(call: Call, identity: Identity) -> Json:
    person = identity.person
    number = call.account.safety_number(person)
    return {
        "number": person.number,
        "uuid": person.aci,
        "fingerprint": fingerprint(person),
        "safetyNumber": number,
        "scannableSafetyNumber": scannable(number),
        "trustLevel": identity.trust,
        "addedTimestamp": identity.added_ms,
    }


def _safety_numbers(call: Call, identity: Identity) -> tuple[str, ...]:
    """Every way of writing it that `trust` accepts."""
    number, key = call.account.safety_number(identity.person), fingerprint(identity.person)
    return number, number.replace(" ", ""), key, key.replace(" ", "")


def _set_blocked(call: Call, blocked: bool) -> Json:
    find = call.network.people.find
    people = [find(text).need_person() for text in call.params.texts("recipient")]
    known = call.account.groups.intersection(map(checked_id, call.params.texts("groupId")))
    for person in people:
        call.account.contact(person).blocked = blocked
    if blocked:
        call.account.blocked_groups |= known
    else:
        call.account.blocked_groups -= known
    return {}


def _forget(call: Call, person: Person) -> Json:
    if person is call.account.person:
        raise errors.internal_error("Can't delete self recipient")
    call.account.contacts.pop(person.aci, None)
    call.account.identities.pop(person.aci, None)
    call.account.strangers.add(person.aci)
    return {}


def _avatar(call: Call) -> bytes | None:
    params = call.params
    named = params.text("contact") or params.text("profile")
    if named:
        person = call.network.people.find(named).person
        return person.avatar if person else None
    group = call.network.known_group(call.account, checked_id(params.needed_text("groupId")))
    return group.avatar if group else None
