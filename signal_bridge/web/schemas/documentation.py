"""Answers of the routes of the description."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, free, text


class HomeSchema(AnswerSchema):
    """Where things are, by addresses that are relative to this one."""

    name = text("Signal Bridge")
    version = text("0.1.0")
    documentation = text("docs", about="a page to read this description and to try each route")
    openapi = text("openapi.json")
    about = text("v1/about", about="versions, and what clients test for")
    ready = text("readyz", about="whether messages can be sent and are received")
    alive = text("livez")
    link_a_phone = text("v1/qrcodelink?device_name=bridge", about="a QR code to scan")
    sandbox = text(required=False, about="said where nothing reaches Signal")


OPENAPI: Final = free({"openapi": "3.1.0"})
