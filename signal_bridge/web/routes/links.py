"""Linking that can be watched: start a link, show its QR code, and be told how it went."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from signal_bridge.clock import Deadline
from signal_bridge.errors import NotFound, RequestError
from signal_bridge.session.link_book import Link
from signal_bridge.session.linker import LINKED
from signal_bridge.signalcli import accounts
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import query_number, read_strict_body
from signal_bridge.web.edge.problems import problem, refused_as
from signal_bridge.web.routes.linking import drawn
from signal_bridge.web.schemas.links import LINK

_LONGEST_TIMEOUT_SECONDS: Final = 300
_FORMATS: Final = {"png": "image/png", "svg": "image/svg+xml", "text": "text/plain"}


def start() -> ResponseReturnValue:
    """Start linking to a phone. `{"device_name"}` is the name that the phone will show.

    201: `{"id", "state": "pending", "device_name", "device_link_uri", "expires_at", "qr"}`. `qr`
    holds the addresses of the code as PNG, SVG and text; the phone scans it (Settings, Linked
    devices) before `expires_at` (ms). `Location` is where to watch it.
    """
    name = accounts.device_name(read_strict_body(LINK)["device_name"])
    with refused_as(400, "Couldn't start link: "):
        link = bridge().links.start(name)
    bridge().links.finish_in_background(link)
    response = make_response(jsonify(_shown(link)), 201)
    response.headers["Location"] = _path(link)
    return response


def watch(link_id: str) -> ResponseReturnValue:
    """How a link is: `state` is pending, linked (to `account`), expired or failed (`reason`).

    Waits up to `timeout` seconds (0) until it is not pending any more. 404 for an unknown link.
    """
    seconds = max(0, min(query_number("timeout", 0), _LONGEST_TIMEOUT_SECONDS))
    # A poll that waits is a stream for as long as it waits; without a place it does not wait.
    with bridge().streams.one_if_free() as may_wait:
        deadline = Deadline(seconds if may_wait else 0)
        link = bridge().links.wait(link_id, deadline, lambda: bridge().feed.closing)
    return jsonify(_shown(link))


def qr_code(link_id: str) -> ResponseReturnValue:
    """The QR code of a pending link: PNG, or as `format` (png, svg, text) or `Accept` says.

    It is as large as it has to be, unless `qrcode_version` (1 to 40) says otherwise. 404 for an
    unknown link, 410 when there is nothing to scan any more.
    """
    version = accounts.qr_version(request.args.get("qrcode_version"))
    kind = _kind(request.args.get("format"))
    link = bridge().links.find(link_id)
    if not link.pending:
        return problem(NotFound(f"This link is {link.outcome.state}; start another"), 410)
    return _uncached(drawn(link.uri, version, kind))


def _kind(name: str | None) -> str | None:
    if name is not None and name not in _FORMATS:
        raise RequestError(f"format needs to be one of {', '.join(_FORMATS)}")
    return None if name is None else _FORMATS[name]


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _shown(link: Link) -> dict[str, Any]:
    outcome = link.outcome
    shown = {
        "id": link.id,
        "state": outcome.state,
        "device_name": link.device_name,
        "device_link_uri": link.uri,
        "expires_at": link.expires_at_ms,
    }
    if outcome.state == LINKED:
        return {**shown, "account": outcome.account}
    if not link.pending:
        return {**shown, "reason": outcome.reason}
    return {**shown, "qr": {name: f"{_path(link)}/qr?format={name}" for name in _FORMATS}}


def _path(link: Link) -> str:
    return f"/v1/link/{link.id}"
