"""Linking the bridge to a phone by QR code (rest-contract.md 5.2)."""

from __future__ import annotations

import io
from typing import Any, Final

import segno
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from segno.consts import ERROR_LEVEL_H, SYMBOL_CAPACITY

from signal_bridge.errors import RequestError
from signal_bridge.session.link_book import Link
from signal_bridge.session.linker import draw_qr
from signal_bridge.signalcli import accounts
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.problems import refused_as

KINDS: Final = ("image/png", "image/svg+xml", "text/plain", "application/json")
_COULD_NOT: Final = "Couldn't create QR code: "
# The peer's own; a longer URI takes the next that fits (11.22).
_USUAL_VERSION: Final = 10
_PIXELS: Final = 256


def qr_code() -> ResponseReturnValue:
    """A QR code to scan: PNG, or as `Accept` asks: SVG, characters, or the URI as JSON.

    Linking then completes by itself once a phone has scanned it; `Content-Location` says where
    that can be watched.
    """
    name = accounts.device_name(request.args.get("device_name"))
    version = accounts.qr_version(request.args.get("qrcode_version"))
    with refused_as(400, _COULD_NOT):
        link = bridge().links.start(name)
    response = drawn(link.uri, version)
    return _begun(link, response)


def raw() -> ResponseReturnValue:
    """The URI itself: `{"device_link_uri": "sgnl://…"}`."""
    name = accounts.device_name(request.args.get("device_name"))
    with refused_as(400, "Couldn't start link: "):
        link = bridge().links.start(name)
    return _begun(link, jsonify(device_link_uri=link.uri))


def _begun(link: Link, response: Response) -> Response:
    """The phone is waited for from here on."""
    bridge().links.finish_in_background(link)
    response.headers["Content-Location"] = f"/v1/link/{link.id}"
    return response


def drawn(uri: str, version: int | None, kind: str | None = None) -> Response:
    """The URI as a picture of media type `kind`, or of the one that `Accept` prefers: PNG first.

    Raises RequestError when it does not fit into a code of that version.
    """
    kind = kind or request.accept_mimetypes.best_match(KINDS, default="image/png")
    if kind == "application/json":
        return jsonify(device_link_uri=uri)
    if kind == "text/plain":
        return Response(draw_qr(uri), content_type="text/plain; charset=utf-8")
    return _picture(_made(uri, version), kind)


def _picture(code: segno.QRCode, kind: str) -> Response:
    picture = io.BytesIO()
    scale = max(1, -(-_PIXELS // code.symbol_size()[0]))
    code.save(picture, kind="svg" if kind == "image/svg+xml" else "png", scale=scale)
    return Response(picture.getvalue(), content_type=kind)


def _made(uri: str, version: int | None) -> segno.QRCode:
    """Strongest error correction; grown to fit unless the caller chose the version.

    Who asks for the usual one has chosen nothing: pysignalclirestapi always does, and one URI in
    twenty is too long for it.
    """
    fits = _version_for(uri)
    if version is None or version == _USUAL_VERSION:
        version = max(_USUAL_VERSION, fits)
    if version < fits:
        raise RequestError(_too_large(uri, version))
    return segno.make_qr(uri, version=version, error="h", boost_error=False, mode="byte")


def _version_for(uri: str) -> int:
    try:
        return int(segno.make_qr(uri, error="h", boost_error=False, mode="byte").version)
    except segno.DataOverflowError:
        raise RequestError(f"{_COULD_NOT}the link is too long for any QR code") from None


def _too_large(uri: str, version: int) -> str:
    """The peer's words. A byte segment has 4 bits of mode and 8 or 16 of length."""
    encoded_bits = 4 + (8 if version < 10 else 16) + 8 * len(uri.encode())
    capacity: Any = SYMBOL_CAPACITY
    return (
        f"{_COULD_NOT}Cannot encode QR code: content too large for fixed size QR Code version"
        f" {version} (encoded length is {encoded_bits} bits, maximum length is"
        f" {capacity[version][ERROR_LEVEL_H]} bits)"
    )
