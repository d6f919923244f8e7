"""What signal-cli is never made to read, whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import BridgeError, CallTooLarge, RequestError
from signal_bridge.rpc.jsonrpc import encode_request
from signal_bridge.rpc.lines import HARMLESS_BYTES, MOST_BYTES, check, cost_bytes

# The least that signal-cli's parser takes of anything (signal-cli.rst 0.5).
LEAST_LIMIT = 1000


def refusal(params: Any, method: str = "send") -> BridgeError | None:
    """What is said of a call with these params; None when it may be written."""
    try:
        check(encode_request("a-1", method, params), params)
    except RequestError as error:
        return error
    return None


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return {"x": value}


def as_long_as(size: int) -> dict[str, str]:
    """Params whose line has so many bytes."""
    empty = len(encode_request("a-1", "send", {"message": ""}))
    return {"message": "x" * (size - empty)}


def test_what_everybody_sends_may_be_written() -> None:
    people = [f"+4915{number:09}" for number in range(1000)]
    assert refusal({"message": "hi", "recipient": people, "textStyle": ["0:2:BOLD"] * 50}) is None
    assert refusal(as_long_as(MOST_BYTES)) is None
    assert refusal(None) is None


def test_a_line_of_more_than_four_mebibytes_is_too_large() -> None:
    error = refusal(as_long_as(MOST_BYTES + 1))
    assert isinstance(error, CallTooLarge)
    assert "4194304 bytes" in str(error)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"a": [{}] * 100_000}, "262144 bytes lie outside of strings"),
        ({"a": [""] * 100_000}, "262144 bytes lie outside of strings"),
        ({f"{number:x}": 0 for number in range(20_001)}, "20000 keys"),
    ],
)
def test_so_is_one_of_a_few_bytes_that_cost_many(what: Any, words: str) -> None:
    error = refusal(what, "version")
    assert isinstance(error, CallTooLarge)
    assert words in str(error)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (nested(1001), "nested too deep"),
        (nested(300), "nested too deep"),
        ({"x": 10**1001}, "more than 64 bits"),
        ({"x": "\ud83d"}, "half a surrogate pair"),
        ({"x" * 60_000: 1}, "a name has more than 50000 bytes"),
        ({"x": [{"y": {"😀" * 12_501: 1}}]}, "a name has more than 50000 bytes"),
    ],
)
def test_what_signal_cli_would_end_the_connection_over_is_the_callers_mistake(
    what: Any, words: str
) -> None:
    error = refusal(what)
    assert type(error) is RequestError
    assert words in str(error)


def test_what_looks_like_structure_and_lies_in_a_string_is_harmless() -> None:
    assert refusal({"message": '{},[],\\"' * 100_000}) is None
    assert refusal({"message": "x" * 60_000, "y" * 50_000: 1}) is None


@pytest.mark.parametrize(
    "what",
    [nested(250), {"x": ["[" * 900]}, {"x" * 900: 1}, {"x": [{}] * 300}, {"x": 2**63}],
)
def test_a_line_that_is_not_looked_at_exceeds_nothing(what: Any) -> None:
    assert HARMLESS_BYTES <= LEAST_LIMIT
    assert refusal(what) is None


def test_structure_costs_more_than_text() -> None:
    text = encode_request("a", "send", {"message": '"{}' * 1000})
    structure = encode_request("a", "send", {"message": [{}] * 1300})
    assert len(text) > len(structure)
    assert cost_bytes(structure) > 4 * cost_bytes(text)
    assert cost_bytes(text) > 10 * len(text)
