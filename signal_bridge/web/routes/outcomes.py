"""Calls that reach several people at once, of whom some may not be reached.

The answer stays a success, since for the others it was carried out: a client that sees a failure
tries again. The reasons go to the log, without a name (rest-surface.rst 11.31).
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from flask import g

from signal_bridge.signalcli.call import Call
from signal_bridge.web.edge.context import bridge

log = logging.getLogger(__name__)


def run_for_each(call: Call) -> Any:
    """The result of `call`; whom it did not reach is logged. Raises as `Gateway.run`."""
    result = bridge().gateway.run(call)
    for reason, count in _failures(result).items():
        log.warning("%s %s: %s for %d recipients", g.request_id, call.method, reason, count)
    return result


def _failures(result: Any) -> Counter[str]:
    outcomes = result.get("results") if isinstance(result, dict) else None
    types = (
        str(outcome.get("type"))
        for outcome in (outcomes if isinstance(outcomes, list) else ())
        if isinstance(outcome, dict)
    )
    return Counter(kind for kind in types if kind != "SUCCESS")
