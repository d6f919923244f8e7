"""The account itself: profile, username, devices, PIN, and its end (signal-cli.rst 2.8)."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Device
from signal_bridge.sandbox.attachments import file_problem, read_file
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.people import now_ms

Json = dict[str, Any]

MAX_DEVICES: Final = 6

_PROFILE: Final = {
    "givenName": "given_name",
    "familyName": "family_name",
    "about": "about",
    "aboutEmoji": "about_emoji",
    "mobileCoinAddress": "mobile_coin",
}


async def update_profile(call: Call) -> Json:
    """`updateProfile`: what is not given stays, an empty text removes. `{}`."""
    params, person = call.params, call.account.person
    avatar = params.text("avatar")
    if avatar:
        person.avatar = await asyncio.to_thread(_read_avatar, avatar)
    if params.flag("removeAvatar"):
        person.avatar = None
    for name, attribute in _PROFILE.items():
        value = params.text(name)
        if value is not None:
            setattr(person, attribute, value or None)
    person.profile_changed_ms = now_ms()
    return {}


def update_account(call: Call) -> Json:
    """`updateAccount`: `{}`, or with `username` `{"username", "usernameLink"}`."""
    params, person = call.params, call.account.person
    for name in ("unrestrictedUnidentifiedSender", "discoverableByNumber", "numberSharing"):
        params.flag(name)
    device_name = params.text("deviceName")
    if device_name is not None:
        call.account.device.name = device_name
    if params.flag("deleteUsername"):
        person.username = None
    username = params.text("username")
    return {} if username is None else _set_username(call, username)


def update_configuration(call: Call) -> Json:
    """`updateConfiguration`: `{}`. Only `readReceipts` makes a difference here."""
    call.account.need_primary()
    for name in ("unidentifiedDeliveryIndicators", "typingIndicators", "linkPreviews"):
        call.params.flag(name)
    read_receipts = call.params.flag("readReceipts")
    if read_receipts is not None:
        call.account.sends_receipts = read_receipts
    return {}


def list_devices(call: Call) -> list[Json]:
    """`listDevices`: the primary one (id 1) and those linked. Times in milliseconds."""
    return [
        {
            "id": device.id,
            "name": device.name,
            "createdTimestamp": device.created_ms,
            "lastSeenTimestamp": now_ms(),
        }
        for device in call.account.devices
    ]


def add_device(call: Call) -> Json:
    """`addDevice`: any well-formed link is a device that agrees. `{}`."""
    call.account.need_primary()
    _check_device_link(call.params.needed_text("uri"))
    devices = call.account.devices
    if len(devices) >= MAX_DEVICES:
        raise errors.user_error("Account has too many linked devices already")
    devices.append(Device(max(each.id for each in devices) + 1, "Sandbox device"))
    return {}


def remove_device(call: Call) -> Json:
    """`removeDevice`: `{}`; -3 for an id that no linked device has."""
    device_id = call.params.needed_integer("deviceId")
    call.account.need_primary()
    call.account.devices.remove(_device(call, device_id, "Error while removing device"))
    return {}


def update_device(call: Call) -> Json:
    """`updateDevice`, which signal-cli has since 0.13.23: a new name. `{}`."""
    device_id = call.params.needed_integer("deviceId")
    call.account.need_primary()
    name = call.params.needed_text("deviceName")
    _device(call, device_id, "Error while updating device").name = name
    return {}


def set_pin(call: Call) -> Json:
    """`setPin`: `{}`. It is not kept, as no registration asks for it."""
    call.account.need_primary()
    call.params.needed_text("pin")
    return {}


def remove_pin(call: Call) -> Json:
    """`removePin`: `{}`."""
    call.account.need_primary()
    return {}


def unregister(call: Call) -> Json:
    """The number is free again, and the account goes without a word."""
    call.params.flag("deleteAccount")
    call.network.people.remove(call.account.person)
    call.network.unload(call.account)
    return {}


METHODS: Final[dict[str, Handler]] = {
    "updateProfile": update_profile,
    "updateAccount": update_account,
    "updateConfiguration": update_configuration,
    "listDevices": list_devices,
    "addDevice": add_device,
    "removeDevice": remove_device,
    "updateDevice": update_device,
    "setPin": set_pin,
    "removePin": remove_pin,
    "unregister": unregister,
}


def _read_avatar(path: str) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise errors.io_error(f"Update profile error: {file_problem(error)}") from None


def _set_username(call: Call, wanted: str) -> Json:
    """`bob` becomes `bob.42`; with a number of its own it is taken as it is."""
    person, people = call.account.person, call.network.people
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{2,31}(\.[0-9]{2,9})?", wanted):
        raise errors.user_error(f"Invalid username: {wanted}")
    username = wanted if "." in wanted else f"{wanted}.{10 + secrets.randbelow(90)}"
    if people.by_username(username) not in (None, person):
        raise errors.io_error("Failed to set username: Username is already taken")
    person.username = username
    call.account.contact(person).knows_username = True
    link = secrets.token_urlsafe(48)
    return {"username": username, "usernameLink": f"https://signal.me/#eu/{link}"}


def _check_device_link(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme not in ("sgnl", "tsdevice"):
        raise errors.internal_error("Invalid device link uri")
    query = parse_qs(parts.query)
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}=?|[A-Za-z0-9+/]{44}", query.get("pub_key", [""])[0]):
        raise errors.user_error("Invalid device link")


def _device(call: Call, device_id: int, complaint: str) -> Device:
    linked = (each for each in call.account.devices if each.id != 1)
    found = next((each for each in linked if each.id == device_id), None)
    if found is None:
        raise errors.io_error(f"{complaint}: [404] Not found")
    return found
