"""Whether an answer of the bridge is what its description says, key by key.

Every answer that a test sees through `Bridge` goes through here. A client has to live with keys
that a later release adds, so the description that is served forbids none; here a key that is not
named in it is a mistake, as is one that is missing or has another type. Objects that are described
as free, like signal-cli's envelopes, may have any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import orjson
import requests

JSON = "application/json"


def check_response(response: requests.Response) -> None:
    """`check_answer` of what was answered at last, unless it is a stream."""
    request = response.request
    kind = response.headers.get("Content-Type")
    if is_json(kind):
        path = urlsplit(response.url).path
        check_answer(str(request.method), path, response.status_code, response.content)


def is_json(content_type: str | None) -> bool:
    return (content_type or "").startswith(JSON)


def check_answer(method: str, path: str, status: int, body: bytes) -> None:
    """Raises AssertionError unless the JSON of the answer is as described for that route.

    A path that is not described has nothing to be compared with.
    """
    route = _route_of(method.lower(), unquote(path))
    if route is None:
        return
    what = f"{method} {route} {status}"
    validator = validator_of(method.lower(), route, status)
    assert validator is not None, f"no JSON is described for {what}: {body[:500]!r}"
    assert (error := error_in(validator, orjson.loads(body))) is None, f"{what}: {error}"


def error_in(validator: Any, value: Any) -> str | None:
    """What is wrong with the value, and where; None when nothing is."""
    error = next(validator.iter_errors(value), None)
    return None if error is None else f"{error.message} at {error.instance_path} of {value!r:.500}"


@cache
def validator_of(method: str, path: str, status: int) -> Any:
    """What checks the JSON of these answers, strictly. None if there is none by the description."""
    response = strict_document()["paths"][path][method]["responses"].get(str(status), {})
    if "$ref" in response:
        response = strict_document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media = response.get("content", {}).get(JSON)
    return None if media is None else strict_validator(media["schema"])


def strict_validator(schema: Mapping[str, Any]) -> Any:
    """What checks values by a schema of the strict document."""
    components = {"schemas": strict_document()["components"]["schemas"]}
    return jsonschema_rs.Draft202012Validator({**schema, "components": components})


@cache
def strict_document() -> dict[str, Any]:
    """The description, in which no object has keys that are not named."""
    # the web's rooms: much to load, and not every test asks a bridge for JSON
    from signal_bridge.web.description.document import document
    from signal_bridge.web.surface import RAW_DIALECT, SURFACE

    strict: dict[str, Any] = _strict(document((*SURFACE, *RAW_DIALECT)))
    return strict


def _strict(value: Any) -> Any:
    if isinstance(value, list):
        return [_strict(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _strict(item) for key, item in value.items()}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


@cache
def _route_of(method: str, path: str) -> str | None:
    return next((route for rule, route in _rules(method) if rule.fullmatch(path)), None)


@cache
def _rules(method: str) -> list[tuple[re.Pattern[str], str]]:
    """The described paths; those that say a segment come before those that leave it open."""
    paths = [path for path, methods in strict_document()["paths"].items() if method in methods]
    paths.sort(key=lambda path: path.replace("{", "\x7f"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]*", re.escape(path))), path) for path in paths]
