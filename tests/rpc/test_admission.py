"""Large calls beside each other, as many as signal-cli has memory for."""

from __future__ import annotations

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.errors import CallTimedOut, CallTooLarge, DaemonBusy, RequestError
from signal_bridge.rpc.admission import Admission
from signal_bridge.rpc.client import Client
from signal_bridge.rpc.lines import BUDGET_BYTES, MOST_BYTES
from tests.rpc.conftest import Make
from tests.rpc.far_end import FarEnd, InThread, Request
from tests.support import eventually

LARGE = {"message": "x" * (MOST_BYTES - 1000)}
MIDDLING = {"message": "x" * 100_000}
SMALL = {"message": "x" * 2000}
Pair = tuple[Client, FarEnd]


@pytest.fixture
def pair(make_pair: Make) -> Pair:
    return make_pair(admission=Admission(workers=1))


def send(client: Client, params: dict[str, str], seconds: float = 30) -> InThread:
    return InThread(client.call, "send", params, Deadline(seconds))


def arrived(pair: Pair, *several: dict[str, str]) -> list[Request]:
    """The requests that these make, all of them at the far end."""
    client, far = pair
    requests = []
    for params in several:
        send(client, params)
        requests.append(far.request())
    return requests


def test_two_of_the_largest_are_worked_on_at_once_and_the_third_waits(pair: Pair) -> None:
    client, far = pair
    first, _ = arrived(pair, LARGE, LARGE)
    third = send(client, LARGE)
    small = send(client, SMALL)
    request = far.request()
    assert request["params"] == SMALL
    far.answer(request)
    small.result()
    assert not third.is_over()
    far.answer(first)
    far.answer(far.request(), "third")
    assert third.result().result == "third"


def test_a_small_call_never_waits(pair: Pair) -> None:
    client, far = pair
    held = [*arrived(pair, LARGE, LARGE)]
    for _ in range(100):
        call = send(client, SMALL)
        far.answer(far.request(), "yes")
        assert call.result().result == "yes"
    assert held


def test_a_call_that_finds_no_room_in_its_time_was_not_written(pair: Pair) -> None:
    client, _far = pair
    arrived(pair, LARGE, LARGE)
    error = send(client, LARGE, 0.3).error()
    assert isinstance(error, DaemonBusy)
    assert (error.request_written, error.retryable, error.retry_after_seconds) == (False, True, 5)


def test_few_wait_so_that_threads_are_left_for_others(pair: Pair) -> None:
    client, _far = pair
    arrived(pair, LARGE, LARGE)
    waiting = [send(client, LARGE) for _ in range(8)]
    admission = client._admission
    assert admission is not None
    eventually(lambda: admission._waiting == 8, what="eight that wait")
    assert isinstance(send(client, LARGE).error(), DaemonBusy)
    assert not any(call.is_over() for call in waiting)


def test_what_was_not_answered_in_time_takes_its_room_until_it_is(pair: Pair) -> None:
    """signal-cli works on it, whoever has stopped waiting."""
    client, far = pair
    late = [send(client, LARGE, 1.0) for _ in range(2)]
    requests = far.requests(2)
    assert {type(call.error()) for call in late} == {CallTimedOut}
    assert isinstance(send(client, LARGE, 0.2).error(), DaemonBusy)
    far.answer(requests[0])
    call = send(client, LARGE)
    far.answer(far.request(), "there is room again")
    assert call.result().result == "there is room again"


def test_nonsense_in_place_of_an_answer_ends_it_too(pair: Pair) -> None:
    client, far = pair
    first, _ = arrived(pair, LARGE, LARGE)
    far.write(b'{"jsonrpc": "2.0", "result": oops, "id": "%s"}\n' % first["id"].encode())
    call = send(client, LARGE)
    far.answer(far.request(), "yes")
    assert call.result().result == "yes"


def test_what_could_not_be_written_leaves_its_room(pair: Pair) -> None:
    client, far = pair
    with client._writing:  # signal-cli does not read
        for _ in range(5):
            assert isinstance(send(client, LARGE, 0.05).error(), CallTimedOut)
    assert len(arrived(pair, LARGE, LARGE)) == 2
    assert far


def test_who_waits_for_room_learns_that_the_connection_is_gone(pair: Pair) -> None:
    client, far = pair
    arrived(pair, LARGE, LARGE)
    waiting = send(client, LARGE)
    admission = client._admission
    assert admission is not None
    eventually(lambda: admission._waiting == 1, what="one that waits")
    far.hang_up()
    error = waiting.error()
    assert not getattr(error, "request_written", True)


def test_middling_calls_go_on_beside_one_that_is_large(pair: Pair) -> None:
    assert len(arrived(pair, LARGE, *[MIDDLING] * 40)) == 41


@pytest.mark.parametrize("workers", [1, 2])
def test_the_largest_call_of_all_has_room_where_there_are_few_workers(
    make_pair: Make, workers: int
) -> None:
    largest = {"message": "x" * (MOST_BYTES - 250_000), "a": "[{}]", "b": [{}] * 80_000}
    assert arrived(make_pair(admission=Admission(workers)), largest)


def test_of_many_workers_each_has_its_share_and_no_call_is_larger(make_pair: Make) -> None:
    client, far = make_pair(admission=Admission(workers=8))
    with pytest.raises(CallTooLarge, match=r"each of 8 workers .*: 1441792 bytes of text"):
        client.call("send", LARGE, Deadline(10))
    fits = {"message": "x" * (BUDGET_BYTES // 8 // 10 - 1000)}
    assert arrived((client, far), fits)


def test_what_can_never_be_read_is_said_at_once_and_takes_nothing(pair: Pair) -> None:
    client, far = pair
    for _ in range(20):
        with pytest.raises(CallTooLarge):
            client.call("send", {"message": "x" * MOST_BYTES}, Deadline(10))
        with pytest.raises(RequestError):
            client.call("send", {"x" * 60_000: 1}, Deadline(10))
    assert len(client._pending) == 0
    assert len(arrived((client, far), LARGE, LARGE)) == 2
