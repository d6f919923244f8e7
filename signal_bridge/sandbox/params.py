"""The parameters of a map-style command, read as signal-cli reads them. Pure.

signal-cli-rpc.md 2.1: names in camelCase or dashed, lists under the singular or the plural name, no
check of what the command line would call required, and Java's complaints about wrong types.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from signal_bridge.sandbox import errors


class Params:
    """The values of one request."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        value = self._get(name)
        return None if value is None else _java_text(value)

    def flag(self, name: str) -> bool | None:
        value = self._get(name)
        if value is None or isinstance(value, bool):
            return value
        raise errors.class_cast(value, "java.lang.Boolean")

    def integer(self, name: str) -> int | None:
        value = self._get(name)
        return None if value is None else _of_class(value, "java.lang.Integer")

    def long(self, name: str) -> int | None:
        value = self._get(name)
        return None if value is None else _of_class(value, "java.lang.Long")

    def needed_integer(self, name: str) -> int:
        value = self.integer(name)
        if value is None:
            raise errors.missing_number("Integer", name)
        return value

    def needed_long(self, name: str) -> int:
        value = self.long(name)
        if value is None:
            raise errors.missing_number("Long", name)
        return value

    def texts(self, name: str) -> list[str]:
        return [_of_class(each, "java.lang.String") for each in self._list(name) or []]

    def integers(self, name: str) -> list[int]:
        return [_of_class(each, "java.lang.Integer") for each in self._list(name) or []]

    def longs(self, name: str) -> list[int] | None:
        values = self._list(name)
        if values is None:
            return None
        return [_of_class(each, "java.lang.Long") for each in values]

    def _get(self, name: str) -> Any:
        value = self._values.get(_dashed(name))
        return self._values.get(name) if value is None else value

    def _list(self, name: str) -> list[Any] | None:
        value = self._get(name)
        if value is not None:
            return value if isinstance(value, list) else [value]
        plural = self._get(f"{name}s")
        if plural is None or isinstance(plural, list):
            return plural
        raise errors.class_cast(plural, "java.util.List")


def typed(values: Any, java_class: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of a typed command: camelCase only, and nothing it does not know."""
    if isinstance(values, list):
        raise errors.not_a_map()
    full_class = f"org.asamk.signal.commands.{java_class}"
    for key in values or {}:
        if key not in known:
            raise errors.unknown_field(key, full_class, known)
    return dict(values or {})


@functools.cache
def _dashed(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"-{match[0].lower()}", name)


def _of_class(value: Any, wanted: str) -> Any:
    if errors.java_class_of(value) != wanted:
        raise errors.class_cast(value, wanted)
    return value


def _java_text(value: Any) -> str:
    """What `toString()` makes of a JSON value."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(_java_text(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_java_text(each)}' for key, each in value.items())}}}"
    return json.dumps(value)
