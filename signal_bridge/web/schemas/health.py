"""Answers of the routes about the bridge itself."""

from __future__ import annotations

from signal_bridge.web.schemas.answers import AnswerSchema, free, many, one, text, whole, word
from signal_bridge.web.schemas.examples import ANN


class AliveSchema(AnswerSchema):
    """The process answers."""

    status = text("alive")


class ReadySchema(AnswerSchema):
    """Messages can be sent and are being received."""

    status = text("ready")
    accounts = free({ANN: "linked"}, text(), about="the state of each account, by its number")
    warnings = free(
        {"disk": "little room is left on the disk of the data directory: 300.0 MiB are free"},
        text(),
        required=False,
        about="what will not stay well by itself, by the name of the part; missing when all does",
    )


class CapabilitiesSchema(AnswerSchema):
    """What a route can do that clients test for, by its path."""

    v2_send = many(text("quotes"), data_key="v2/send", example=["quotes", "mentions"])


class AboutSchema(AnswerSchema):
    """The versions of all parts."""

    versions = many(text("v1"), example=["v1", "v2"])
    build = whole(2)
    mode = word("json-rpc", "normal", "native")
    version = text("0.101.0", about="of signal-cli-rest-api, whose place this takes")
    capabilities = one(CapabilitiesSchema)
    signal_cli = text("0.14.6", data_key="signal-cli", allow_none=True)
    signal_bridge = text("1.0.0", data_key="signal-bridge")
    sandbox = text(
        "This is the Signal Bridge sandbox. Nothing here reaches Signal.", required=False
    )
