"""The table of waiters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from signal_bridge.errors import ConnectionLost
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.rpc.pending import InFlight, Pending


def test_a_reply_reaches_the_waiter_of_its_id_and_no_other() -> None:
    pending = Pending()
    first, second = pending.register(), pending.register()
    assert pending.settle(Reply(second.request_id, "for the second"))
    assert second.future.result(timeout=0).result == "for the second"
    assert not first.future.done()


def test_a_second_reply_finds_nobody() -> None:
    pending = Pending()
    waiter = pending.register()
    assert pending.settle(Reply(waiter.request_id, 1))
    assert not pending.settle(Reply(waiter.request_id, 2))
    assert waiter.future.result(timeout=0).result == 1


def test_a_late_reply_finds_nobody() -> None:
    pending = Pending()
    waiter = pending.register()
    pending.forget(waiter)
    pending.forget(waiter)
    assert not pending.settle(Reply(waiter.request_id, 1))
    assert len(pending) == 0


@pytest.mark.parametrize("foreign", [0, 1, -1, "", "1", "0-1"])
def test_a_foreign_id_finds_nobody(foreign: str | int) -> None:
    pending = Pending()
    pending.register()
    assert not pending.settle(Reply(foreign, 1))
    assert len(pending) == 1


def test_an_integer_id_is_settled_like_a_string() -> None:
    pending = Pending()
    waiter = pending.register()
    pending._waiters[7] = waiter
    assert pending.settle(Reply(7, "seven"))
    assert waiter.future.result(timeout=0).result == "seven"


def test_ids_are_strings_that_no_other_connection_uses() -> None:
    ids = {Pending().register().request_id for _ in range(50)}
    assert len(ids) == 50
    assert all(isinstance(one, str) for one in ids)


def test_a_lost_connection_wakes_all_and_says_that_their_outcome_is_unknown() -> None:
    pending = Pending()
    waiters = [pending.register() for _ in range(2)]
    pending.fail_all("it is gone")
    errors = [waiter.future.exception(timeout=0) for waiter in waiters]
    assert [type(error) for error in errors] == [ConnectionLost, ConnectionLost]
    assert [error.request_written for error in errors] == [True, True]  # type: ignore[union-attr]
    assert [error.retryable for error in errors] == [False, False]  # type: ignore[union-attr]
    assert len(pending) == 0


def test_of_a_lost_connection_it_is_known_what_had_been_written() -> None:
    pending = Pending()
    written, _unwritten = pending.register("send"), pending.register("listGroups")
    written.size_bytes = 200
    assert pending.fail_all("it is gone") == [InFlight("send", 200)]
    assert pending.fail_all("again") == []


def test_after_the_loss_nobody_can_wait_any_more() -> None:
    pending = Pending()
    pending.fail_all("it is gone")
    with pytest.raises(ConnectionLost, match="it is gone") as caught:
        pending.register()
    assert not caught.value.request_written


def test_registering_while_the_connection_is_lost_leaves_nobody_waiting() -> None:
    """Whoever got a place is woken, whoever came later is refused."""

    def register(pending: Pending, start: threading.Barrier) -> BaseException | None:
        start.wait(timeout=10)
        try:
            return pending.register().future.exception(timeout=10)
        except ConnectionLost as error:
            return error

    with ThreadPoolExecutor(4) as threads:
        for _ in range(200):
            pending, start = Pending(), threading.Barrier(5)
            woken = [threads.submit(register, pending, start) for _ in range(4)]
            start.wait(timeout=10)
            pending.fail_all("gone")
            assert {type(one.result(timeout=20)) for one in woken} == {ConnectionLost}
