"""Accounts, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import accounts as schemas

LIST_ALL: Final = Operation(answer=schemas.NUMBERS)
REGISTER: Final = Operation(201, body=Body(schemas.REGISTER, {"use_voice": False}, required=False))
VERIFY: Final = Operation(201, body=Body(schemas.VERIFY, {"pin": "1234"}, required=False))
UNREGISTER: Final = Operation(
    204, body=Body(schemas.UNREGISTER, {"delete_account": False}, required=False)
)
LIFT_RATE_LIMIT: Final = Operation(
    204,
    body=Body(
        schemas.CHALLENGE,
        {"challenge_token": "1f0c…", "captcha": "signalcaptcha://signal-hcaptcha…"},
    ),
)
UPDATE_SETTINGS: Final = Operation(
    201,
    body=Body(schemas.ACCOUNT_SETTINGS, {"discoverable_by_number": True, "share_number": False}),
)
SET_USERNAME: Final = Operation(
    201, schemas.UsernameSchema, Body(schemas.USERNAME, {"username": "ann"})
)
DELETE_USERNAME: Final = Operation(204)
SET_PIN: Final = Operation(201, body=Body(schemas.PIN, {"pin": "1234"}))
REMOVE_PIN: Final = Operation(204)
