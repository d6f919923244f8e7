"""How requests fail: an answer for each status that the problems table can give."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.web.description.answers import PROBLEM, RATE_LIMIT
from signal_bridge.web.description.shapes import Named, example_of, schema_of
from signal_bridge.web.route import Needs, Operation

DESCRIPTIONS: Final = {
    400: "The request is at fault, or signal-cli refused it. `error` says why.",
    404: "What the request names does not exist. As text: there is no such route.",
    408: "The body did not come to its end. Nothing was done.",
    413: "The body, or a file in it, is larger than allowed.",
    429: "Signal wants a pause, or a captcha for one of the `challenge_tokens`.",
    500: "A defect of the bridge. The log has it under `request_id`.",
    502: "signal-cli gave no usable answer. `outcome` says whether it may have been carried out.",
    503: "Not now: signal-cli, the database or a place for a stream is missing. See Retry-After.",
    504: "signal-cli did not answer in time. `outcome` says whether it may have been carried out.",
    507: "No room is left on the disk.",
}

# code, retryable, and an outcome where there is one
_EXAMPLES: Final[dict[int, dict[str, Any]]] = {
    404: {"error": "No group with that id found", "code": "not_found"},
    408: {
        "error": "The request's body ended before it was complete",
        "code": "incomplete_request",
        "retryable": True,
    },
    413: {
        "error": "The request is larger than the limit of 157286400 bytes",
        "code": "too_large",
    },
    500: {
        "error": "Something unexpected went wrong; the log has it under 4f2a9c0d1e5b6a77",
        "code": "internal_error",
    },
    502: {
        "error": "The connection to signal-cli was lost",
        "code": "daemon_connection_lost",
        "outcome": "unknown",
    },
    503: {
        "error": "signal-cli is starting",
        "code": "daemon_unavailable",
        "retryable": True,
        "outcome": "not_sent",
    },
    504: {
        "error": "signal-cli did not answer within 120 s",
        "code": "daemon_timeout",
        "outcome": "unknown",
    },
    507: {"error": "No room is left on the disk", "code": "store_full", "retryable": True},
}
_BY_NEED: Final = {
    Needs.SIGNAL_CLI: (400, 502, 503, 504),
    Needs.STORE: (503, 507),
    Needs.ROOM: (503, 507),
    Needs.PLACE: (503,),
}


def responses(named: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """An answer for each status; their schemas are put into `named`."""
    return {status: _response(status, named) for status in DESCRIPTIONS}


def statuses(path: str, operation: Operation) -> set[int]:
    """How that operation can fail."""
    found = {500, *operation.statuses}
    if "{" in path:
        found |= {400, 404}
    if operation.query:
        found.add(400)
    if operation.body is not None:
        found |= {400, 408, 413, 503, 507}  # a long body goes to the disk
    for need, brought in _BY_NEED.items():
        if need in operation.needs:
            found.update(brought)
    return found


def json_content(shape: Any, named: dict[str, Any], example: Any = None) -> dict[str, Any]:
    """JSON of that shape, as the content of an answer."""
    shown = example_of(shape) if example is None else example
    return {"application/json": {"schema": schema_of(shape, named), "example": shown}}


def _response(status: int, named: dict[str, Any]) -> dict[str, Any]:
    shape: Named = RATE_LIMIT if status == 429 else PROBLEM
    example = {**_plain(example_of(shape)), **_EXAMPLES.get(status, {})}
    content = json_content(shape, named, example)
    if status == 404:
        content["text/plain"] = {"schema": {"type": "string"}, "example": "404 page not found"}
    return {"description": DESCRIPTIONS[status], "content": content}


def _plain(example: dict[str, Any]) -> dict[str, Any]:
    """Without what only some failures have."""
    return {key: value for key, value in example.items() if key not in ("outcome", "errors")}
