"""The parameters of a map-style command, read as signal-cli reads them. Pure.

signal-cli.rst 2.1: names in camelCase or dashed, lists under the singular or the plural name, no
check of what the command line would call required. What is missing or of a wrong type is -32603.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from signal_bridge.sandbox import errors, jackson


class Params:
    """The values of one request."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """A text; of any other value its JSON, as signal-cli takes everything for one."""
        value = self._get(name)
        return value if value is None or isinstance(value, str) else json.dumps(value)

    def flag(self, name: str) -> bool | None:
        """A bool, and nothing that looks like one. Raises RpcError (-32603)."""
        value = self._get(name)
        return None if value is None else _need(name, value, _is_flag)

    def integer(self, name: str) -> int | None:
        """A whole number of 32 bits. Raises RpcError (-32603)."""
        value = self._get(name)
        return None if value is None else _need(name, value, _is_integer)

    def number(self, name: str) -> int | float | None:
        """A number of any kind and size; None for whatever else there is."""
        value = self._get(name)
        return value if type(value) in (int, float) else None

    def timestamp(self, name: str) -> int | None:
        """Milliseconds, which are more than 32 bits. Raises RpcError (-32603)."""
        value = self._get(name)
        return None if value is None else _need(name, value, _is_timestamp)

    def needed_text(self, name: str) -> str:
        """`text` that must be there. Raises RpcError (-32603)."""
        value = self.text(name)
        if value is None:
            raise errors.missing(name)
        return value

    def needed_integer(self, name: str) -> int:
        """`integer` that must be there. Raises RpcError (-32603)."""
        value = self.integer(name)
        if value is None:
            raise errors.missing(name)
        return value

    def needed_timestamp(self, name: str) -> int:
        """`timestamp` that must be there. Raises RpcError (-32603)."""
        value = self.timestamp(name)
        if value is None:
            raise errors.missing(name)
        return value

    def texts(self, name: str) -> list[str]:
        """A list, or a single text under `name`; empty if absent. Raises RpcError (-32603)."""
        return [_need(name, each, _is_text) for each in self._list(name) or []]

    def integers(self, name: str) -> list[int]:
        """The same of `integer`s."""
        return [_need(name, each, _is_integer) for each in self._list(name) or []]

    def needed_timestamps(self, name: str) -> list[int]:
        """The same of `timestamp`s, which must be there; an empty list may."""
        values = self._list(name)
        if values is None:
            raise errors.missing(name)
        return [_need(name, each, _is_timestamp) for each in values]

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
        raise errors.wrong_type(f"{name}s")


def read_typed(values: Any, java_class: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of a typed command: camelCase only, and nothing it does not know."""
    if isinstance(values, list):
        raise errors.not_a_map()
    full_class = f"org.asamk.signal.commands.{java_class}"
    for key in values or {}:
        if key not in known:
            raise errors.invalid_request(jackson.unknown_field(key, full_class, known))
    return dict(values or {})


@functools.cache
def _dashed(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"-{match[0].lower()}", name)


def _need(name: str, value: Any, fits: Callable[[Any], bool]) -> Any:
    if not fits(value):
        raise errors.wrong_type(name)
    return value


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _is_timestamp(value: Any) -> bool:
    """A number of 32 bits is none: it would be seconds, a mistake (signal-cli.rst 2.1)."""
    return type(value) is int and not _is_integer(value) and -(2**63) <= value < 2**63
