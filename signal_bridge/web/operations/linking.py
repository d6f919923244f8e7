"""Linking, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, TEXT, WHOLE, Body, Needs, Operation, Outcome, Query
from signal_bridge.web.schemas import linking as schemas
from signal_bridge.web.schemas.problems import ProblemSchema

_DEVICE_NAME: Final = Query("device_name", TEXT, "the name the phone shows for the bridge", True)
_QR_VERSION: Final = Query(
    "qrcode_version", WHOLE | {"minimum": 1, "maximum": 40}, "the code's size; else as it fits"
)
_QR: Final = {
    "image/png": {"schema": BYTES},
    "image/svg+xml": {"schema": TEXT},
    "text/plain": {"schema": TEXT},
}

_TOO_MANY: Final = {429: Outcome("As many phones are waited for as may be.", ProblemSchema)}

NEW_QR_CODE: Final = Operation(
    answer=schemas.LinkUriSchema,
    query=(_DEVICE_NAME, _QR_VERSION),
    content=_QR,
    outcomes=_TOO_MANY,
)
NEW_URI: Final = Operation(answer=schemas.LinkUriSchema, query=(_DEVICE_NAME,), outcomes=_TOO_MANY)
START: Final = Operation(
    201,
    schemas.LinkSchema,
    Body(schemas.LINK, {"device_name": "bridge"}, required=False),
    outcomes=_TOO_MANY,
    beyond_peer=True,
)
WATCH: Final = Operation(
    answer=schemas.LinkSchema,
    query=(Query("timeout", WHOLE, "seconds to wait for the link to end"),),
    needs=Needs.STORE | Needs.PLACE,
    beyond_peer=True,
)
QR_CODE: Final = Operation(
    answer=schemas.LinkUriSchema,
    query=(
        Query("format", {"type": "string", "enum": ["png", "svg", "text"]}, "else as Accept"),
        _QR_VERSION,
    ),
    content=_QR,
    outcomes={410: Outcome("There is nothing to scan any more.", ProblemSchema)},
    needs=Needs.STORE,
    beyond_peer=True,
)
