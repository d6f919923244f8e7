"""Answers of the routes about the bridge itself."""

from __future__ import annotations

from signal_bridge.web.schemas.answers import (
    AnswerSchema,
    free,
    many,
    one,
    text,
    time_ms,
    whole,
    word,
)
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


class ExitSchema(AnswerSchema):
    """How signal-cli ended last."""

    at = time_ms("when that was")
    how = text("exited with code 3")


class SignalCliSchema(AnswerSchema):
    """How signal-cli is."""

    version = text("0.14.6", allow_none=True)
    state = word("running", "down", "outdated")
    since = time_ms("when it came into that state", allow_none=True)
    pid = whole(123, allow_none=True, about="its process; null while there is none of the bridge's")
    memory_bytes = whole(
        157_286_400, allow_none=True, about="what it has in memory, with the processes it started"
    )
    restarts = whole(0, about="how often the bridge has started it again")
    last_exit = one(ExitSchema, allow_none=True)
    suspicion = text(
        "send was in flight at 2 of 2 deaths of signal-cli within an hour, and may be what it dies "
        "of: at 12:00:01 UTC (4000000 bytes), 12:10:44 UTC (4000000 bytes)",
        allow_none=True,
        about="what it seems to die of, when it died more than once of the same; else null",
    )


class StatusSchema(AnswerSchema):
    """How the bridge's parts are, for an operator. It names no account."""

    signal_cli = one(SignalCliSchema, data_key="signal-cli")
