"""The document says what there is: every route, every body, every way to fail, and no more."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR, SWAGGER_20_VALIDATOR

from signal_bridge.web import operations, schemas
from signal_bridge.web.description.document import document, path_of
from signal_bridge.web.description.failures import DESCRIPTIONS
from signal_bridge.web.description.swagger2 import swagger_document
from signal_bridge.web.edge import problems
from signal_bridge.web.schemas.base import BodySchema
from signal_bridge.web.surface import RAW_DIALECT, SURFACE
from tests.contract.vectors import read_vectors

ROUTES = (*SURFACE, *RAW_DIALECT)
NOT_DESCRIBED = {"/docs/<name>", "/swagger/<maybe:name>"}  # the viewer's own files
DOCUMENT = document(ROUTES)
PEERS = swagger_document(DOCUMENT, "1.0")
ENTRIES = [
    pytest.param(entry, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, entry in methods.items()
]


def test_it_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


def test_the_peers_is_valid() -> None:
    assert [str(error) for error in SWAGGER_20_VALIDATOR.iter_errors(PEERS)] == []


def parts_of(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a document, with where it is."""
    if isinstance(value, dict):
        yield place, value
        for key, inner in value.items():
            yield from parts_of(inner, f"{place}/{key}")
    if isinstance(value, list):
        for at, inner in enumerate(value):
            yield from parts_of(inner, f"{place}/{at}")


def test_nothing_stands_beside_a_reference_of_the_peers_where_tools_pass_over_it() -> None:
    """signal-cli-rest-api #607: tools that make clients complained of the document."""
    found = {place for place, part in parts_of(PEERS) if "$ref" in part and len(part) > 1}
    assert found == set()


def test_no_default_of_the_peers_is_null_where_its_type_is_another() -> None:
    found = {place for place, part in parts_of(PEERS) if part.get("default", "") is None}
    assert found == set()


def test_every_route_is_in_it_and_nothing_else() -> None:
    wanted = {
        (route.method, path_of(route.path)) for route in ROUTES if route.path not in NOT_DESCRIBED
    }
    found = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert found == wanted


def test_the_peers_has_every_route_that_was_recorded() -> None:
    def known(method: str, path: str) -> bool:
        parts = path.split("/")
        return any(
            method.lower() in methods
            and len(parts) == len(pattern := one.split("/"))
            and all(a == b or b[:1] == "{" for a, b in zip(parts, pattern, strict=True))
            for one, methods in PEERS["paths"].items()
        )

    answered = [one for one in read_vectors() if one.status < 300 and one.route[:4] != "/swa"]
    assert [(one.method, one.route) for one in answered if not known(one.method, one.route)] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_view_says_what_it_does(route: Any) -> None:
    summary = (route.view.__doc__ or "").partition("\n")[0]
    assert summary
    assert summary.endswith(".")


def test_every_body_is_in_it() -> None:
    operations = [route.operation for route in ROUTES if route.operation is not None]
    used = {id(one.body.schema) for one in operations if one.body is not None}
    known = {
        f"{name}.{key}": value
        for _, name, _ in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}.")
        for key, value in vars(importlib.import_module(name)).items()
        if isinstance(value, BodySchema)
    }
    assert [name for name, schema in known.items() if id(schema) not in used] == []


def test_every_status_of_an_error_is_described() -> None:
    assert {status for _, status in problems.STATUSES} <= set(DESCRIPTIONS)
    described = {status for entry in ENTRIES for status in entry.values[0]["responses"]}
    assert {str(status) for _, status in problems.STATUSES} <= described


def test_operations_have_ids_of_their_own() -> None:
    ids = [entry.values[0]["operationId"] for entry in ENTRIES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("entry", ENTRIES)
def test_examples_are_what_their_schemas_say(entry: dict[str, Any]) -> None:
    contents = [entry.get("requestBody", {}), *entry["responses"].values()]
    for media in (one for content in contents for one in content.get("content", {}).values()):
        if "example" in media:
            schema = {**media["schema"], "components": DOCUMENT["components"]}
            jsonschema_rs.validate(schema, media["example"])


def test_the_examples_of_failures_are_problems() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        media = response["content"]["application/json"]
        schema = {**media["schema"], "components": DOCUMENT["components"]}
        jsonschema_rs.validate(schema, media["example"])


def test_every_operation_stands_where_its_view_does() -> None:
    for route in ROUTES:
        if route.operation is not None:
            described = getattr(operations, route.resource)
            assert getattr(described, route.view.__name__.upper()) is route.operation, route.path


def test_every_tag_is_a_resource_and_says_what_it_is_about() -> None:
    used = {tag for entry in ENTRIES for tag in entry.values[0]["tags"]}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])


def test_no_reference_for_those_who_read_the_code_is_shown() -> None:
    for entry in (entry.values[0] for entry in ENTRIES):
        assert ".rst" not in entry["summary"] + entry["description"]
    assert not any("contract" in tag["description"] for tag in DOCUMENT["tags"])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            "/v2/send",
            "number recipients[] recipient message attachment base64_attachments[] view_once"
            " voice_note no_urgent story_timestamp story_author text_styles[] mentions",
        ),
        ("/v1/stories/{number}", "attachment base64_attachment group_id allow_replies"),
    ],
)
def test_a_form_has_the_fields_of_the_json_and_the_files(path: str, fields: str) -> None:
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
    properties = content["multipart/form-data"]["schema"]["properties"]
    assert set(fields.split()) <= properties.keys()
    body = DOCUMENT["components"]["schemas"][content["application/json"]["schema"]["$ref"][21:]]
    assert {name.removesuffix("[]") for name in properties} == {*body["properties"], "attachment"}
