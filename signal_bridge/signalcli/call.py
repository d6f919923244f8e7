"""One call of a signal-cli method, as a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Params = Mapping[str, Any] | list[Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """A method with its parameters, to be run by `session.gateway.Gateway.run`.

    `repeatable`: the call changes nothing, so who lost its answer may ask again. A send never is:
    it would arrive twice.
    `timeout_seconds`: how long the answer may take; None means the configured default.
    """

    method: str
    params: Params | None = None
    repeatable: bool = False
    timeout_seconds: float | None = None
