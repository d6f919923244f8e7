"""Answers as the description has them: a JSON schema and an example, both made from their fields.

`web/schemas` holds the fields; apispec makes JSON schemas of them.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Any, Final, cast

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from signal_bridge.web.schemas.answers import Answer, Either
from signal_bridge.web.schemas.base import Flag, LongText, Text, Whole

_TYPES: Final[dict[type, tuple[str | None, str | None]]] = {
    Text: ("string", None),
    LongText: ("string", None),
    Whole: ("integer", "int64"),
    Flag: ("boolean", None),
}
_NONE: Final = object()


class _Converter(OpenAPIConverter):
    """Knows our own fields, too, and says of each schema what its docstring says first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.field_mapping = {**self.field_mapping, **_TYPES}

    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        """The JSON schema of one field."""
        if isinstance(field, Either):
            return {"anyOf": [self.field2property(choice) for choice in field.choices]}
        found: dict[str, Any] = super().field2property(field)
        return found

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """The JSON schema of an object."""
        summary = (getdoc(type(schema)) or "").partition("\n")[0]
        found: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        return {**found, "description": summary}


class Contents(MarshmallowPlugin):
    """Makes the contents of answers; the schemas it meets become components of the document."""

    Converter = _Converter

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=name_of)

    def json(self, answer: Answer, example: Any = None) -> dict[str, Any]:
        """JSON like `answer`, with an `example` unless its fields have a good one."""
        converter = cast(_Converter, self.converter)  # there since the document was begun
        if isinstance(answer, fields.Field):
            schema = converter.field2property(answer)
        else:
            schema = converter.resolve_nested_schema(answer)  # type: ignore[no-untyped-call]
        shown = example_of(answer) if example is None else example
        return {"application/json": {"schema": schema, "example": shown}}


def name_of(schema: Schema | type[Schema]) -> str:
    """What a schema is called in the document: `SentSchema` is `Sent`, `SendBody` is as it is."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def example_of(answer: Answer) -> Any:
    """The example of an answer, made of those of its fields."""
    return _example(answer if isinstance(answer, fields.Field) else fields.Nested(answer))


def _example(field: fields.Field[Any]) -> Any:
    """_NONE for a field without any."""
    if "example" in field.metadata:
        return field.metadata["example"]
    if isinstance(field, Either):
        return _example(field.choices[0])
    if isinstance(field, fields.List):
        item = _example(field.inner)
        return _NONE if item is _NONE else [item]
    return _of_object(field.schema) if isinstance(field, fields.Nested) else _NONE


def _of_object(schema: Schema) -> dict[str, Any]:
    examples = {field.data_key or name: _example(field) for name, field in schema.fields.items()}
    return {name: example for name, example in examples.items() if example is not _NONE}
