"""The OpenAPI 3.1 document of a table of routes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import getdoc, getmodule
from typing import Any, Final

from apispec import APISpec

from signal_bridge import __version__
from signal_bridge.web.description.contents import Contents
from signal_bridge.web.description.failures import responses, statuses
from signal_bridge.web.description.notices import webhooks
from signal_bridge.web.route import Body, Operation, Outcome, Query, Route
from signal_bridge.web.schemas.examples import (
    ANN,
    ATTACHMENT,
    BOB,
    GROUP,
    LINK_ID,
    UUID,
    WEBHOOK_ID,
)

TITLE: Final = "Signal Bridge"
_ABOUT: Final = """\
Gives programs a Signal account. A drop-in replacement for signal-cli-rest-api.

* A `number` is the account: its phone number, `+` and all.
* A recipient is a phone number, a UUID, a username (`u:name.01`) or a group's id (`group.…`).
* In a JSON body `null` is the same as leaving the key out; unknown keys are ignored.
* Every failure is a `Problem`: `retryable` says whether the same request may succeed later,
  and `outcome` whether signal-cli may have carried it out already.
* Each answer has an `X-Request-ID`, the one of the request if it had one; the log has it too.
"""
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
# "(rest-surface.rst C17)", "(signal-cli.rst 0.9)" are for those who read the code.
_REFERENCE: Final = re.compile(r"\s+\((?:rest-surface|signal-cli)\.rst\s[^()]*\)")
_PARAMETERS: Final = {
    "number": ("the account", ANN),
    "group_id": ("the group's id; signal-cli's own works as well", GROUP),
    "uuid": ("the UUID, number or username of a person", UUID),
    "number_to_trust": ("the number, UUID or username of a person", BOB),
    "token": ("the code that arrived by SMS or call", "123-456"),
    "device_id": ("the device's number, as listed", "2"),
    "link_id": ("the link's id", LINK_ID),
    "webhook_id": ("the webhook's id", WEBHOOK_ID),
    "consumer": ("the consumer's name", "archive"),
    "attachment": ("the file's name, as listed", ATTACHMENT),
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document as plain JSON. A route without an operation is not in it."""
    return _Writer().write(routes)


def path_of(rule: str) -> str:
    """The path of a route as OpenAPI writes it: `<maybe:number>` is `{number}`."""
    return _PARAMETER.sub(r"{\1}", rule)


class _Writer:
    """One document in the making."""

    def __init__(self) -> None:
        self._contents = Contents()
        self._spec = APISpec(
            TITLE,
            __version__,
            "3.1.0",
            plugins=[self._contents],
            info={"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
            servers=[{"url": "./", "description": "where this document comes from"}],
        )

    def write(self, routes: Iterable[Route]) -> dict[str, Any]:
        for status, response in responses(self._contents).items():
            self._spec.components.response(str(status), response)
        described = [route for route in routes if route.operation is not None]
        for tag, description in _tags(described).items():
            self._spec.tag({"name": tag, "description": description})
        for route in described:
            self._add(route)
        self._spec.options["webhooks"] = webhooks(self._contents)
        return self._spec.to_dict()

    def _add(self, route: Route) -> None:
        operation = route.operation or Operation()
        path = path_of(route.path)
        summary, description = _summary_and_description(route)
        described: dict[str, Any] = {
            "tags": [_tag_of(route)],
            "operationId": _operation_id(route),
            "summary": summary,
            "description": description,
            "parameters": [*map(_path_parameter, _PARAMETER.findall(route.path))],
            "responses": self._responses(path, operation),
        }
        described["parameters"] += map(_query_parameter, operation.query)
        if operation.body is not None:
            described["requestBody"] = _request_body(operation.body)
        if operation.beyond_peer:
            described["x-beyond-peer"] = True
        self._spec.path(path, operations={route.method.lower(): described})

    def _responses(self, path: str, operation: Operation) -> dict[str, Any]:
        done = self._response(Outcome("Done.", operation.answer))
        if operation.content:
            done.setdefault("content", {}).update(operation.content)
        own = {status: self._response(one) for status, one in operation.outcomes.items()}
        failures = {status: _failure(status) for status in statuses(path, operation)}
        further = sorted({**own, **failures}.items())
        return {str(status): one for status, one in ((operation.status, done), *further)}

    def _response(self, outcome: Outcome) -> dict[str, Any]:
        found: dict[str, Any] = {"description": outcome.description}
        if outcome.answer is not None:
            found["content"] = self._contents.json(outcome.answer)
        return found


def _failure(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{status}"}


def _tag_of(route: Route) -> str:
    return route.resource.replace("_", " ")


def _tags(routes: Iterable[Route]) -> dict[str, str]:
    """Each resource and what it is about: the first line of its module of views."""
    modules = {_tag_of(route): getmodule(route.view) for route in routes}
    return {tag: _text_of(module).partition("\n")[0] for tag, module in modules.items()}


def _text_of(described: Any) -> str:
    """A docstring, without what it says to those who read the code."""
    return _REFERENCE.sub("", getdoc(described) or "")


def _summary_and_description(route: Route) -> tuple[str, str]:
    """The view's docstring: its first line, as plain text, and the rest, as Markdown."""
    text = _text_of(route.view)
    summary, _, description = text.partition("\n")
    return summary.replace("`", ""), description.strip()


def _operation_id(route: Route) -> str:
    """`get_v1_groups_number`: what code that is made from the document calls its functions."""
    return "_".join((route.method.lower(), *re.findall(r"\w+", path_of(route.path))))


def _path_parameter(name: str) -> dict[str, Any]:
    description, example = _PARAMETERS[name]
    return {
        "in": "path",
        "name": name,
        "required": True,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def _query_parameter(query: Query) -> dict[str, Any]:
    return {
        "in": "query",
        "name": query.name,
        "required": query.required,
        "description": query.description,
        "schema": dict(query.schema),
    }


def _request_body(body: Body) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": body.schema, "example": body.example}}
    if body.form is not None:
        content["multipart/form-data"] = {"schema": dict(body.form)}
    return {"required": body.required, "content": content}
