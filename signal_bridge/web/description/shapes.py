"""An answer's schema from an example of it, so that both are written once. Pure.

A shape is plain JSON, of which every key is always there and every value has its type; besides:

    "errors?"             a key that may be missing
    Nullable(1)           null or what the example is
    Words("a", "b")       one of these texts; the first is the example
    Free({…})             an object with any keys, the example has some
    Either(a, b)          one of several shapes; the first is the example
    Named("Group", {…})   a schema with a name of its own in the document
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

Schemas = dict[str, Any]

_TYPES: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


@runtime_checkable
class Shape(Protocol):
    """What is more than plain JSON."""

    def example(self) -> Any: ...

    def schema(self, named: Schemas) -> dict[str, Any]: ...


def example_of(shape: Any) -> Any:
    """The example, as plain JSON."""
    if isinstance(shape, Shape):
        return shape.example()
    if isinstance(shape, dict):
        return {key.removesuffix("?"): example_of(value) for key, value in shape.items()}
    return [example_of(item) for item in shape] if isinstance(shape, list) else shape


def schema_of(shape: Any, named: Schemas) -> dict[str, Any]:
    """The JSON schema. Those with names of their own are put into `named`."""
    if isinstance(shape, Shape):
        return shape.schema(named)
    if isinstance(shape, dict):
        return _object(shape, named)
    if isinstance(shape, list):
        return {"type": "array", "items": schema_of(shape[0], named)}
    return {"type": _TYPES[type(shape)]}


@dataclass(frozen=True)
class Nullable:
    """null, or like `shape`, which has one type."""

    shape: Any

    def example(self) -> Any:
        return example_of(self.shape)

    def schema(self, named: Schemas) -> dict[str, Any]:
        schema = schema_of(self.shape, named)
        return {**schema, "type": [schema["type"], "null"]}


@dataclass(frozen=True)
class Free:
    """An object of which only some keys are known."""

    known: dict[str, Any]

    def example(self) -> Any:
        return self.known

    def schema(self, _named: Schemas) -> dict[str, Any]:
        return {"type": "object"}


@dataclass(frozen=True)
class Named:
    """Stands as `name` among the document's schemas."""

    name: str
    shape: Any

    def example(self) -> Any:
        return example_of(self.shape)

    def schema(self, named: Schemas) -> dict[str, Any]:
        named[self.name] = schema_of(self.shape, named)
        return {"$ref": f"#/components/schemas/{self.name}"}


class Words:
    """One of some texts."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def example(self) -> Any:
        return self._words[0]

    def schema(self, _named: Schemas) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._words)}


class Either:
    """Like one of some shapes."""

    def __init__(self, *shapes: Any) -> None:
        self._shapes = shapes

    def example(self) -> Any:
        return example_of(self._shapes[0])

    def schema(self, named: Schemas) -> dict[str, Any]:
        return {"anyOf": [schema_of(shape, named) for shape in self._shapes]}


def _object(shape: dict[str, Any], named: Schemas) -> dict[str, Any]:
    properties = {key.removesuffix("?"): schema_of(value, named) for key, value in shape.items()}
    required = [key for key in shape if not key.endswith("?")]
    schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema
