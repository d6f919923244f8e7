"""What the schemas of answers have in common, and short ways to write their fields.

They describe and do no more: no view dumps through one. A view makes plain dictionaries, which are
written as they are; marshmallow in between would cost more than the rest of a request does. That
answers are as described is what the tests check, of every answer they see (tests/support).

A field is always there unless it says `required=False`. Its `example` goes into the example of the
whole answer; one that may be missing and has no example is left out of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import OneOf

from signal_bridge.web.schemas.examples import MS


class AnswerSchema(Schema):
    """The base of every answer. Classes are passed around: only the description makes instances.

    The name of a class without `Schema` is the answer's name in the description, its docstring
    what is said of it there.
    """

    class Meta:
        """Further keys may come with a later release; clients ignore them. Found by no name."""

        unknown = EXCLUDE
        register = False


Answer = type[AnswerSchema] | fields.Field[Any]


class Either(fields.Field[Any]):
    """Like one of several fields; the first gives the example."""

    def __init__(self, *choices: fields.Field[Any], required: bool = True) -> None:
        super().__init__(required=required)
        self.choices = choices


def text(example: str | None = None, **options: Any) -> fields.String:
    """A JSON string."""
    return fields.String(**_options(example, **options))


def word(*words: str, **options: Any) -> fields.String:
    """One of some texts, the first of which is the example."""
    return fields.String(validate=OneOf(words), **_options(**{"example": words[0], **options}))


def whole(example: int | None = None, **options: Any) -> fields.Integer:
    """A JSON integer."""
    return fields.Integer(**_options(example, **options))


def time_ms(about: str, **options: Any) -> fields.Integer:
    """A point in time, of which `about` says which: milliseconds since the epoch."""
    return whole(**{"example": MS, "about": f"{about}; milliseconds since the epoch", **options})


def flag(example: bool | None = None, **options: Any) -> fields.Boolean:
    """true or false."""
    return fields.Boolean(**_options(example, **options))


def free(
    example: Mapping[str, Any] | None = None,
    values: fields.Field[Any] | None = None,
    **options: Any,
) -> fields.Dict:
    """An object with any keys; `values` is what its values are like, if they are alike."""
    return fields.Dict(values=values, **_options(example, **options))


def one(schema: type[AnswerSchema], **options: Any) -> fields.Nested:
    """An object like `schema`."""
    return fields.Nested(schema, **_options(**options))


def many(item: Answer, **options: Any) -> fields.List[Any]:
    """An array of what is like `item`."""
    inner = item if isinstance(item, fields.Field) else one(item)
    return fields.List(inner, **_options(**options))


def _options(
    example: Any = None, required: bool = True, about: str | None = None, **options: Any
) -> dict[str, Any]:
    known = {"description": about, "example": example}
    metadata = {key: value for key, value in known.items() if value is not None}
    return {"required": required, "metadata": metadata, **options}
