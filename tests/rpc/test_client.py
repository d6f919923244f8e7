"""One connection, shared by many threads, to a daemon that is fast, slow, odd or gone."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import json
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.errors import (
    CallTimedOut,
    ConnectionLost,
    DaemonUnavailable,
    NonsenseReply,
    StoreFull,
)
from signal_bridge.rpc import client as module
from signal_bridge.rpc.client import Client, connect
from signal_bridge.rpc.jsonrpc import Notice, Reply
from tests.rpc.conftest import Make
from tests.rpc.far_end import FarEnd, InThread, Request
from tests.support import eventually

Pair = tuple[Client, FarEnd]
# Far more than the other end's buffers take.
TOO_MUCH = "x" * (8 * 2**20)


def echo(request: Request) -> bytes:
    """The params come back as the result."""
    message = {"jsonrpc": "2.0", "result": request.get("params"), "id": request["id"]}
    return json.dumps(message).encode() + b"\n"


def ask(client: Client, number: object = None, seconds: float = 30) -> object:
    return client.call("echo", {"n": number}, Deadline(seconds)).result


def fill(client: Client) -> None:
    """What is left of the socket's buffers takes not one byte more."""
    size = 65536
    while size:
        try:
            client._socket.send(b" " * size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            size //= 2


def reader_of(client: Client) -> threading.Thread:
    return client._reader


# -- calls and replies -------------------------------------------------------------------------


def test_a_call_gets_its_reply_over_every_kind_of_socket(connected: Pair) -> None:
    client, far = connected
    far.serve(echo)
    assert [ask(client, number) for number in range(20)] == [{"n": n} for n in range(20)]


def test_a_daemon_that_answers_instantly_never_leaves_a_caller_hanging(pair: Pair) -> None:
    client, far = pair
    far.serve(echo)
    for number in range(5000):
        assert ask(client, number) == {"n": number}


def test_the_waiter_is_there_before_the_request_is_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the writer gets the processor back, the reply finds its waiter."""
    client, far = pair
    far.serve(echo)
    send, waiting = client._send, []

    def send_and_wait_for_the_reply(*arguments: object) -> None:
        waiting.append(len(client._pending))
        send(*arguments)  # type: ignore[arg-type]
        eventually(lambda: len(client._pending) == 0, what="the reply to be settled")

    monkeypatch.setattr(client, "_send", send_and_wait_for_the_reply)
    assert ask(client, 1) == {"n": 1}
    assert waiting == [1]


def test_replies_come_in_any_order(pair: Pair) -> None:
    client, far = pair
    calls = [InThread(ask, client, number) for number in range(10)]
    for request in reversed(far.requests(10)):
        far.answer(request, request["params"])
    assert [call.result() for call in calls] == [{"n": number} for number in range(10)]


def test_sixty_four_threads_never_get_each_others_answers(pair: Pair) -> None:
    client, far = pair
    far.serve(echo)

    def many(thread: int) -> bool:
        return all(ask(client, [thread, n]) == {"n": [thread, n]} for n in range(500))

    with concurrent.futures.ThreadPoolExecutor(64) as threads:
        assert all(threads.map(many, range(64)))
    assert len(client._pending) == 0


def test_a_refusal_is_a_reply_too(pair: Pair) -> None:
    client, far = pair
    call = InThread(client.call, "send", None, Deadline(20))
    request = far.request()
    assert "params" not in request
    far.say({"error": {"code": -1, "message": "no", "data": None}, "id": request["id"]})
    reply = call.result()
    assert reply == Reply(request["id"], None, {"code": -1, "message": "no", "data": None})


def test_a_reply_of_many_megabytes_in_small_pieces_arrives_whole(pair: Pair) -> None:
    client, far = pair
    call = InThread(ask, client)
    request = far.request()
    far.answer(request, TOO_MUCH)
    assert call.result() == TOO_MUCH


def test_a_request_of_many_megabytes_arrives_whole(pair: Pair) -> None:
    client, far = pair
    call = InThread(ask, client, TOO_MUCH)
    request = far.request()
    assert request["params"] == {"n": TOO_MUCH}
    far.answer(request, "got it")
    assert call.result() == "got it"


def test_params_that_are_not_json_are_the_callers_mistake_and_harm_nobody(pair: Pair) -> None:
    client, far = pair
    with pytest.raises(TypeError):
        client.call("send", {"x": object()}, Deadline(10))
    assert len(client._pending) == 0
    far.serve(echo)
    assert ask(client, 1) == {"n": 1}


# -- nonsense ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"SECRET, not json\n", "a line of 16 bytes that is not JSON"),
        (b'{"result":"SECRET","id":null}\n', "a reply without a usable id"),
        (b'{"result":"SECRET","id":"never-asked"}\n', "a reply that nobody waits for"),
        (b'{"result":"SECRET","id":12345}\n', "a reply that nobody waits for"),
        (b'{"result":"SECRET","id":true}\n', "a reply without a usable id"),
        (b'{"error":{"code":-32700,"message":"SECRET"},"id":null}\n', "(error -32700)"),
        (b'["SECRET"]\n', "a JSON list where an object belongs"),
        (b'{"method":{"SECRET":1}}\n', "a notification whose method is not a string"),
        (b'{"SECRET":"' + b"x" * 2000 + b'"}\n', "a line of 2013 bytes, longer than allowed"),
    ],
)
def test_nonsense_is_logged_once_without_its_content_and_harms_nobody(
    make_pair: Make, caplog: pytest.LogCaptureFixture, line: bytes, complaint: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client, far = make_pair(max_line_bytes=1000)
    far.write(line * 5)
    far.serve(echo)
    assert ask(client, 1) == {"n": 1}
    assert len([record for record in caplog.records if complaint in record.message]) == 1
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("extra", [b"", b",,"])
def test_who_waits_for_a_reply_that_cannot_be_read_learns_of_it(
    make_pair: Make, extra: bytes
) -> None:
    client, far = make_pair(max_line_bytes=20_000)
    call = InThread(ask, client)
    size = 100 if extra else 30_000
    members = json.dumps(
        {"result": {"id": "contact", "text": "x" * size}, "id": far.request()["id"]}
    )
    far.write(members[:-1].encode() + extra + b"}\n")
    assert isinstance(call.error(), NonsenseReply)


def test_a_late_reply_is_logged_once_and_harms_nobody(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    client, far = pair
    with pytest.raises(CallTimedOut):
        ask(client, "first", seconds=0.05)
    late = far.request()
    far.answer(late, "SECRET")
    far.serve(echo)
    assert ask(client, "second") == {"n": "second"}
    assert caplog.text.count("a reply that nobody waits for") == 1
    assert "SECRET" not in caplog.text


def test_a_doubled_reply_is_logged_once_and_harms_nobody(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    client, far = pair
    far.serve(lambda request: echo(request) * 2)
    assert [ask(client, n) for n in range(100)] == [{"n": n} for n in range(100)]
    # The double of the last one has been read, too.
    far.write(b'{"method":"nothing"}\n')
    eventually(lambda: "nobody waits for" in caplog.text, what="the complaint")
    assert caplog.text.count("a reply that nobody waits for") == 1


def test_a_daemon_that_babbles_does_not_fill_the_log(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    client, far = pair
    far.write(b"".join(b"x" * size + b"\n" for size in range(1, 500)))
    far.serve(echo)
    assert ask(client, 1) == {"n": 1}
    assert len(caplog.records) <= 100


# -- deadlines ---------------------------------------------------------------------------------


def test_a_call_that_is_not_answered_in_time_says_that_its_outcome_is_unknown(
    pair: Pair,
) -> None:
    client, far = pair
    with pytest.raises(CallTimedOut, match="echo") as caught:
        ask(client, seconds=0.05)
    assert caught.value.request_written
    assert not caught.value.retryable
    assert not client.lost
    assert len(client._pending) == 0
    far.request()


def test_one_late_call_does_not_disturb_another(pair: Pair) -> None:
    client, far = pair
    slow = InThread(ask, client, "slow", 0.05)
    first = far.request()
    quick = InThread(ask, client, "quick", 20)
    second = far.request()
    assert isinstance(slow.error(), CallTimedOut)
    far.answer(second, "yes")
    assert quick.result() == "yes"
    assert first["id"] != second["id"]


def test_a_daemon_that_stops_reading_delays_a_caller_until_its_deadline_only(
    pair: Pair,
) -> None:
    client, _far = pair
    stuck = InThread(ask, client, TOO_MUCH, 60)
    eventually(client._writing.locked, what="the first caller to fill the socket")
    second = InThread(ask, client, 2, 0.1).error()
    assert isinstance(second, CallTimedOut)
    assert not second.request_written
    assert second.retryable
    assert not stuck.is_over()


def test_a_line_that_was_cut_off_by_its_deadline_ends_the_connection(pair: Pair) -> None:
    client, far = pair
    other = InThread(ask, client, "in time", 60)
    far.request()
    cut_off = InThread(ask, client, TOO_MUCH, 0.2).error()
    assert isinstance(cut_off, CallTimedOut)
    # All but its line feed may be out, so nobody can say that it was not carried out.
    assert cut_off.request_written
    lost = other.error()
    assert isinstance(lost, ConnectionLost)
    assert lost.request_written
    assert client.lost


def test_a_line_that_never_began_leaves_the_connection_whole(pair: Pair) -> None:
    client, far = pair
    fill(client)
    error = InThread(ask, client, 1, 0.1).error()
    assert isinstance(error, CallTimedOut)
    assert not error.request_written
    assert not client.lost
    client._socket.setblocking(True)
    far.serve(echo)
    assert ask(client, 2) == {"n": 2}


# -- the end of a connection -------------------------------------------------------------------


def test_a_connection_lost_after_the_write_says_that_the_outcome_is_unknown(
    connected: Pair,
) -> None:
    client, far = connected
    call = InThread(ask, client)
    far.request()
    far.hang_up()
    error = call.error()
    assert isinstance(error, ConnectionLost)
    assert error.request_written
    assert not error.retryable
    assert client.wait_until_lost(10)


def test_a_connection_lost_before_the_write_says_that_nothing_was_sent(connected: Pair) -> None:
    client, far = connected
    far.hang_up()
    assert client.wait_until_lost(10)
    with pytest.raises(ConnectionLost) as caught:
        ask(client)
    assert not caught.value.request_written
    assert caught.value.retryable


def test_a_connection_lost_before_anything_could_leave_says_that_nothing_was_sent(
    pair: Pair,
) -> None:
    client, far = pair
    fill(client)
    call = InThread(ask, client, 1, 600)
    eventually(client._writing.locked, what="the caller to wait for room")
    far.hang_up()
    error = call.error()
    assert isinstance(error, ConnectionLost)
    assert not error.request_written
    assert error.retryable


def test_a_connection_lost_while_another_writes_says_to_each_what_was_sent(pair: Pair) -> None:
    client, far = pair
    first = InThread(ask, client, TOO_MUCH, 600)
    assert far.socket.recv(10)
    second = InThread(ask, client, 2, 600)
    eventually(lambda: len(client._pending) == 2, what="the second to wait for its turn")
    far.hang_up()
    errors = [first.error(), second.error()]
    assert [type(error) for error in errors] == [ConnectionLost, ConnectionLost]
    assert [error.request_written for error in errors] == [True, False]  # type: ignore[attr-defined]


def test_a_connection_lost_in_the_middle_of_a_line_says_that_the_outcome_is_unknown(
    pair: Pair,
) -> None:
    client, far = pair
    call = InThread(ask, client, TOO_MUCH)
    assert far.socket.recv(10)
    far.hang_up()
    error = call.error()
    assert isinstance(error, ConnectionLost)
    assert error.request_written


def test_a_connection_lost_in_the_middle_of_a_reply_wakes_the_caller(pair: Pair) -> None:
    client, far = pair
    call = InThread(ask, client)
    far.request()
    far.write(b'{"jsonrpc":"2.0","resul')
    far.hang_up()
    assert isinstance(call.error(), ConnectionLost)


def test_a_lost_connection_wakes_every_waiter(pair: Pair) -> None:
    client, far = pair
    calls = [InThread(ask, client, number, 600) for number in range(50)]
    far.requests(50)
    far.hang_up()
    errors = [call.error() for call in calls]
    assert {type(error) for error in errors} == {ConnectionLost}
    assert len(client._pending) == 0


def test_closing_wakes_the_reader_and_every_waiter_and_ends_the_thread(connected: Pair) -> None:
    client, far = connected
    calls = [InThread(ask, client, number, 600) for number in range(5)]
    far.requests(5)
    client.close()
    assert {type(call.error()) for call in calls} == {ConnectionLost}
    assert not reader_of(client).is_alive()
    assert client.lost
    assert client._socket.fileno() == -1
    client.close()


def test_closing_wakes_a_caller_that_waits_to_write(pair: Pair) -> None:
    client, _far = pair
    calls = [InThread(ask, client, TOO_MUCH, 600), InThread(ask, client, 2, 600)]
    eventually(client._writing.locked, what="the first caller to fill the socket")
    client.close()
    assert {type(call.error()) for call in calls} == {ConnectionLost}


@pytest.mark.parametrize(("owner", "telling"), [("_pending", "fail_all"), ("_lost", "set")])
def test_nothing_can_be_written_any_more_when_anybody_learns_of_the_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, owner: str, telling: str
) -> None:
    client, far = pair
    tell, written = getattr(getattr(client, owner), telling), []

    def try_to_write_first(*because: str) -> None:
        try:
            client._socket.send(b"one more\n")
        except OSError:
            written.append(False)
        else:
            written.append(True)
        tell(*because)

    monkeypatch.setattr(getattr(client, owner), telling, try_to_write_first)
    client.close()
    assert written[0] is False
    assert far.socket.recv(100) == b""


def test_the_reader_has_a_name_that_says_what_it_reads(pair: Pair) -> None:
    client, _far = pair
    assert reader_of(client).name == "rpc-reader:test"
    assert reader_of(client).daemon


# -- notices -----------------------------------------------------------------------------------


def notice(number: int) -> bytes:
    return json.dumps({"method": "receive", "params": number}).encode() + b"\n"


def test_notices_arrive_in_order_and_those_of_one_read_together(make_pair: Make) -> None:
    batches: list[Sequence[Notice]] = []
    _client, far = make_pair(on_notices=batches.append)
    far.write(b"".join(notice(number) for number in range(1000)))
    eventually(lambda: sum(map(len, batches)) == 1000, what="1000 notices")
    assert [one.params for batch in batches for one in batch] == list(range(1000))
    assert len(batches) < 100


def test_replies_among_notices_are_settled_before_the_handler_is_called(
    make_pair: Make,
) -> None:
    go_on, seen = threading.Event(), threading.Event()

    def slow(_notices: Sequence[Notice]) -> None:
        seen.set()
        assert go_on.wait(30)

    client, far = make_pair(on_notices=slow)
    call = InThread(ask, client)
    request = far.request()
    far.write(notice(1) + echo(request) + notice(2))
    assert call.result() == {"n": None}
    assert seen.wait(10)
    go_on.set()


def test_what_comes_later_is_read_only_after_the_handler_returned(make_pair: Make) -> None:
    go_on, seen = threading.Event(), threading.Event()
    batches: list[Sequence[Notice]] = []

    def slow(notices: Sequence[Notice]) -> None:
        batches.append(notices)
        seen.set()
        assert go_on.wait(30)

    client, far = make_pair(on_notices=slow)
    far.write(notice(1))
    assert seen.wait(10)
    call = InThread(ask, client, 1)
    far.answer(far.request(), "late")
    assert not call.is_over()
    go_on.set()
    assert call.result() == "late"
    assert [one.params for one in batches[0]] == [1]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("odd"), "what signal-cli sent could not be handled (RuntimeError)"),
        (OSError(28, "No space left"), "what signal-cli sent could not be handled (OSError)"),
        (MemoryError(), "what signal-cli sent could not be handled (MemoryError)"),
    ],
)
def test_an_exception_of_the_handler_ends_the_connection_and_every_waiter_hears_of_it(
    make_pair: Make, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    taken: list[object] = []

    def fail(notices: Sequence[Notice]) -> None:
        taken.extend(one.params for one in notices)
        raise error

    client, far = make_pair(on_notices=fail)
    calls = [InThread(ask, client, number, 600) for number in range(3)]
    far.requests(3)
    far.write(notice(1) + notice(2))
    assert {str(call.error()) for call in calls} == {told}
    assert {type(call.error()) for call in calls} == {ConnectionLost}
    assert client.wait_until_lost(10)
    assert client.lost_because == told
    reader_of(client).join(timeout=10)
    assert taken == [1, 2]
    assert "the connection is closed" in caplog.text


def test_a_handler_that_says_why_it_fails_is_not_a_defect(
    make_pair: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_notices: Sequence[Notice]) -> None:
        raise StoreFull("the disk is full")

    client, far = make_pair(on_notices=fail)
    far.write(notice(1))
    assert client.wait_until_lost(10)
    assert client.lost_because == "the disk is full"
    assert caplog.text == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_handler_that_ends_its_thread_leaves_no_waiter_behind(make_pair: Make) -> None:
    def leave(_notices: Sequence[Notice]) -> None:
        raise SystemExit

    client, far = make_pair(on_notices=leave)
    call = InThread(ask, client, 1, 600)
    far.request()
    far.write(notice(1))
    assert isinstance(call.error(), ConnectionLost)


def test_a_line_that_cannot_be_read_for_lack_of_memory_leaves_no_waiter_behind(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, far = pair

    def fail(_line: bytes) -> None:
        raise MemoryError

    call = InThread(ask, client, 1, 600)
    request = far.request()
    monkeypatch.setattr(module, "decode_line", fail)
    far.answer(request, "too large")
    error = call.error()
    assert isinstance(error, ConnectionLost)
    assert str(error) == "what signal-cli sent could not be handled (MemoryError)"
    assert error.request_written


def test_notices_before_the_end_of_the_connection_are_handed_over(make_pair: Make) -> None:
    taken: list[object] = []
    client, far = make_pair(on_notices=lambda batch: taken.extend(one.params for one in batch))
    far.write(notice(1) + notice(2) + b'{"method":"cut off')
    far.hang_up()
    assert client.wait_until_lost(10)
    assert taken == [1, 2]


def test_a_client_that_only_calls_drops_notices_in_silence(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    client, far = pair
    far.write(notice(1))
    far.serve(echo)
    assert ask(client, 1) == {"n": 1}
    assert caplog.text == ""


# -- acknowledging -----------------------------------------------------------------------------


class Recorded:
    """A socket, and what its reader does with it."""

    def __init__(self, connection: socket.socket, quick_acks: bool = True) -> None:
        self._connection = connection
        self._quick_acks = quick_acks
        self.done: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def recv(self, size: int) -> bytes:
        chunk = self._connection.recv(size)
        self.done.append("read")
        return chunk

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.done.append("acknowledge quickly")
        if not self._quick_acks:
            raise OSError(errno.EINVAL, "Invalid argument")
        self._connection.setsockopt(level, option, value)


@contextlib.contextmanager
def recorded(family: socket.AddressFamily, quick_acks: bool = True) -> Iterator[Recorded]:
    """The near socket of a client that has made three calls, one after the other."""
    if family == socket.AF_UNIX:
        near, far_socket = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            near = socket.create_connection(listening.getsockname())
            far_socket = listening.accept()[0]
    connection, far = Recorded(near, quick_acks), FarEnd(far_socket)
    client = Client(connection, "test")  # type: ignore[arg-type]
    far.serve(echo)
    assert [ask(client, number) for number in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    yield connection
    far.hang_up()
    client.close()


def test_over_tcp_each_read_is_acknowledged_quickly_for_the_kernel_forgets_the_wish() -> None:
    with recorded(socket.AF_INET) as connection:
        done = connection.done[:6]
    assert done == ["read", "acknowledge quickly"] * 3


def test_a_unix_socket_knows_no_acknowledging() -> None:
    with recorded(socket.AF_UNIX) as connection:
        assert set(connection.done) == {"read"}


def test_what_was_read_counts_though_it_cannot_be_acknowledged_quickly() -> None:
    """As for a daemon that hung up right after its last answer."""
    with recorded(socket.AF_INET, quick_acks=False) as connection:
        assert connection.done[:2] == ["read", "acknowledge quickly"]


# -- connecting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "unix:/nonexistent/socket",
        "tcp:127.0.0.1:1",
        "tcp:[::1]:1",
        "tcp:a..b:7583",
        "tcp:" + "a" * 70 + ".example:7583",
        "unix:/" + "a" * 200,
    ],
)
def test_an_address_where_nobody_listens_is_a_daemon_that_is_not_there(address: str) -> None:
    with pytest.raises(DaemonUnavailable, match="cannot be reached") as caught:
        connect(address, Deadline(5))
    assert not caught.value.request_written
    assert caught.value.retryable


def test_a_full_queue_is_a_daemon_that_is_not_there(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 's'}"
    opened = [socket.socket(socket.AF_UNIX)]
    opened[0].bind(str(tmp_path / "s"))
    opened[0].listen(0)

    def fill() -> None:
        opened.extend(connect(address, Deadline(0.1)) for _ in range(10))

    with pytest.raises(DaemonUnavailable):
        fill()
    for one in opened:
        one.close()


def test_without_a_thread_to_read_with_there_is_no_daemon_to_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    near, far = socket.socketpair()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(DaemonUnavailable, match="can't start new thread") as caught:
        Client(near, "test")
    assert caught.value.retryable
    assert near.fileno() == -1
    far.close()
