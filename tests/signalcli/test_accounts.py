from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import accounts
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import int64

ME = "+4915112345"
ACCOUNT = {"account": ME}


@pytest.mark.parametrize(
    ("call", "method", "params"),
    [
        (accounts.register(ME), "register", ACCOUNT),
        (
            accounts.register(ME, use_voice=True, captcha="signalcaptcha://c"),
            "register",
            {"voice": True, "captcha": "signalcaptcha://c", **ACCOUNT},
        ),
        (accounts.verify(ME, "123-456"), "verify", {"verificationCode": "123-456", **ACCOUNT}),
        (
            accounts.verify(ME, "1", "1234"),
            "verify",
            {"verificationCode": "1", "pin": "1234", **ACCOUNT},
        ),
        (accounts.delete_local_account_data(ME), "deleteLocalAccountData", ACCOUNT),
        (
            accounts.delete_local_account_data(ME, ignore_registered=True),
            "deleteLocalAccountData",
            {"ignore-registered": True, **ACCOUNT},
        ),
        (accounts.add_device(ME, "sgnl://x"), "addDevice", {"uri": "sgnl://x", **ACCOUNT}),
        (accounts.remove_device(ME, "-3"), "removeDevice", {"deviceId": -3, **ACCOUNT}),
        (accounts.remove_device(ME, "+3"), "removeDevice", {"deviceId": 3, **ACCOUNT}),
        (
            accounts.rename_device(ME, "2", "Office"),
            "updateDevice",
            {"deviceId": 2, "deviceName": "Office", **ACCOUNT},
        ),
        (
            accounts.submit_rate_limit_challenge(ME, "t", "c"),
            "submitRateLimitChallenge",
            {"challenge": "t", "captcha": "c", **ACCOUNT},
        ),
        (
            accounts.update_settings(ME, True, False),
            "updateAccount",
            {"number-sharing": False, "discoverable-by-number": True, **ACCOUNT},
        ),
        (
            accounts.update_settings(ME, None, None),
            "updateAccount",
            {"number-sharing": None, "discoverable-by-number": None, **ACCOUNT},
        ),
        (accounts.set_username(ME, "test"), "updateAccount", {"username": "test", **ACCOUNT}),
        (accounts.delete_username(ME), "updateAccount", {"delete-username": True, **ACCOUNT}),
        (accounts.set_pin(ME, ""), "setPin", {"pin": "", **ACCOUNT}),
        (accounts.remove_pin(ME), "removePin", ACCOUNT),
    ],
)
def test_what_changes_an_account_is_never_repeated(
    call: Call, method: str, params: dict[str, Any]
) -> None:
    assert call == Call(method, params)


@pytest.mark.parametrize(
    ("call", "method", "params"),
    [
        (accounts.list_accounts(), "listAccounts", None),
        (accounts.list_devices(ME), "listDevices", ACCOUNT),
    ],
)
def test_what_only_asks_may_be_repeated(
    call: Call, method: str, params: dict[str, Any] | None
) -> None:
    assert call == Call(method, params, repeatable=True)


def test_linking_waits_longer_than_signal_cli_does() -> None:
    assert accounts.start_link() == Call("startLink", {}, timeout_seconds=120.0)
    assert accounts.finish_link("sgnl://x", "bot") == Call(
        "finishLink", {"deviceLinkUri": "sgnl://x", "deviceName": "bot"}, timeout_seconds=120.0
    )
    assert accounts.link_uri({"deviceLinkUri": "sgnl://x"}) == "sgnl://x"


def test_unregistering_may_forget_the_account_afterwards() -> None:
    assert accounts.unregister(ME) == [Call("unregister", ACCOUNT)]
    assert accounts.unregister(ME, delete_account=True, delete_local_data=True) == [
        Call("unregister", {"delete-account": True, **ACCOUNT}),
        Call("deleteLocalAccountData", ACCOUNT),
    ]


def test_results_are_shown_as_the_peer_shows_them() -> None:
    assert accounts.account_numbers([{"number": "+1"}, {"number": None}]) == ["+1", ""]
    assert accounts.account_numbers(None) == []
    assert accounts.username({"username": "t.1", "usernameLink": "l"}) == {
        "username": "t.1",
        "username_link": "l",
    }
    assert accounts.username({}) == {"username": "", "username_link": ""}
    listed = [{"id": 1, "name": None, "createdTimestamp": 5, "lastSeenTimestamp": 6}]
    assert accounts.devices(listed) == [
        {"id": 1, "name": "", "last_seen_timestamp": 6, "creation_timestamp": 5}
    ]


@pytest.mark.parametrize(
    ("make", "arguments", "text"),
    [
        (accounts.register, ("",), "Please provide a number"),
        (accounts.verify, ("", ""), "Please provide a number"),
        (accounts.verify, (ME, ""), "Please provide a verification code"),
        (accounts.remove_device, (ME, "abc"), "deviceId must be numeric"),
        (accounts.remove_device, (ME, ""), "deviceId must be numeric"),
        (accounts.remove_device, (ME, "1" * 5000), "deviceId must be numeric"),
        (accounts.rename_device, (ME, "abc", ""), "deviceId must be numeric"),
        (accounts.rename_device, (ME, "2", ""), "Couldn't process request - device_name missing"),
        (
            accounts.submit_rate_limit_challenge,
            (ME, "", ""),
            "Couldn't process request - challenge token missing",
        ),
        (
            accounts.submit_rate_limit_challenge,
            (ME, "t", ""),
            "Couldn't process request - captcha missing",
        ),
        (accounts.device_name, ("",), "Please provide a name for the device"),
        (accounts.device_name, (None,), "Please provide a name for the device"),
        (accounts.qr_version, ("abc",), "The qrcode_version parameter needs to be an integer!"),
        (
            accounts.qr_version,
            ("0",),
            "Couldn't create QR code: Invalid version 0 (expected 1-40 inclusive)",
        ),
        (
            accounts.qr_version,
            ("41",),
            "Couldn't create QR code: Invalid version 41 (expected 1-40 inclusive)",
        ),
        (
            accounts.link_uri,
            ("x",),
            "Couldn't process request - invalid signal-cli response",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Any, arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        make(*arguments)
    assert str(caught.value) == text


def test_a_qr_version_may_be_left_to_the_bridge() -> None:
    assert accounts.qr_version(None) is None
    assert accounts.qr_version("") is None
    assert accounts.qr_version("40") == 40
    assert accounts.device_name("a b&") == "a b&"


@given(st.integers())
def test_a_decimal_is_read_if_it_fits_in_64_bits(number: int) -> None:
    fits = -(2**63) <= number < 2**63
    assert int64(str(number)) == (number if fits else None)


@pytest.mark.parametrize("text", ["", "+", " 1", "1.0", "1e2", "1_0", "0x1", "١"])
def test_what_is_no_decimal_is_not_read(text: str) -> None:
    assert int64(text) is None


@pytest.mark.parametrize(
    "copied",
    [
        "sgnl://linkdevice?uuid=a%3D&pub_key=b",
        " sgnl://linkdevice?uuid=a%3D&pub_key=b\n",
        "sgnl://linkdevice?uuid=a%3D&amp;pub_key=b",
        "sgnl%3A%2F%2Flinkdevice%3Fuuid%3Da%253D%26pub_key%3Db",
    ],
)
def test_the_uri_of_a_device_is_what_the_device_shows_however_it_was_copied(copied: str) -> None:
    """signal-cli #1562"""
    call = accounts.add_device(ME, copied)
    assert call.params["uri"] == "sgnl://linkdevice?uuid=a%3D&pub_key=b"
