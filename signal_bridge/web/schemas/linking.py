"""Bodies and answers of the link routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.session.linker import EXPIRED, FAILED, LINKED, PENDING
from signal_bridge.web.schemas.answers import AnswerSchema, one, text, time_ms, word
from signal_bridge.web.schemas.base import BodySchema, Text
from signal_bridge.web.schemas.examples import ANN, DEVICE_LINK_URI, LINK_ID


class LinkBody(BodySchema):
    """The name that the phone will show."""

    device_name = Text(load_default="Signal Bridge")


class LinkUriSchema(AnswerSchema):
    """What the phone is to scan."""

    device_link_uri = text(DEVICE_LINK_URI)


_QR: Final = f"/v1/link/{LINK_ID}/qr?format="


class QrCodesSchema(AnswerSchema):
    """The paths of the code to scan, in each format."""

    png = text(f"{_QR}png")
    svg = text(f"{_QR}svg")
    as_text = text(f"{_QR}text", data_key="text")


class LinkSchema(AnswerSchema):
    """A link to a phone, and how far it got."""

    id = text(LINK_ID)
    state = word(PENDING, LINKED, EXPIRED, FAILED)
    device_name = text("bridge")
    device_link_uri = text(DEVICE_LINK_URI)
    expires_at = time_ms("until when it can be scanned")
    qr = one(QrCodesSchema, required=False, about="while it is pending")
    account = text(ANN, required=False, about="once it is linked")
    reason = text("", required=False, about="when it is expired or failed")


LINK: Final = LinkBody()
