"""Swagger 2.0 of the routes that the peer has, made from OpenAPI 3.1: for its users' tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_REF: Final = re.compile("^#/components/(schemas|responses)/")
_KINDS: Final = {"schemas": "definitions", "responses": "responses"}
_KEPT: Final = ("tags", "operationId", "summary", "description")


def swagger_document(source: Mapping[str, Any], version: str) -> dict[str, Any]:
    """`source`, the OpenAPI document, as Swagger 2.0 that calls itself `version`.

    Without `host`: it is about the host it was fetched from.
    """
    paths = {path: _path(operations) for path, operations in source["paths"].items()}
    components = source["components"]
    return {
        "swagger": "2.0",
        "info": {
            **{key: source["info"][key] for key in ("title", "description")},
            "version": version,
        },
        "basePath": "/",
        "paths": {path: operations for path, operations in paths.items() if operations},
        "definitions": {name: _schema(one) for name, one in components["schemas"].items()},
        "responses": {name: _response(one) for name, one in components["responses"].items()},
    }


def _path(operations: dict[str, Any]) -> dict[str, Any]:
    return {
        method: _operation(operation)
        for method, operation in operations.items()
        if "x-beyond-peer" not in operation
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [_parameter(one) for one in operation["parameters"]]
    if "requestBody" in operation:
        parameters.append(_body(operation["requestBody"]))
    return {
        **{key: operation[key] for key in _KEPT},
        "consumes": ["application/json"],
        "produces": _media_types(operation["responses"]),
        "parameters": parameters,
        "responses": {status: _response(one) for status, one in operation["responses"].items()},
    }


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    """The schema's keys stand beside the name; an array is a parameter that is repeated."""
    kept = {key: parameter[key] for key in ("in", "name", "required", "description")}
    many = {"collectionFormat": "multi"} if parameter["schema"]["type"] == "array" else {}
    return {**kept, **_schema(parameter["schema"]), **many}


def _body(body: dict[str, Any]) -> dict[str, Any]:
    media = body["content"]["application/json"]
    schema = _schema(media["schema"])
    return {"in": "body", "name": "data", "required": body["required"], "schema": schema}


def _response(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in response:
        return {"$ref": _swagger_ref(response["$ref"])}
    found: dict[str, Any] = {"description": response["description"]}
    for kind, media in response.get("content", {}).items():
        found.setdefault("schema", _schema(media["schema"]))
        if "example" in media:
            found.setdefault("examples", {})[kind] = media["example"]
    return found


def _media_types(responses: dict[str, Any]) -> list[str]:
    kinds = {kind for one in responses.values() for kind in one.get("content", {})}
    return sorted(kinds | {"application/json"})


def _schema(schema: Any) -> Any:
    """What JSON schema of 2020 can say and that of Swagger 2.0 cannot is said in its way."""
    if isinstance(schema, list):
        return [_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return _schema(schema[either][0])
    found = {key: _schema(value) for key, value in schema.items()}
    if "default" in found and found["default"] is None:  # null is of no type there
        del found["default"]
    if isinstance(ref := found.pop("$ref", None), str):
        return _referring(ref, found)
    if isinstance(types := found.get("type"), list):
        found["type"] = next(one for one in types if one != "null")
        found["x-nullable"] = True
    return found


def _referring(ref: str, beside: dict[str, Any]) -> dict[str, Any]:
    """A reference may have nothing beside it there: what there is goes around it."""
    reference = {"$ref": _swagger_ref(ref)}
    return {"allOf": [reference], **beside} if beside else reference


def _swagger_ref(ref: str) -> str:
    return _REF.sub(lambda match: f"#/{_KINDS[match[1]]}/", ref)
