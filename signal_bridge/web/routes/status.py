"""How an account is, as far as the bridge can tell."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import NotFound
from signal_bridge.feed.account_book import LINKED
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import required_number


def account(number: str) -> ResponseReturnValue:
    """How the account is, and whether it receives; times in ms.

    `state` is linked, missing (signal-cli has not loaded it; the bridge sees to that) or unlinked
    (it has to be linked again). 404 for an account that was never there.
    """
    number = required_number(number)
    found = next((one for one in bridge().accounts.all() if one.number == number), None)
    if found is None:
        raise NotFound(f"There is no account {number}")
    receive = bridge().board.all().get("receive")
    running = receive is not None and receive.state == "running" and receive.is_fresh()
    return jsonify(
        number=found.number,
        state=found.state,
        detail=found.detail,
        since=found.since_ms,
        receiving=running and found.state == LINKED,
        last_event_at=bridge().accounts.last_event_ms(number),
    )
