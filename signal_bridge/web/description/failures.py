"""How requests fail: an answer for each status that the problems table can give."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.web.description.contents import Contents, example_of
from signal_bridge.web.route import Needs, Operation
from signal_bridge.web.schemas.problems import ProblemSchema

DESCRIPTIONS: Final = {
    400: "The request is at fault, or signal-cli refused it. `error` says why.",
    404: "What the request names does not exist. As text: there is no such route.",
    408: "The body did not come to its end. Nothing was done.",
    413: "The body, or a file in it, is larger than allowed.",
    415: "The body is compressed, or its charset is not known.",
    429: "One client has all that one client may have. See Retry-After.",
    500: "A defect of the bridge. The log has it under `request_id`.",
    501: "The signal-cli that runs is too old for it, or runs for a single account.",
    502: "signal-cli gave no usable answer. `outcome` says whether it may have been carried out.",
    503: "Not now: signal-cli, the database or a place for a stream is missing. See Retry-After.",
    504: "signal-cli did not answer in time. `outcome` says whether it may have been carried out.",
    507: "No room is left on the disk.",
    508: "The request comes from a webhook, or asks for one: the bridge would call itself.",
}

# code, retryable, and an outcome where there is one
_EXAMPLES: Final[dict[int, dict[str, Any]]] = {
    400: {"detail": "Line 1, column 26: a value belongs here, not }"},
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
    415: {
        "error": "The body is compressed (gzip); send it as it is, without Content-Encoding",
        "code": "unreadable_body",
    },
    429: {
        "error": "This client has 32 streams and requests that wait, as many as one may have",
        "code": "too_many_requests",
        "retryable": True,
    },
    500: {
        "error": "Something unexpected went wrong; the log has it under 4f2a9c0d1e5b6a77",
        "code": "internal_error",
    },
    501: {
        "error": "signal-cli 0.13.19 does not have sendStory;"
        " that needs signal-cli 0.14.6 or newer",
        "code": "not_supported",
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
    508: {
        "error": "This request comes from a webhook of a Signal Bridge; there it ends",
        "code": "webhook_loop",
    },
}
_BY_NEED: Final = {
    Needs.SIGNAL_CLI: (400, 501, 502, 503, 504),
    Needs.STORE: (503, 507),
    Needs.ROOM: (503, 507),
    Needs.PLACE: (429, 503),
}


def responses(contents: Contents) -> dict[int, dict[str, Any]]:
    """An answer for each status."""
    return {status: _response(status, contents) for status in DESCRIPTIONS}


def statuses(path: str, operation: Operation) -> set[int]:
    """How that operation can fail, where it does not say how itself."""
    found = {500, 508, *operation.failures}
    if "{" in path:
        found |= {400, 404}
    if operation.query:
        found.add(400)
    if operation.body is not None:
        found |= {400, 408, 413, 415, 429, 503, 507}  # a long body goes to the disk
    for need, brought in _BY_NEED.items():
        if need in operation.needs:
            found.update(brought)
    return found - operation.outcomes.keys()


def _response(status: int, contents: Contents) -> dict[str, Any]:
    example = {**_without_rarities(example_of(ProblemSchema)), **_EXAMPLES.get(status, {})}
    content = contents.json(ProblemSchema, example)
    if status == 404:
        content["text/plain"] = {"schema": {"type": "string"}, "example": "404 page not found"}
    return {"description": DESCRIPTIONS[status], "content": content}


def _without_rarities(example: dict[str, Any]) -> dict[str, Any]:
    """Without what only some failures have."""
    return {key: value for key, value in example.items() if key not in ("outcome", "errors")}
