"""What all request bodies have in common (rest-surface.rst 1.4).

Keys are matched whatever their case and the last of two wins; unknown keys are ignored; null is
the same as absent; nothing is converted: a number is no string, 1.0 is no integer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load
from marshmallow.exceptions import SCHEMA
from marshmallow.validate import Range

from signal_bridge.spool.longstrings import LongString

_MOST_FIELDS: Final = 10
# Where marshmallow says what is wrong with a value of a Dict.
_OF_DICT: Final = "value"
_KINDS: Final = (
    (str, "a string"),
    (float, "a number with a fraction"),
    (list, "an array"),
    (Mapping, "an object"),
)
# What its own fields say, as ours do.
_MARSHMALLOWS: Final = {
    "Missing data for required field.": "this is needed",
    "Field may not be null.": "null does not belong here",
    "Not a valid mapping type.": "an object belongs here",
}
# Names of a schema are so, and a key of the caller's own is not to be more than a name.
_NAME: Final = re.compile(r"\w{1,64}", re.ASCII)


def wrong_fields(error: ValidationError) -> dict[str, str]:
    """A sentence for each field of a body that is wrong, by its name, as `mentions[0].start`.

    At most ten; `body` is the whole. No value is in them.
    """
    messages = error.normalized_messages()  # type: ignore[no-untyped-call]
    return dict(islice(_sentences("", messages), _MOST_FIELDS))


def misfit(wanted: str, value: Any) -> ValidationError:
    """What is wrong with a value where something else belongs: its kind, never what it says."""
    return ValidationError(f"{wanted} belongs here, not {_kind_of(value)}")


class Text(fields.Field[str]):
    """A JSON string, read into memory even if it is long."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, LongString):
            return _read(value)
        if not isinstance(value, str):
            raise misfit("a string", value)
        return value


class LongText(fields.Field[str]):
    """A JSON string that may be huge: left in its file as a `LongString`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise misfit("a string", value)
        return value


class Whole(fields.Field[int]):
    """A JSON integer of 64 bits."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise misfit("an integer", value)
        if not -(2**63) <= value < 2**63:
            raise ValidationError("an integer of 64 bits belongs here, not a longer one")
        return value


class Flag(fields.Field[bool]):
    """true or false."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise misfit("true or false", value)
        return value


class _Array(fields.List[Any]):
    """An array, read up to its tenth wrong item: of more nobody would be told."""

    def _deserialize(self, value: list[Any], *_: Any, **options: Any) -> list[Any]:
        items, wrong = [], {}
        for index, item in enumerate(value):
            try:
                items.append(self.inner.deserialize(item, **options))
            except ValidationError as error:
                wrong[index] = error.messages
                if len(wrong) == _MOST_FIELDS:
                    break
        if wrong:
            raise ValidationError(wrong)
        return items


class Texts(_Array):
    """An array of strings; null in it is an empty one."""

    def __init__(self, item: fields.Field[str] | None = None, **options: Any) -> None:
        super().__init__(item or Text(), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise misfit("an array of strings", value)
        filled = ["" if item is None else item for item in value]
        return super()._deserialize(filled, *arguments, **options)


class Indexes(_Array):
    """An array of integers of 32 bits; null in it is 0."""

    def __init__(self, **options: Any) -> None:
        validate = Range(-(2**31), 2**31 - 1, error="an integer of 32 bits belongs here")
        super().__init__(Whole(validate=validate), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise misfit("an array of integers", value)
        filled = [0 if item is None else item for item in value]
        return super()._deserialize(filled, *arguments, **options)


class Objects(_Array):
    """An array of objects, each like a schema."""

    def __init__(self, item: type[BodySchema], **options: Any) -> None:
        super().__init__(fields.Nested(item), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise misfit("an array of objects", value)
        return super()._deserialize(value, *arguments, **options)


class BodySchema(Schema):
    """The base of every body. A field without `load_default` is absent when it was not given.

    What was read becomes what `makes` makes of it. Each schema has one instance, made at import and
    shared by all threads: making one costs more than a whole request.
    """

    makes: ClassVar[Callable[..., Any]] = dict

    class Meta:
        """Keys that nobody knows are ignored, as the peer ignores them."""

        unknown = EXCLUDE

    def read(self, value: Any) -> Any:
        """The value of a body, made of its JSON. Raises ValidationError.

        The JSON `null` is an object without members (rest-surface.rst 1.4).
        """
        return self.load({} if value is None else value)

    @pre_load
    def _as_the_peer_reads(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, Mapping):
            raise misfit("an object", data)
        lowered = {key.lower(): value for key, value in data.items()}
        return {key: value for key, value in lowered.items() if value is not None}

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return type(self).makes(**data)


def _read(value: LongString) -> str:
    try:
        return value.text()
    except ValueError:
        raise ValidationError("a backslash in this string escapes nothing") from None


def _sentences(name: str, found: Any) -> Iterator[tuple[str, str]]:
    """What marshmallow says of a part of a body, with the names of the parts in it."""
    if isinstance(found, Mapping):
        for key, inner in found.items():
            yield from _sentences(_name_within(name, key), inner)
    elif found:
        first = str(found[0])
        yield name or "body", _MARSHMALLOWS.get(first, first)


def _name_within(name: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{name}[{key}]"
    if key in (SCHEMA, _OF_DICT) or not _NAME.fullmatch(key):
        return name
    return f"{name}.{key}" if name else str(key)


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a number"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")
