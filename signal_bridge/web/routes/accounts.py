"""Accounts: listing, registering, verifying, unregistering (rest-contract.md 5.2, 5.3)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import Refused
from signal_bridge.signalcli import accounts, refusals
from signal_bridge.web.context import bridge
from signal_bridge.web.inputs import account_number, read_strict_body
from signal_bridge.web.problems import refused_as
from signal_bridge.web.schemas.accounts import REGISTER, UNREGISTER, VERIFY


def list_all() -> ResponseReturnValue:
    """The numbers of all accounts: `["+49…"]`. A refusal of signal-cli is a 500 (C17)."""
    with refused_as(500, "Couldn't get list of accounts: "):
        result = bridge().gateway.run(accounts.list_accounts())
    return jsonify(accounts.account_numbers(result))


def register(number: str) -> ResponseReturnValue:
    """Ask Signal to send a verification code by SMS or, with `use_voice`, by a call. 201."""
    number = account_number(number)
    body = read_strict_body(REGISTER)
    call = accounts.register(number, body["use_voice"], body["captcha"])
    try:
        bridge().gateway.run(call)
    except Refused as error:
        raise refusals.registration_refusal(error, body["use_voice"]) from error
    return "", 201


def verify(number: str, token: str) -> ResponseReturnValue:
    """Complete a registration with the code that arrived, and the PIN if there is one. 201."""
    number = account_number(number)
    body = read_strict_body(VERIFY)
    bridge().gateway.run(accounts.verify(number, token, body["pin"]))
    return "", 201


def unregister(number: str) -> ResponseReturnValue:
    """Take the account off Signal; on request delete it there, and its data here. 204."""
    number = account_number(number)
    body = read_strict_body(UNREGISTER)
    for call in accounts.unregister(number, body["delete_account"], body["delete_local_data"]):
        bridge().gateway.run(call)
    return "", 204
