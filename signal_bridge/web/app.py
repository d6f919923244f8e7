"""The Flask application: routes, errors, and what surrounds every request."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import orjson
from flask import Blueprint, Flask, Response, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.routing import BaseConverter

from signal_bridge.delivery.webhooks.webhook import HOP_HEADER
from signal_bridge.errors import WebhookLoop
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.description.served import Description
from signal_bridge.web.edge import problems
from signal_bridge.web.edge.boundedrequest import BoundedRequest
from signal_bridge.web.edge.werkzeug_parts import PathMap
from signal_bridge.web.route import Route
from signal_bridge.web.surface import surface

log = logging.getLogger(__name__)

# The peer's Swagger calls itself so.
_PEER_SWAGGER_VERSION: Final = "1.0"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class MaybeEmptyConverter(BaseConverter):
    """A path segment that may be empty, as the peer's may be (rest-surface.rst 1.1)."""

    regex = "[^/]*"
    part_isolating = False


class _JsonProvider(DefaultJSONProvider):
    """Compact, in the order written, and without a closing line feed (rest-surface.rst 1.5)."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(args[0] if args else kwargs)
        return Response(body, content_type="application/json; charset=utf-8")


class _App(Flask):
    request_class = BoundedRequest
    url_map_class = PathMap


def create_app(the_bridge: Bridge) -> Flask:
    """The application over `the_bridge`. Opens nothing and starts nothing."""
    app = _App(__name__, static_folder=None)
    app.json = _JsonProvider(app)
    app.extensions["bridge"] = the_bridge
    app.config["MAX_CONTENT_LENGTH"] = the_bridge.settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = the_bridge.settings.max_body_bytes
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.converters["maybe"] = MaybeEmptyConverter
    app.before_request(_begin)
    app.after_request(_finish)
    if the_bridge.settings.is_sandbox:
        app.after_request(_say_sandbox)
    problems.install(app)
    routes = surface(the_bridge.settings.mode)
    app.extensions["description"] = Description(
        routes, the_bridge.settings.build_version or _PEER_SWAGGER_VERSION
    )
    for blueprint in _blueprints(routes):
        app.register_blueprint(blueprint)
    return app


def _blueprints(routes: Sequence[Route]) -> Iterator[Blueprint]:
    """One for each resource: what is true of all its routes has a place there."""
    by_resource = sorted(routes, key=attrgetter("resource"))
    for resource, own in groupby(by_resource, key=attrgetter("resource")):
        blueprint = Blueprint(resource, __name__)
        for route in own:
            blueprint.add_url_rule(
                route.path,
                endpoint=route.view.__name__,
                view_func=route.view,
                methods=[route.method],
                provide_automatic_options=False,
            )
        yield blueprint


def _begin() -> Response | None:
    g.began = time.monotonic()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    if HOP_HEADER in request.headers:
        raise WebhookLoop("This request comes from a webhook of a Signal Bridge; there it ends")
    return _methods() if request.method == "OPTIONS" else None


def _methods() -> Response | None:
    """The methods of the path, if it is one. No other site is permitted anything: no CORS.

    signal-cli's own dialect answers 405, as signal-cli does.
    """
    methods = problems.allowed_methods()
    if not methods or request.path.startswith(problems.RAW_ROOT):
        return None
    return Response(status=204, headers={"Allow": methods})


def _finish(response: Response) -> Response:
    """After every request, also one that failed. A process that dies before is swept up after."""
    if "spool" in g:
        g.spool.remove()
    response.headers["X-Request-ID"] = g.request_id
    if not response.is_streamed and not response.get_data():
        response.headers.pop("Content-Type", None)
    _log_request(response)
    return response


def _say_sandbox(response: Response) -> Response:
    response.headers["X-Signal-Bridge-Sandbox"] = "true"
    return response


def _log_request(response: Response) -> None:
    """The route, never the path: a path may hold a number, a token or a code.

    Of a request that failed, why as well.
    """
    rule = request.url_rule.rule if request.url_rule is not None else "(no route)"
    quiet = rule in ("/livez", "/readyz", "/v1/health")
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "%s %s %s %d %.0f ms%s",
        g.request_id,
        request.method,
        rule,
        response.status_code,
        (time.monotonic() - g.began) * 1000,
        f" {_failure(response.status_code)}" if response.status_code >= 400 else "",
    )


def _failure(status: int) -> str:
    """Why the request failed: by its error, or else what its status is called."""
    return str(g.get("failure") or HTTPStatus(status).phrase.lower().replace(" ", "_"))
