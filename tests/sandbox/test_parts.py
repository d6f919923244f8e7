"""The pure parts, where the cases are too many or too small for a process."""

from __future__ import annotations

import pytest

from signal_bridge.sandbox.errors import RpcError
from signal_bridge.sandbox.mailbox import Mailbox
from signal_bridge.sandbox.params import Params
from signal_bridge.sandbox.people import Ticker, e164


def test_a_full_mailbox_drops_the_oldest() -> None:
    mailbox = Mailbox(max_messages=2)
    assert [mailbox.put({"number": number}) for number in range(4)] == [0, 0, 1, 1]
    assert [mailbox.take()["number"] for _ in range(len(mailbox))] == [2, 3]


def test_a_mailbox_is_bounded_in_bytes_but_keeps_the_newest_in_any_case() -> None:
    mailbox = Mailbox(max_bytes=100)
    for size in (40, 40, 1000):
        mailbox.put({"text": "x" * size})
    assert [len(mailbox.take()["text"]) for _ in range(len(mailbox))] == [1000]


def test_what_was_taken_from_a_mailbox_counts_no_more() -> None:
    mailbox = Mailbox(max_bytes=100)
    for _ in range(10):
        assert mailbox.put({"text": "x" * 60}) == 0
        mailbox.take()


def test_parameters_are_found_under_every_name_signal_cli_knows() -> None:
    params = Params({"group-id": "dashed", "groupId": "camel", "member-ids": ["a"], "note": None})
    assert params.text("groupId") == "dashed"
    assert params.texts("groupId") == ["dashed"]
    assert params.texts("memberId") == ["a"]
    assert params.text("note") is None
    assert Params({"x": 5}).text("x") == "5"


@pytest.mark.parametrize("value", ["1", True, 1.5, 2**31, -(2**31) - 1, [], {}])
def test_what_is_no_number_of_32_bits_is_no_integer(value: object) -> None:
    with pytest.raises(RpcError, match='"x" has the wrong type'):
        Params({"x": value}).integer("x")


@pytest.mark.parametrize("value", ["1", True, 1.5, 2**31 - 1, 2**63, [], {}])
def test_what_cannot_be_milliseconds_is_no_timestamp(value: object) -> None:
    with pytest.raises(RpcError, match='"x" has the wrong type'):
        Params({"x": value}).timestamp("x")


def test_times_of_one_sender_are_never_equal() -> None:
    ticker = Ticker()
    times = [ticker.next_ms() for _ in range(1000)]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("+49 170 1234567", "+491701234567"),
        ("2025550101", "+12025550101"),
        ("12025550101", "+12025550101"),
        ("[+12025550101]", "+12025550101"),
    ],
)
def test_numbers_are_normalised(given: str, number: str) -> None:
    assert e164(given) == number
