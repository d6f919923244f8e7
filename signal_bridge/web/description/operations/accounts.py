"""Accounts, linking, devices."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.operation import (
    BYTES,
    TEXT,
    WHOLE,
    Body,
    Needs,
    Operation,
    Operations,
    Query,
)
from signal_bridge.web.routes import accounts, devices, linking, status
from signal_bridge.web.schemas.accounts import (
    ACCOUNT_SETTINGS,
    CHALLENGE,
    PIN,
    REGISTER,
    UNREGISTER,
    USERNAME,
    VERIFY,
)
from signal_bridge.web.schemas.devices import DEVICE, LOCAL_DATA
from signal_bridge.web.schemas.linking import LINK

_DEVICE_NAME: Final = Query("device_name", TEXT, "the name the phone shows for the bridge", True)
_QR_VERSION: Final = Query(
    "qrcode_version", WHOLE | {"minimum": 1, "maximum": 40}, "the code's size; else as it fits"
)
_QR: Final = {
    "image/png": {"schema": BYTES},
    "image/svg+xml": {"schema": TEXT},
    "text/plain": {"schema": TEXT},
}

OPERATIONS: Final[Operations] = {
    accounts.list_all: Operation(answer=answers.NUMBERS),
    status.account: Operation(answer=answers.ACCOUNT, needs=Needs.STORE, beyond_peer=True),
    accounts.register: Operation(201, body=Body(REGISTER, {"use_voice": False}, required=False)),
    accounts.verify: Operation(201, body=Body(VERIFY, {"pin": "1234"}, required=False)),
    accounts.unregister: Operation(
        204, body=Body(UNREGISTER, {"delete_account": False}, required=False)
    ),
    accounts.lift_rate_limit: Operation(
        204,
        body=Body(
            CHALLENGE,
            {"challenge_token": "1f0c…", "captcha": "signalcaptcha://signal-hcaptcha…"},
        ),
    ),
    accounts.update_settings: Operation(
        201,
        body=Body(ACCOUNT_SETTINGS, {"discoverable_by_number": True, "share_number": False}),
    ),
    accounts.set_username: Operation(201, answers.USERNAME, Body(USERNAME, {"username": "ann"})),
    accounts.delete_username: Operation(204),
    accounts.set_pin: Operation(201, body=Body(PIN, {"pin": "1234"})),
    accounts.remove_pin: Operation(204),
    linking.new_qr_code: Operation(
        answer=answers.LINK_URI,
        query=(_DEVICE_NAME, _QR_VERSION),
        content=_QR,
    ),
    linking.new_uri: Operation(answer=answers.LINK_URI, query=(_DEVICE_NAME,)),
    linking.start: Operation(
        201, answers.LINK, Body(LINK, {"device_name": "bridge"}, required=False), beyond_peer=True
    ),
    linking.watch: Operation(
        answer=answers.LINK,
        query=(Query("timeout", WHOLE, "seconds to wait for the link to end"),),
        needs=Needs.STORE | Needs.PLACE,
        beyond_peer=True,
    ),
    linking.qr_code: Operation(
        answer=answers.LINK_URI,
        query=(
            Query("format", {"type": "string", "enum": ["png", "svg", "text"]}, "else as Accept"),
            _QR_VERSION,
        ),
        content=_QR,
        statuses={410: "There is nothing to scan any more."},
        needs=Needs.STORE,
        beyond_peer=True,
    ),
    devices.list_all: Operation(answer=answers.DEVICES),
    devices.add: Operation(204, body=Body(DEVICE, {"uri": "sgnl://linkdevice?uuid=…&pub_key=…"})),
    devices.remove: Operation(204),
    devices.delete_local_data: Operation(
        204, body=Body(LOCAL_DATA, {"ignore_registered": False}, required=False)
    ),
}
