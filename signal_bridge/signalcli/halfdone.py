"""Changes of which signal-cli made a part before it refused the rest.

It makes what one call asks for step by step, and takes nothing back (signal-cli.rst 2.6, 2.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signal_bridge.errors import Refused

LOOK_SECONDS: Final = 15.0
"""How long it may take to look what became of a change; without an answer the refusal stands."""


def what_is_left(error: Refused, done: Mapping[str, bool | None]) -> Refused | None:
    """What to tell of a refused change, whose fields are `done` or not: None if all of them are.

    Of one that is None it is not known. With none done it is the refusal itself.
    """
    if all(done.values()):
        return None
    if not any(is_done is not False for is_done in done.values()):
        return error
    told = (("Changed", True), ("Not changed", False), ("Not known", None))
    named = ((words, [name for name, it in done.items() if it is of]) for words, of in told)
    sentences = [f"{words}: {', '.join(names)}." for words, names in named if names]
    return reworded(error, " ".join([*sentences, str(error)]))


def reworded(error: Refused, text: str) -> Refused:
    """The same refusal, told with `text`."""
    return type(error)(text, error.rpc_code, error.data, error.java_classes)


def doubled_if_repeated(error: Refused, text: str) -> Refused:
    """As `reworded`, of what may be there by now: a second try would make another one."""
    told = reworded(error, text)
    told.retryable = False
    return told
