"""The account's own profile (rest-surface.rst 5.8)."""

from __future__ import annotations

import dataclasses

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import profiles
from signal_bridge.signalcli.profiles import ProfileChange
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.edge.uploads import avatar_file
from signal_bridge.web.schemas.profiles import PROFILE


def get(number: str) -> ResponseReturnValue:
    """Name, about, picture and username of the account. 404 when signal-cli knows none."""
    number = required_number(number)
    return jsonify(profiles.profile(bridge().gateway.run(profiles.get_profile(number))))


def update(number: str) -> ResponseReturnValue:
    """Change the profile. 204. Without a picture in it the old one goes (rest-surface.rst C19).

    `name` (needed), `lastname`, `about`, `about_emoji`, and the picture as `base64_avatar`; with
    `keep_avatar` the old one stays. What is left out stays, an empty text is cleared. 400 without a
    name, or for a picture that is none.
    """
    number = required_number(number)
    change: ProfileChange = read_body(PROFILE)
    profiles.check_profile(change)
    if change.avatar is not None:
        change = dataclasses.replace(change, avatar=avatar_file(change.avatar))
    bridge().gateway.run(profiles.update_profile(number, change))
    return "", 204
