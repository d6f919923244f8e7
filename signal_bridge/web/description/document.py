"""The OpenAPI 3.1 document, made from the surface."""

from __future__ import annotations

import re
from functools import cache
from inspect import getdoc
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from signal_bridge import __version__
from signal_bridge.web.description.answers import ANN, BOB, GROUP, UUID
from signal_bridge.web.description.failures import json_content, responses, statuses
from signal_bridge.web.description.notices import webhooks
from signal_bridge.web.description.operation import Body, Operation, Query
from signal_bridge.web.description.operations import NOT_DESCRIBED, OPERATIONS
from signal_bridge.web.routes import RAW_DIALECT, SURFACE, Route
from signal_bridge.web.schemas.base import Flag, LongText, Text, Whole

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
_TYPES: Final[dict[type, tuple[str | None, str | None]]] = {
    Text: ("string", None),
    LongText: ("string", None),
    Whole: ("integer", "int64"),
    Flag: ("boolean", None),
}
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
# "(C17)", "(11.2)", "(rest-contract.md 5.1)" are for those who read the code.
_REFERENCE: Final = re.compile(r"\s\((?:C\d+|\d+\.\d+|[\w-]+\.md [\d., ]+)(?:, \d+\.\d+)*\)")
_PARAMETERS: Final = {
    "number": ("the account", ANN),
    "group_id": ("the group's id; signal-cli's own works as well", GROUP),
    "uuid": ("the UUID, number or username of a person", UUID),
    "number_to_trust": ("the number, UUID or username of a person", BOB),
    "token": ("the code that arrived by SMS or call", "123-456"),
    "device_id": ("the device's number, as listed", "2"),
    "link_id": ("the link's id", "lnk_5c1f…"),
    "webhook_id": ("the webhook's id", "whk_5c1f…"),
    "attachment": ("the file's name, as listed", "6QZ2kqX0Jr8.png"),
}


@cache
def document() -> dict[str, Any]:
    """The whole document as plain JSON, made once per process. Not to be changed."""
    return _Document().made()


def described_routes() -> list[Route]:
    """The part of the surface that is for programs."""
    return [route for route in (*SURFACE, *RAW_DIALECT) if route.view not in NOT_DESCRIBED]


def path_of(rule: str) -> str:
    """The path of a route as OpenAPI writes it: `<maybe:number>` is `{number}`."""
    return _PARAMETER.sub(r"{\1}", rule)


class _Fields(OpenAPIConverter):
    """Knows the types and formats of our own fields, too."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.field_mapping = {**self.field_mapping, **_TYPES}


class _Marshmallow(MarshmallowPlugin):
    Converter = _Fields


class _Document:
    """One document in the making."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        marshmallow = _Marshmallow(schema_name_resolver=_schema_name)
        self._spec = APISpec(
            TITLE,
            __version__,
            "3.1.0",
            plugins=[marshmallow],
            info={"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
            servers=[{"url": "./", "description": "where this document comes from"}],
        )

    def made(self) -> dict[str, Any]:
        for status, response in responses(self._named).items():
            self._spec.components.response(str(status), response)
        for route in described_routes():
            self._add(route, OPERATIONS[route.view])
        self._spec.options["webhooks"] = webhooks(self._named)
        for name, schema in sorted(self._named.items()):
            self._spec.components.schema(name, schema)
        return self._spec.to_dict()

    def _add(self, route: Route, operation: Operation) -> None:
        path = path_of(route.path)
        summary, description = _told(route)
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
        successes = {operation.status: operation.answer, **operation.others}
        found = {str(status): self._success(shape) for status, shape in successes.items()}
        if operation.content:
            found[str(operation.status)].setdefault("content", {}).update(operation.content)
        for status in sorted(statuses(path, operation)):
            own = operation.statuses.get(status)
            found[str(status)] = {"description": own} if own else _failure(status)
        return found

    def _success(self, shape: Any) -> dict[str, Any]:
        content = {} if shape is None else {"content": json_content(shape, self._named)}
        return {"description": "Done.", **content}


def _schema_name(schema: type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)  # it is given instances, too
    return kind.__name__.removesuffix("Schema") + "Body"


def _failure(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{status}"}


def _told(route: Route) -> tuple[str, str]:
    """The view's docstring: its first line, as plain text, and the rest, as Markdown."""
    text = _REFERENCE.sub("", getdoc(route.view) or "")
    summary, _, description = text.partition("\n")
    return summary.replace("`", ""), description.strip()


def _tag_of(route: Route) -> str:
    """The resource: the name of the view's module."""
    return route.view.__module__.rpartition(".")[2].replace("_", " ")


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
