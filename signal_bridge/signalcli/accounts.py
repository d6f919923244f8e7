"""Accounts: registering, linking, devices and settings (rest-surface.rst 5.2 and 5.3)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import int64, without_none

FINISH_LINK_SECONDS: Final = 120.0
"""signal-cli itself waits up to 100 s for the other device to scan the code."""

START_LINK_SECONDS: Final = 120.0
"""signal-cli itself gives up after 100 s."""

# Signal's own apps allow 50.
_LONGEST_DEVICE_NAME: Final = 200
_QR_VERSIONS: Final = range(1, 41)


def list_accounts() -> Call:
    """Ask which accounts signal-cli has loaded."""
    return Call("listAccounts", repeatable=True)


def account_numbers(result: Any) -> list[str]:
    """`["+491", …]` of listAccounts. Raises `RequestError` (invalid response)."""
    return [results.text(row, "number") for row in results.as_rows(result)]


def register(number: str, use_voice: bool = False, captcha: str = "") -> Call:
    """Ask Signal for a verification code. Raises `RequestError` (`Please provide a number`)."""
    params = {
        "voice": use_voice or None,
        "captcha": captcha or None,
        "account": _require_number(number),
    }
    return Call("register", without_none(params))


def verify(number: str, code: str, pin: str = "") -> Call:
    """Finish a registration with the code as it was received. Raises `RequestError`."""
    _require_number(number)
    if not code:
        raise RequestError("Please provide a verification code")
    params = {"verificationCode": code, "account": number, "pin": pin or None}
    return Call("verify", without_none(params))


def unregister(
    number: str, delete_account: bool = False, delete_local_data: bool = False
) -> list[Call]:
    """The calls that unregister an account; each only if the one before succeeded."""
    params = without_none({"delete-account": delete_account or None, "account": number})
    calls = [Call("unregister", params)]
    return [*calls, delete_local_account_data(number)] if delete_local_data else calls


def delete_local_account_data(number: str, ignore_registered: bool = False) -> Call:
    """Forget an account on this machine, even a registered one if so wanted."""
    params = without_none({"ignore-registered": ignore_registered or None, "account": number})
    return Call("deleteLocalAccountData", params)


def device_name(text: str | None) -> str:
    """The name for a device to be linked. Raises `RequestError` if there is none, or too long."""
    if not text:
        raise RequestError("Please provide a name for the device")
    if len(text) > _LONGEST_DEVICE_NAME or "\0" in text:
        raise RequestError(
            "Please provide a name for the device",
            f"It has {_LONGEST_DEVICE_NAME} characters at most, and no NUL",
        )
    return text


def qr_version(text: str | None) -> int | None:
    """The `qrcode_version` of a request, 1 to 40; None when it is left to the bridge.

    Raises `RequestError` with the texts of rest-surface.rst 5.2, before a link is begun
    (rest-surface.rst 11.22).
    """
    if not text:
        return None
    version = int64(text)
    if version is None:
        raise RequestError("The qrcode_version parameter needs to be an integer!")
    if version not in _QR_VERSIONS:
        raise RequestError(
            f"Couldn't create QR code: Invalid version {version} (expected 1-40 inclusive)"
        )
    return version


def start_link() -> Call:
    """Begin linking this signal-cli to somebody's account."""
    return Call("startLink", {}, timeout_seconds=START_LINK_SECONDS)


def link_uri(result: Any) -> str:
    """The `sgnl://linkdevice…` URI of startLink. Raises `RequestError` (invalid response)."""
    return results.text(results.as_row(result), "deviceLinkUri")


def finish_link(uri: str, name: str) -> Call:
    """Wait until the URI was scanned; answered with `{"number": "+491"}`."""
    params = {"deviceLinkUri": uri, "deviceName": name}
    return Call("finishLink", params, timeout_seconds=FINISH_LINK_SECONDS)


def add_device(number: str, uri: str) -> Call:
    """Link the device that shows `uri` to this account."""
    return Call("addDevice", {"uri": _as_shown(uri), "account": number})


def _as_shown(uri: str) -> str:
    """A URI as a device shows it, without what scanners, HTML and queries make of one."""
    plain = uri.strip().replace("&amp;", "&")
    return plain if ":" in plain else unquote(plain)


def list_devices(number: str) -> Call:
    """Ask for the account's devices."""
    return Call("listDevices", {"account": number}, repeatable=True)


def devices(result: Any) -> list[dict[str, Any]]:
    """`[{"id", "name", "last_seen_timestamp", "creation_timestamp"}]`, timestamps in ms."""
    return [
        {
            "id": results.number(row, "id"),
            "name": results.text(row, "name"),
            "last_seen_timestamp": results.number(row, "lastSeenTimestamp"),
            "creation_timestamp": results.number(row, "createdTimestamp"),
        }
        for row in results.as_rows(result)
    ]


def remove_device(number: str, device_id: str) -> Call:
    """Unlink a device. Raises `RequestError` (`deviceId must be numeric`)."""
    return Call("removeDevice", {"deviceId": _device_id(device_id), "account": number})


def rename_device(number: str, device_id: str, name: str) -> Call:
    """Give a device another name; only a primary device may rename others than itself.

    Since signal-cli 0.13.23. Raises `RequestError` (`deviceId must be numeric`, no name).
    """
    device = _device_id(device_id)
    if not name:
        raise RequestError("Couldn't process request - device_name missing")
    return Call("updateDevice", {"deviceId": device, "deviceName": name, "account": number})


def submit_rate_limit_challenge(number: str, challenge_token: str, captcha: str) -> Call:
    """Lift a rate limit. Raises `RequestError` (one of the two is missing)."""
    if not challenge_token:
        raise RequestError("Couldn't process request - challenge token missing")
    if not captcha:
        raise RequestError("Couldn't process request - captcha missing")
    params = {"challenge": challenge_token, "captcha": captcha, "account": number}
    return Call("submitRateLimitChallenge", params)


def update_settings(
    number: str, discoverable_by_number: bool | None, share_number: bool | None
) -> Call:
    """Change who may find the account. None leaves a setting, and is sent as null."""
    params = {
        "number-sharing": share_number,
        "discoverable-by-number": discoverable_by_number,
        "account": number,
    }
    return Call("updateAccount", params)


def set_username(number: str, username: str) -> Call:
    """Take a username."""
    return Call("updateAccount", {"username": username, "account": number})


def username(result: Any) -> dict[str, str]:
    """`{"username": "test.123", "username_link": "https://…"}` of `set_username`."""
    row = results.as_row(result)
    return {
        "username": results.text(row, "username"),
        "username_link": results.text(row, "usernameLink"),
    }


def delete_username(number: str) -> Call:
    """Give the username up."""
    return Call("updateAccount", {"delete-username": True, "account": number})


def set_pin(number: str, pin: str) -> Call:
    """Lock the registration with a PIN."""
    return Call("setPin", {"pin": pin, "account": number})


def remove_pin(number: str) -> Call:
    """Remove the registration lock."""
    return Call("removePin", {"account": number})


def _device_id(text: str) -> int:
    device = int64(text)
    if device is None:
        raise RequestError("deviceId must be numeric")
    return device


def _require_number(number: str) -> str:
    if not number:
        raise RequestError("Please provide a number")
    return number
