"""Who has Signal (rest-surface.rst 5.8)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import contacts
from signal_bridge.signalcli.addresses import account
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import account_number
from signal_bridge.web.routes.default_account import any_account


def search(number: str) -> ResponseReturnValue:
    """Which of the `numbers` of the query have Signal: `[{"number": "+49…", "registered": true}]`.

    `numbers` may be repeated, and usernames be among them. 400 without it, and for what is neither.
    """
    numbers = contacts.required_numbers(request.args.getlist("numbers"))
    return _search(account_number(number), numbers)


def search_by_any() -> ResponseReturnValue:
    """Which `numbers` of the query have Signal, asked by any account (rest-surface.rst C18, 11.16).

    `numbers` may be repeated; `number` chooses the account that asks. 400 without `numbers`.
    """
    numbers = contacts.required_numbers(request.args.getlist("numbers"))
    return _search(account(request.args.get("number", "")) or any_account(), numbers)


def _search(number: str | None, numbers: Sequence[str]) -> ResponseReturnValue:
    result = bridge().gateway.run(contacts.search(number, numbers))
    return jsonify(contacts.found_numbers(result))
