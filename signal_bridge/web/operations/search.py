"""Who is registered, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import TEXT, TEXTS, Operation, Query

_NUMBERS: Final = Query("numbers", TEXTS, "numbers to look for", True)

SEARCH: Final = Operation(answer=answers.FOUND, query=(_NUMBERS,))
SEARCH_BY_ANY: Final = Operation(
    answer=answers.FOUND,
    query=(_NUMBERS, Query("number", TEXT, "the account that asks; else any")),
)
