"""Accounts: registering, and what is set for one (rest-surface.rst 5.2, 5.3)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import Refused
from signal_bridge.rpc.requests import METHOD_NOT_FOUND
from signal_bridge.signalcli import accounts, refusals
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.forgetting import forget_account
from signal_bridge.web.edge.inputs import (
    account_number,
    number_to_register,
    read_body,
    read_strict_body,
    required_number,
)
from signal_bridge.web.edge.problems import refused_as
from signal_bridge.web.routes.default_account import default_account
from signal_bridge.web.schemas.accounts import (
    ACCOUNT_SETTINGS,
    CHALLENGE,
    PIN,
    REGISTER,
    UNREGISTER,
    USERNAME,
    VERIFY,
)


def list_all() -> ResponseReturnValue:
    """The numbers of all accounts: `["+49…"]`.

    A refusal of signal-cli is a 500 (rest-surface.rst C17). One that was started for a single
    account lists none (signal-cli.rst 1.6): it is DEFAULT_ACCOUNT, or the one that messages have
    arrived for.
    """
    try:
        result = bridge().gateway.run(accounts.list_accounts())
    except Refused as error:
        if error.rpc_code == METHOD_NOT_FOUND and (only := default_account()):
            return jsonify([only])
        with refused_as(500, "Couldn't get list of accounts: "):
            raise
    return jsonify(accounts.account_numbers(result))


def register(number: str) -> ResponseReturnValue:
    """Ask Signal to send a verification code by SMS or, with `use_voice`, by a call. 201.

    Signal may want a `captcha` first: it then refuses with 400 and says so; the captcha comes from
    https://signalcaptchas.org/registration/generate.html. The body may be left out.
    """
    number = number_to_register(number)
    body = read_strict_body(REGISTER)
    call = accounts.register(number, body["use_voice"], body["captcha"])
    try:
        bridge().gateway.run(call)
    except Refused as error:
        raise refusals.registration_refusal(error, body["use_voice"]) from error
    return "", 201


def verify(number: str, token: str) -> ResponseReturnValue:
    """Complete a registration with the code that arrived, and the `pin` if there is one. 201.

    The body may be left out.
    """
    number = number_to_register(number)
    body = read_strict_body(VERIFY)
    bridge().gateway.run(accounts.verify(number, token, body["pin"]))
    return "", 201


def unregister(number: str) -> ResponseReturnValue:
    """Take the account off Signal. 204.

    With `delete_account` it is deleted there as well, with `delete_local_data` its data here. The
    body may be left out.
    """
    number = account_number(number)
    body = read_strict_body(UNREGISTER)
    for call in accounts.unregister(number, body["delete_account"], body["delete_local_data"]):
        bridge().gateway.run(call)
    if body["delete_local_data"]:
        forget_account(number)
    return "", 204


def lift_rate_limit(number: str) -> ResponseReturnValue:
    """Lift a rate limit with a `challenge_token` and the `captcha` that was solved for it. 204.

    The token comes with the 429 of `/v2/send`, the captcha from
    https://signalcaptchas.org/challenge/generate.html. 400 when one of them is missing.
    """
    number = required_number(number)
    body = read_body(CHALLENGE)
    bridge().gateway.run(accounts.submit_rate_limit_challenge(number, **body))
    return "", 204


def update_settings(number: str) -> ResponseReturnValue:
    """Change who finds the account: `discoverable_by_number`, `share_number`. 201.

    What is left out, or null, stays as it is. The 201 has no body (rest-surface.rst C2).
    """
    number = required_number(number)
    body = read_body(ACCOUNT_SETTINGS)
    bridge().gateway.run(accounts.update_settings(number, **body))
    return "", 201


def set_username(number: str) -> ResponseReturnValue:
    """Take a `username`; Signal adds the digits. 201 with `username` and `username_link`."""
    number = required_number(number)
    body = read_body(USERNAME)
    try:
        result = bridge().gateway.run(accounts.set_username(number, body["username"]))
    except Refused as error:
        raise refusals.username_refusal(error) from error
    return jsonify(accounts.username(result)), 201


def delete_username(number: str) -> ResponseReturnValue:
    """Give the username up. 204."""
    number = required_number(number)
    bridge().gateway.run(accounts.delete_username(number))
    return "", 204


def set_pin(number: str) -> ResponseReturnValue:
    """Lock the registration with a `pin`, a text. 201, no body."""
    number = required_number(number)
    body = read_body(PIN)
    bridge().gateway.run(accounts.set_pin(number, body["pin"]))
    return "", 201


def remove_pin(number: str) -> ResponseReturnValue:
    """Remove the registration lock. 204."""
    number = required_number(number)
    bridge().gateway.run(accounts.remove_pin(number))
    return "", 204
