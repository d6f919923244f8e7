"""The surface described: OpenAPI, a viewer, both as the peer has them (rest-surface.rst 5.12).

And a page that says where they are, for who knows no more than the address.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge import __version__
from signal_bridge.web.edge.context import bridge, description
from signal_bridge.web.edge.problems import no_route
from signal_bridge.web.routes.health import SANDBOX

_HOME_KINDS: Final = ("text/html", "application/json", "text/plain")
_NAME: Final = "Signal Bridge"
# Relative, so that they work behind a proxy's prefix.
_PLACES: Final = {
    "documentation": "docs",
    "openapi": "openapi.json",
    "about": "v1/about",
    "ready": "readyz",
    "alive": "livez",
    "link_a_phone": "v1/qrcodelink?device_name=bridge",
}
_FILES: Final = Path(__file__).parent.parent / "description" / "static"
_ASSETS: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "start.js")
# Nothing from elsewhere; Swagger UI sets styles, and draws its icons from data: URLs.
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)


def home() -> ResponseReturnValue:
    """Where things are: a page for people, JSON where `Accept` says so, and text for the rest."""
    if "Accept" not in request.headers:
        return no_route()  # as with the peer: no person asks like this
    places = {**_PLACES, **_sandbox()}
    named = [kind for kind, _quality in request.accept_mimetypes if kind in _HOME_KINDS]
    kind = named[0] if named else "text/plain"
    if kind == "application/json":
        return jsonify(name=_NAME, version=__version__, **places)
    if kind == "text/html":
        return _home_page(places)
    lines = (f"{name:14} {place}" for name, place in places.items())
    text = "\n".join((f"{_NAME} {__version__}", "", *lines, ""))
    return Response(text, content_type="text/plain; charset=utf-8")


def openapi() -> ResponseReturnValue:
    """This description of the REST surface, OpenAPI 3.1."""
    return _json(description().openapi())


def docs() -> ResponseReturnValue:
    """A page to read the description and to try each route. It needs no other host."""
    return _page("openapi.json", "docs/")


def viewer_file(name: str) -> ResponseReturnValue:
    """A file of the page."""
    return _asset(name) if name in _ASSETS else _not_found()


def swagger(name: str) -> ResponseReturnValue:
    """The same under the peer's paths: `index.html`, `doc.json` (Swagger 2.0) and their files."""
    if name == "index.html":
        return _page("doc.json", "")
    if name == "doc.json":
        return _json(description().swagger())
    return viewer_file(name)


def _sandbox() -> dict[str, str]:
    return {"sandbox": SANDBOX} if bridge().settings.is_sandbox else {}


def _home_page(places: Mapping[str, str]) -> Response:
    """Without anything from elsewhere; what is no address stands as text."""
    rows = "".join(f"<dt>{name}<dd>{_linked(place)}" for name, place in places.items())
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_NAME}</title>"
        f"<h1>{_NAME} {__version__}</h1><dl>{rows}</dl>"
    )
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


def _linked(place: str) -> str:
    return place if " " in place else f'<a href="{place}">{place}</a>'


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json; charset=utf-8")


def _page(document: str, files: str) -> Response:
    """The page. Its addresses are relative, so that it works behind a proxy's prefix."""
    text = (_FILES / "index.html").read_text()
    text = text.replace("{document}", document).replace("{files}", files)
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _asset(name: str) -> Response:
    kind = mimetypes.guess_type(name)[0]
    response = Response((_FILES / name).read_bytes(), content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = "max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _not_found() -> Response:
    return Response("Not Found", 404, content_type="text/plain; charset=utf-8")
