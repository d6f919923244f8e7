"""Calls whose outcome is not all or nothing.

Some reach several people at once, of whom some may not be reached. The answer stays a success,
since for the others it was carried out: a client that sees a failure tries again. The reasons go to
the log, without a name (rest-surface.rst 11.31). Others are refused when a part was done; to learn
of it, signal-cli is asked for what is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from flask import g

from signal_bridge.errors import DaemonError, Refused, RequestError
from signal_bridge.signalcli import groupoutcomes
from signal_bridge.signalcli.call import Call
from signal_bridge.web.edge.context import bridge

log = logging.getLogger(__name__)


def run_for_each(call: Call) -> Any:
    """The result of `call`; whom it did not reach is logged. Raises as `Gateway.run`."""
    result = bridge().gateway.run(call)
    for reason, count in _failures(result).items():
        log.warning("%s %s: %s for %d recipients", g.request_id, call.method, reason, count)
    return result


def result_if_any(look: Call | None) -> Any:
    """The result of a call that only looks; None without one, and when it cannot be had."""
    if look is None:
        return None
    try:
        return bridge().gateway.run(look)
    except (Refused, DaemonError) as error:
        log.warning("%s %s: %s", g.request_id, look.method, error.code)
        return None


def run_in_group(
    number: str, group_id: str, call: Call, is_done: Callable[[Mapping[str, Any]], bool]
) -> Any:
    """The result of a call that changes the group of that internal id. Raises as `Gateway.run`.

    What was refused and `is_done` all the same, as the group is listed now, is a success: None.
    """
    try:
        return bridge().gateway.run(call)
    except Refused as error:
        row = group_after(number, group_id, error)
        if row is None or not _is_so(is_done, row):
            raise
        log.warning("%s %s: done, though it was refused", g.request_id, call.method)
        return None


def group_after(number: str, group_id: str, error: Refused) -> Mapping[str, Any] | None:
    """The group of that internal id as it is after a refused change; None if that is not known."""
    result = result_if_any(groupoutcomes.look_at_groups(number, error))
    return groupoutcomes.group_in(result, group_id)


def _is_so(is_done: Callable[[Mapping[str, Any]], bool], row: Mapping[str, Any]) -> bool:
    try:
        return is_done(row)
    except RequestError:  # how it is listed makes no sense; the refusal does
        return False


def _failures(result: Any) -> Counter[str]:
    outcomes = result.get("results") if isinstance(result, dict) else None
    types = (
        str(outcome.get("type"))
        for outcome in (outcomes if isinstance(outcomes, list) else ())
        if isinstance(outcome, dict)
    )
    return Counter(kind for kind in types if kind != "SUCCESS")
