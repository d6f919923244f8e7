"""The surface described: OpenAPI, a viewer, both as the peer has them (rest-surface.rst 5.12)."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue

from signal_bridge.web.edge.context import description

_FILES: Final = Path(__file__).parent.parent / "description" / "static"
_ASSETS: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "start.js")
# Nothing from elsewhere; Swagger UI sets styles, and draws its icons from data: URLs.
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)


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
