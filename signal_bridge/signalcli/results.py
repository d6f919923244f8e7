"""Reading signal-cli's results.

What is missing or null reads as the zero value of its type; what has another type than expected
raises `RequestError` with `INVALID_RESPONSE` (rest-surface.rst 2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from signal_bridge.errors import RequestError

INVALID_RESPONSE: Final = "Couldn't process request - invalid signal-cli response"


def _expect(value: Any, kind: type) -> Any:
    # A bool is an int to Python but not to JSON.
    if isinstance(value, kind) and (kind is not int or not isinstance(value, bool)):
        return value
    raise RequestError(INVALID_RESPONSE)


def as_row(value: Any) -> Mapping[str, Any]:
    """A JSON object."""
    row: Mapping[str, Any] = _expect({} if value is None else value, dict)
    return row


def as_rows(value: Any) -> list[Mapping[str, Any]]:
    """A list of JSON objects."""
    return [as_row(item) for item in _expect([] if value is None else value, list)]


def text(row: Mapping[str, Any], name: str) -> str:
    """The string under `name`."""
    value = row.get(name)
    found: str = _expect("" if value is None else value, str)
    return found


def number(row: Mapping[str, Any], name: str) -> int:
    """The whole number under `name`."""
    value = row.get(name)
    found: int = _expect(0 if value is None else value, int)
    return found


def flag(row: Mapping[str, Any], name: str) -> bool:
    """The boolean under `name`."""
    value = row.get(name)
    found: bool = _expect(False if value is None else value, bool)
    return found


def timestamp(result: Any) -> dict[str, str]:
    """`{"timestamp": "1700000000123"}` of any result that has one (C1: a string, in ms)."""
    return {"timestamp": str(number(as_row(result), "timestamp"))}


def send_answer(result: Any) -> dict[str, Any]:
    """What a send answers: `{"timestamp": "…", "errors"?: {"recipients": [{…, "reason"}]}}`.

    One entry for each recipient that was not reached, in signal-cli's order. Raises
    `RequestError` (invalid response).
    """
    outcomes = as_rows(as_row(result).get("results"))
    unreached = [outcome for outcome in outcomes if text(outcome, "type") != "SUCCESS"]
    errors = {"errors": {"recipients": [_failure(one) for one in unreached]}} if unreached else {}
    return {**timestamp(result), **errors}


def full_name(profile: Mapping[str, Any]) -> str:
    """Given and family name of a profile, as far as there are any."""
    return f"{text(profile, 'givenName')} {text(profile, 'familyName')}".strip()


def _failure(outcome: Mapping[str, Any]) -> dict[str, str]:
    address = as_row(outcome.get("recipientAddress"))
    entry = {name: text(address, name) for name in ("username", "number", "uuid")}
    entry["reason"] = text(outcome, "type")
    return {name: value for name, value in entry.items() if value}
