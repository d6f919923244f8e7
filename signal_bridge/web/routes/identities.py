"""The keys of people: whom the account trusts (rest-surface.rst 5.8)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import profiles
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.edge.problems import refused_as
from signal_bridge.web.schemas.identities import TRUST


def list_all(number: str) -> ResponseReturnValue:
    """Every key that the account has seen, with its safety number and whether it is trusted.

    A refusal of signal-cli is a 500 (rest-surface.rst C17).
    """
    number = required_number(number)
    with refused_as(500):
        result = bridge().gateway.run(profiles.list_identities(number))
    return jsonify(profiles.identities(result))


def trust(number: str, number_to_trust: str) -> ResponseReturnValue:
    """Trust somebody's key: that of `verified_safety_number`, or every one known. 204.

    The safety number is the better way, since somebody compared it; `trust_all_known_keys` true is
    the other. 400 for neither, for both, and for a number that is not the right one.
    """
    number = required_number(number)
    body = read_body(TRUST)
    bridge().gateway.run(profiles.trust(number, number_to_trust, **body))
    return "", 204
