"""Times and durations: what can be one, and what a caller hears of what cannot."""

from __future__ import annotations

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.params import duration_seconds, timestamp_ms


@pytest.mark.parametrize("value", [1764000000000, 10**12, 10**13 - 1, 0, 5, 999])
def test_milliseconds_are_taken_and_so_is_what_is_no_time_at_all(value: int) -> None:
    assert timestamp_ms("timestamp", value) == value


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        (1764000000, "; 1764000000 looks like seconds"),
        (2**31 - 1, "; 2147483647 looks like seconds"),
        (2**31, "; 2147483648 looks like seconds"),
        (1764000000000000, "; 1764000000000000 looks like microseconds"),
        (1764000000000000000, "; 1764000000000000000 looks like nanoseconds"),
        (10**12 - 1, ", not 999999999999"),
        (10**13, ", not 10000000000000"),
        (1000, ", not 1000"),
        (-1, ", not -1"),
        (-1764000000000, ", not -1764000000000"),
    ],
)
def test_anything_else_is_told_that_milliseconds_are_wanted(value: int, guess: str) -> None:
    with pytest.raises(RequestError) as caught:
        timestamp_ms("edit_timestamp", value)
    assert str(caught.value) == (
        "Couldn't process request - edit_timestamp must be in milliseconds since 1970 "
        f"(13 digits){guess}"
    )


@pytest.mark.parametrize("value", [0, 60, 2**31 - 1])
def test_a_duration_is_what_signal_cli_can_hold(value: int) -> None:
    assert duration_seconds("duration", value) == value


@pytest.mark.parametrize("value", [-1, 2**31, 2**63 - 1])
def test_another_duration_is_told_its_bounds(value: int) -> None:
    with pytest.raises(RequestError) as caught:
        duration_seconds("expiration_time", value)
    assert str(caught.value) == (
        "Couldn't process request - expiration_time must be between 0 and 2147483647 seconds"
    )
