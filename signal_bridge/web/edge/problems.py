"""Errors as answers: the one place where an error gets a status and a body.

    {"error": text, "code": word, "retryable": bool, "request_id": id}

and, when signal-cli could not be asked to the end, `"outcome"`: "unknown" (it may have been
carried out) or "not_sent" (it was not). What is wrong with a request is told further in `"detail"`
and, by field, in `"fields"`: `error` is the peer's text, to the letter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import Flask, Response, current_app, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.wrappers import Response as AnyResponse

from signal_bridge import errors
from signal_bridge.signalcli.refusals import challenge_tokens, retry_after_seconds
from signal_bridge.web.edge.context import moved

log = logging.getLogger(__name__)

# The first row whose class fits decides, so the narrow ones come first.
STATUSES: Final[tuple[tuple[type[errors.BridgeError], int], ...]] = (
    (errors.NotFound, 404),
    (errors.BodyTooLarge, 413),
    (errors.TooManyParts, 413),
    (errors.TooMuchJson, 413),
    (errors.CallTooLarge, 413),
    (errors.UnreadableBody, 415),
    (errors.ClientGone, 408),
    (errors.WebhookLoop, 508),
    (errors.RequestError, 400),
    (errors.BusyForClient, 429),
    (errors.Busy, 503),
    (errors.DaemonUnavailable, 503),
    (errors.CallTimedOut, 504),
    (errors.DaemonError, 502),
    (errors.NotSupported, 501),
    # signal-cli's other refusals are 400 whatever they say; /v2/send has its own 429
    # (rest-surface.rst 2.4).
    (errors.Refused, 400),
    (errors.StoreFull, 507),
    (errors.StoreError, 503),
    (errors.BridgeError, 500),
)

RAW_ROOT: Final = "/api/v1/"
"""Below it signal-cli's own dialect is spoken."""

_NO_ROUTE: Final = "404 page not found"
# A sentence may quote what was sent, by us or by signal-cli; it is not to send all of it back.
_MOST_CHARACTERS: Final = 2000


class StatusOverride(Exception):
    """An error that one route answers with a status of its own (rest-surface.rst C17)."""

    def __init__(self, error: errors.BridgeError, status: int, prefix: str) -> None:
        super().__init__(f"{prefix}{error}")
        self.error = error
        self.status = status


@contextmanager
def refused_as(status: int, prefix: str = "") -> Iterator[None]:
    """Within the block signal-cli's refusals are answered with `status` and a `prefix`."""
    try:
        yield
    except errors.Refused as error:
        raise StatusOverride(error, status, prefix) from error


def status_of(error: errors.BridgeError) -> int:
    """Its status: that of the first row of STATUSES it fits."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem(
    error: errors.BridgeError, status: int | None = None, text: str | None = None, **more: Any
) -> Response:
    """The answer for `error`. `more` is added to the body; `text` and `status` replace its own."""
    _log_unforeseen(error)
    note(error.code, _detail(error).get("detail"))
    body = {
        "error": shortened(str(error) if text is None else text),
        **_detail(error),
        **more,
        "code": error.code,
        "retryable": error.retryable,
        "request_id": g.request_id,
        **_outcome(error),
        **_captcha_url(error),
    }
    response = make_response(jsonify(body), status or status_of(error))
    retry_after = _retry_after_seconds(error)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def shortened(sentence: str) -> str:
    """No more than the first 2,000 characters of a sentence that may quote what was sent."""
    return sentence if len(sentence) <= _MOST_CHARACTERS else f"{sentence[:_MOST_CHARACTERS]}…"


def note(code: str, detail: str | None = None) -> None:
    """Have the line of the log that is about this request say why it failed.

    `detail` is a sentence without anything that was sent.
    """
    g.failure = f"{code}: {detail}" if detail else code


def install(app: Flask) -> None:
    """Every way a request can fail ends in one of these."""
    app.register_error_handler(errors.BridgeError, _bridge_error)
    app.register_error_handler(StatusOverride, _override)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _surprise)


def _bridge_error(error: errors.BridgeError) -> Response:
    quiet = isinstance(error, errors.AccountNotLoaded)  # the daemon process has logged it, once
    if isinstance(error, (errors.DaemonError, errors.StoreError)) and not quiet:
        log.warning("%s %s: %s", g.request_id, error.code, error)
    return problem(error)


def _log_unforeseen(error: errors.BridgeError) -> None:
    """What the caller's sentence leaves out; signal-cli's own log has the trace."""
    if isinstance(error, errors.Refused) and error.java_classes:
        classes = ", ".join(error.java_classes)
        log.warning("%s signal-cli refused with %d: %s", g.request_id, error.rpc_code, classes)


def _override(override: StatusOverride) -> Response:
    return problem(override.error, override.status, text=str(override))


def allowed_methods() -> str:
    """The methods of the path that is asked for, as `Allow` has them; "" for one that is none."""
    adapter = current_app.url_map.bind("", url_scheme="http")
    methods = set(adapter.allowed_methods(request.path))
    return ", ".join(sorted(methods | {"OPTIONS"})) if methods else ""


def no_route() -> AnyResponse:
    """The peer's 404, for a wrong method too, and slash redirects (rest-surface.rst C3, 1.1).

    After a wrong method `Allow` names the right ones all the same.
    """
    path = request.path
    other = path[:-1] if path.endswith("/") else f"{path}/"
    if other and _is_route(other):
        return moved(other, 301 if request.method in ("GET", "HEAD") else 307)
    note("no_route")
    response = make_response(_NO_ROUTE, 404)
    response.headers["Content-Type"] = "text/plain"
    if request.routing_exception is not None and (methods := allowed_methods()):
        response.headers["Allow"] = methods
    return response


def _http_error(error: HTTPException) -> AnyResponse:
    if isinstance(error, MethodNotAllowed) and request.path.startswith(RAW_ROOT):
        note("no_method")
        return make_response("", 405, {"Allow": ", ".join(sorted(error.valid_methods or ()))})
    if isinstance(error, (NoRoute, MethodNotAllowed)):
        return no_route()
    if isinstance(error, RequestEntityTooLarge):
        return problem(errors.BodyTooLarge(request.max_content_length or 0))
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    return problem(errors.RequestError(error.description or error.name), error.code)


def _surprise(error: Exception) -> Response:
    """A defect of ours: the traceback goes to the log, under the id that the caller sees."""
    log.error("%s failed unexpectedly", g.request_id, exc_info=error)
    return problem(
        errors.BridgeError(f"Something unexpected went wrong; the log has it under {g.request_id}")
    )


def _is_route(path: str) -> bool:
    adapter = current_app.url_map.bind("", url_scheme="http")
    return adapter.test(path, method=request.method)


def _detail(error: errors.BridgeError) -> dict[str, Any]:
    if not isinstance(error, errors.RequestError) or not error.detail:
        return {}
    return {"detail": error.detail, **({"fields": error.fields} if error.fields else {})}


def _outcome(error: errors.BridgeError) -> dict[str, str]:
    if not isinstance(error, errors.DaemonError):
        return {}
    return {"outcome": "unknown" if error.request_written else "not_sent"}


def _captcha_url(error: errors.BridgeError) -> dict[str, str]:
    """Where to solve the captcha that is asked for; there are two kinds, and each fits one."""
    if isinstance(error, errors.RateLimited) and challenge_tokens(error):
        return {"captcha_url": error.captcha_url}
    if isinstance(error, errors.CaptchaRequired):
        return {"captcha_url": error.captcha_url}
    return {}


def _retry_after_seconds(error: errors.BridgeError) -> int | None:
    if isinstance(error, (errors.DaemonUnavailable, errors.Busy)):
        return error.retry_after_seconds
    if isinstance(error, errors.Refused):
        return retry_after_seconds(error)
    return 5 if isinstance(error, errors.StoreError) else None
