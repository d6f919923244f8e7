"""Changes of which signal-cli made a part before it refused the rest.

It makes what one call asks for step by step, and takes nothing back (signal-cli.rst 2.6, 2.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signal_bridge.errors import Refused

LOOK_SECONDS: Final = 15.0
"""How long it may take to look what became of a change; without an answer the refusal stands."""


def what_is_left(error: Refused, done: Mapping[str, bool]) -> Refused | None:
    """What to tell of a refused change, whose fields are `done` or not: None if all of them are.

    With none done it is the refusal itself.
    """
    missed = [name for name, is_done in done.items() if not is_done]
    if not missed:
        return None
    if len(missed) == len(done):
        return error
    changed = [name for name, is_done in done.items() if is_done]
    return reworded(
        error, f"Changed: {', '.join(changed)}. Not changed: {', '.join(missed)}. {error}"
    )


def reworded(error: Refused, text: str) -> Refused:
    """The same refusal, told with `text`."""
    return type(error)(text, error.rpc_code, error.data, error.java_classes)
