"""Linking the bridge to a phone by QR code (rest-surface.rst 5.2).

The peer's way gives the code at once and says nothing further; the other is a link that can be
watched. Both begin the same link: a phone is waited for in the background either way.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from signal_bridge.clock import Deadline
from signal_bridge.errors import NotFound, RequestError
from signal_bridge.session import qrcodes
from signal_bridge.session.link_book import Link
from signal_bridge.session.linker import LINKED
from signal_bridge.signalcli import accounts
from signal_bridge.web.edge.context import bridge, client, head_alone
from signal_bridge.web.edge.inputs import query_timeout_seconds, read_strict_body
from signal_bridge.web.edge.problems import problem, refused_as
from signal_bridge.web.schemas.linking import LINK
from signal_bridge.web.streams.waiting import client_has_hung_up, place

_COULD_NOT_START: Final = "Couldn't start link: "
_PNG: Final = "image/png"
_FORMATS: Final = {"png": _PNG, "svg": "image/svg+xml", "text": "text/plain"}
_CONTENT_TYPES: Final = {
    _PNG: _PNG,
    "image/svg+xml": "image/svg+xml",
    "text/plain": "text/plain; charset=utf-8",
    "application/json": "application/json; charset=utf-8",
}


def new_qr_code() -> ResponseReturnValue:
    """A QR code to scan, a PNG of 256 x 256; SVG, characters or JSON where `Accept` names it alone.

    Linking then completes by itself once a phone has scanned it; `Content-Location` says where
    that can be watched.
    """
    name = accounts.device_name(request.args.get("device_name"))
    version = accounts.qr_version(request.args.get("qrcode_version"))
    kind = _kind_asked_for()
    if alone := head_alone(_CONTENT_TYPES[kind]):
        return alone
    with refused_as(400, qrcodes.COULD_NOT), bridge().links.begin(name, client()) as link:
        response = _qr_response(link.uri, version, kind)
    response.headers["Content-Location"] = _path(link)
    return response


def new_uri() -> ResponseReturnValue:
    """The URI itself: `{"device_link_uri": "sgnl://…"}`."""
    name = accounts.device_name(request.args.get("device_name"))
    if alone := head_alone(_CONTENT_TYPES["application/json"]):
        return alone
    with refused_as(400, _COULD_NOT_START), bridge().links.begin(name, client()) as link:
        response = jsonify(device_link_uri=link.uri)
    response.headers["Content-Location"] = _path(link)
    return response


def start() -> ResponseReturnValue:
    """Start linking to a phone. `{"device_name"}` is the name that the phone will show.

    201: `{"id", "state": "pending", "device_name", "device_link_uri", "expires_at", "qr"}`. `qr`
    holds the addresses of the code as PNG, SVG and text; the phone scans it (Settings, Linked
    devices) before `expires_at` (ms). `Location` is where to watch it.
    """
    name = accounts.device_name(read_strict_body(LINK)["device_name"])
    with refused_as(400, _COULD_NOT_START), bridge().links.begin(name, client()) as link:
        response = make_response(jsonify(_answer(link)), 201)
    response.headers["Location"] = _path(link)
    return response


def watch(link_id: str) -> ResponseReturnValue:
    """How a link is: `state` is pending, linked (to `account`), expired or failed (`reason`).

    Waits up to `timeout` seconds (0) until it is not pending any more. 404 for an unknown link.
    """
    timeout_seconds = query_timeout_seconds(default=0)
    link = bridge().links.find(link_id)
    if link.pending and timeout_seconds:
        with place():
            link = bridge().links.wait(link_id, Deadline(timeout_seconds), _nobody_wants_it)
    return jsonify(_answer(link))


def _nobody_wants_it() -> bool:
    """Whether nobody waits for the request in hand: the bridge stops, or the client is gone."""
    return bridge().feed.closing or client_has_hung_up()


def qr_code(link_id: str) -> ResponseReturnValue:
    """The QR code of a pending link: a PNG of 256 x 256, or as `format` (png, svg, text) says.

    Without `format`, SVG, characters or JSON where `Accept` names it alone. It has as many modules
    as it needs, unless `qrcode_version` (1 to 40) says otherwise. 404 for an unknown link, 410 when
    there is nothing to scan any more.
    """
    version = accounts.qr_version(request.args.get("qrcode_version"))
    kind = _kind_named(request.args.get("format")) or _kind_asked_for()
    link = bridge().links.find(link_id)
    if not link.pending:
        return problem(NotFound(f"This link is {link.outcome.state}; start another"), 410)
    response = _qr_response(link.uri, version, kind)
    response.headers["Cache-Control"] = "no-store"
    return response


def _kind_named(name: str | None) -> str | None:
    if name is not None and name not in _FORMATS:
        raise RequestError(f"format needs to be one of {', '.join(_FORMATS)}")
    return None if name is None else _FORMATS[name]


def _kind_asked_for() -> str:
    """PNG, unless `Accept` names one other kind and nothing else.

    What clients send by themselves names JSON and more, and none of them wants JSON here.
    """
    asked = [kind.partition(";")[0].strip().lower() for kind, _quality in request.accept_mimetypes]
    return asked[0] if len(asked) == 1 and asked[0] in _CONTENT_TYPES else _PNG


def _qr_response(uri: str, version: int | None, kind: str) -> Response:
    """The URI as `kind`. Raises RequestError when it does not fit into a code of that version."""
    if kind == "application/json":
        return jsonify(device_link_uri=uri)
    if kind == "text/plain":
        return Response(qrcodes.as_text(uri), content_type=_CONTENT_TYPES[kind])
    draw = qrcodes.as_png if kind == _PNG else qrcodes.as_svg
    return Response(draw(uri, version), content_type=_CONTENT_TYPES[kind])


def _answer(link: Link) -> dict[str, Any]:
    outcome = link.outcome
    answer = {
        "id": link.id,
        "state": outcome.state,
        "device_name": link.device_name,
        "device_link_uri": link.uri,
        "expires_at": link.expires_at_ms,
    }
    if outcome.state == LINKED:
        return {**answer, "account": outcome.account}
    if not link.pending:
        return {**answer, "reason": outcome.reason}
    return {**answer, "qr": {name: f"{_path(link)}/qr?format={name}" for name in _FORMATS}}


def _path(link: Link) -> str:
    return f"/v1/link/{link.id}"
