"""Who is registered, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import TEXT, TEXTS, Operation, Query
from signal_bridge.web.schemas.answers import many
from signal_bridge.web.schemas.search import FoundSchema

_NUMBERS: Final = Query("numbers", TEXTS, "numbers to look for", True)

SEARCH: Final = Operation(answer=many(FoundSchema), query=(_NUMBERS,))
SEARCH_BY_ANY: Final = Operation(
    answer=many(FoundSchema),
    query=(_NUMBERS, Query("number", TEXT, "the account that asks; else any")),
)
