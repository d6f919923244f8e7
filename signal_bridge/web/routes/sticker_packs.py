"""Sticker packs (rest-surface.rst 5.8)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import profiles
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.schemas.sticker_packs import STICKER_PACK


def list_all(number: str) -> ResponseReturnValue:
    """The sticker packs that the account knows, installed or not."""
    number = required_number(number)
    return jsonify(
        profiles.sticker_packs(bridge().gateway.run(profiles.list_sticker_packs(number)))
    )


def add(number: str) -> ResponseReturnValue:
    """Install the sticker pack of `pack_id` and `pack_key`, both of its link. 201."""
    number = required_number(number)
    body = read_body(STICKER_PACK)
    bridge().gateway.run(profiles.add_sticker_pack(number, **body))
    return "", 201
