"""The account's devices, and its data here (rest-surface.rst 5.2)."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import accounts
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.forgetting import forget_account
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.schemas.devices import DEVICE, DEVICE_NAME, LOCAL_DATA


def list_all(number: str) -> ResponseReturnValue:
    """The account's devices, with the times they were linked and last seen (ms)."""
    number = required_number(number)
    return jsonify(accounts.devices(bridge().gateway.run(accounts.list_devices(number))))


def add(number: str) -> ResponseReturnValue:
    """Link another device to the account by the `uri` in the QR code that it shows. 204."""
    number = required_number(number)
    body = read_body(DEVICE)
    bridge().gateway.run(accounts.add_device(number, body["uri"]))
    return "", 204


def remove(number: str, device_id: str) -> ResponseReturnValue:
    """Unlink a device. 204. 400 when its id is no number."""
    number = required_number(number)
    bridge().gateway.run(accounts.remove_device(number, device_id))
    return "", 204


def rename(number: str, device_id: str) -> ResponseReturnValue:
    """Give a device the name `device_name`. 204.

    The account's primary device may rename every device, another only itself. 400 when the id is no
    number or the name is missing; 501 before signal-cli 0.13.23.
    """
    number = required_number(number)
    body = read_body(DEVICE_NAME)
    bridge().gateway.run(accounts.rename_device(number, device_id, body["device_name"]))
    return "", 204


def delete_local_data(number: str) -> ResponseReturnValue:
    """Forget the account on this machine; on Signal it stays. 204.

    Its webhooks, its readers' cursors and its trust mode go as well. A registered account is
    forgotten only with `ignore_registered` true. The body may be left out.
    """
    number = required_number(number)
    body = read_body(LOCAL_DATA) if _has_body() else LOCAL_DATA.load({})
    bridge().gateway.run(accounts.delete_local_account_data(number, body["ignore_registered"]))
    forget_account(number)
    return "", 204


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
