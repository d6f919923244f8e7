"""What all request bodies have in common (rest-surface.rst 1.4).

Keys are matched whatever their case and the last of two wins; unknown keys are ignored; null is
the same as absent; nothing is converted: a number is no string, 1.0 is no integer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load
from marshmallow.validate import Range

from signal_bridge.spool.longstrings import LongString


class Text(fields.Field[str]):
    """A JSON string, read into memory even if it is long."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, LongString):
            return _read(value)
        if not isinstance(value, str):
            raise ValidationError("a string belongs here")
        return value


class LongText(fields.Field[str]):
    """A JSON string that may be huge: left in its file as a `LongString`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("a string belongs here")
        return value


class Whole(fields.Field[int]):
    """A JSON integer of 64 bits."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("an integer belongs here")
        if not -(2**63) <= value < 2**63:
            raise ValidationError("an integer of 64 bits belongs here")
        return value


class Flag(fields.Field[bool]):
    """true or false."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("true or false belongs here")
        return value


class Texts(fields.List[str]):
    """An array of strings; null in it is an empty one."""

    def __init__(self, item: fields.Field[str] | None = None, **options: Any) -> None:
        super().__init__(item or Text(), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("an array belongs here")
        filled = ["" if item is None else item for item in value]
        return super()._deserialize(filled, *arguments, **options)


class Indexes(fields.List[int]):
    """An array of integers of 32 bits; null in it is 0."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Whole(validate=Range(-(2**31), 2**31 - 1)), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("an array belongs here")
        filled = [0 if item is None else item for item in value]
        return super()._deserialize(filled, *arguments, **options)


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
            raise ValidationError("an object belongs here")
        lowered = {key.lower(): value for key, value in data.items()}
        return {key: value for key, value in lowered.items() if value is not None}

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return type(self).makes(**data)


def _read(value: LongString) -> str:
    try:
        return value.text()
    except ValueError:
        raise ValidationError("a string belongs here") from None
