"""Calls for any number of threads over one connection, through starts and restarts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from signal_bridge.clock import now_ms
from signal_bridge.errors import (
    CallTimedOut,
    ConnectionLost,
    DaemonOutdated,
    DaemonUnavailable,
    NotSupported,
    RateLimited,
    Refused,
)
from signal_bridge.rpc.client import Client
from signal_bridge.session.gateway import Gateway
from signal_bridge.settings import Settings
from signal_bridge.signalcli.call import Call
from signal_bridge.store.status import OUTDATED, Status
from signal_bridge.supervisor.listening import listen_unix
from tests.rpc.far_end import FarEnd, InThread
from tests.session.conftest import Board, MakeGateway
from tests.support import ScriptedDaemon, eventually
from tests.support.scripted_daemon import Gate, drop, error, result, silence

SEND = Call("send", {"message": "hi"})
LIST = Call("listGroups", repeatable=True)


def is_down_for(seconds: float) -> dict[str, Status]:
    since_ms = now_ms() - int(seconds * 1000)
    return {"signal-cli": Status("signal-cli", "down", "it exploded", since_ms, now_ms())}


# -- answers -----------------------------------------------------------------------------------


def test_a_call_gives_what_signal_cli_answered(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start().on("send", result({"timestamp": 5}))
    assert gateway.run(SEND) == {"timestamp": 5}
    assert own.asked("send")[0].params == {"message": "hi"}


def test_a_refusal_is_an_error_with_its_code(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start().on("send", error(-1, "no such thing"), error(-5, "slow down", None))
    with pytest.raises(Refused, match="no such thing") as caught:
        gateway.run(SEND)
    assert caught.value.rpc_code == -1
    with pytest.raises(RateLimited):
        gateway.run(SEND)
    assert len(own.asked("send")) == 2


def test_a_method_that_signal_cli_has_not_got_names_the_version_that_has_it(
    own: ScriptedDaemon, gateway: Gateway, board: Board
) -> None:
    own.start().on("sendStory", error(-32601, "Method not implemented"))
    needs = "does not have sendStory; that needs signal-cli 0.14.6 or newer$"
    with pytest.raises(NotSupported, match=f"^This signal-cli {needs}"):
        gateway.run(Call("sendStory"))
    board.said["version"] = Status("version", "0.13.19", "", 1, now_ms())
    with pytest.raises(NotSupported, match=rf"^signal-cli 0\.13\.19 {needs}"):
        gateway.run(Call("sendStory"))


def test_a_call_that_is_not_answered_ends_with_its_own_deadline(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    own.start().on("send", silence)
    with pytest.raises(CallTimedOut) as caught:
        gateway.run(Call("send", timeout_seconds=0.3))
    assert caught.value.request_written
    assert len(own.asked("send")) == 1


def test_a_daemon_of_somebody_else_is_called_without_a_greeting(
    make_gateway: MakeGateway,
) -> None:
    with ScriptedDaemon() as theirs:
        gateway = make_gateway(BRIDGE_SIGNAL_CLI_RPC=theirs.address)
        gateway.run(SEND)
        assert [request.method for request in theirs.requests] == ["send"]


# -- starts ------------------------------------------------------------------------------------


def test_a_call_waits_for_a_daemon_that_is_not_there_yet(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    call = InThread(gateway.run, SEND)
    call._thread.join(0.1)
    assert not call.is_over()
    own.start()
    assert call.result(60) == {}


def test_a_call_waits_in_the_queue_of_a_socket_that_nobody_serves_yet(
    settings: Settings, gateway: Gateway
) -> None:
    """As while the JVM restarts: the supervisor holds the socket all the time."""
    with listen_unix(settings.socket_path) as listening:
        call = InThread(gateway.run, SEND)
        far = FarEnd(listening.accept()[0])
        far.answer(far.request(), {"version": "0"})
        request = far.request()
        assert request["method"] == "send"
        far.answer(request, "done")
        assert call.result() == "done"
        far.hang_up()


def test_a_call_is_written_only_to_a_daemon_that_answers(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    gate = Gate()
    own.start().on("version", gate(result({"version": "0"})), result({"version": "0"}))
    call = InThread(gateway.run, SEND)
    gate.wait_for(1)
    assert own.asked("send") == []
    gate.open()
    assert call.result() == {}


@pytest.mark.parametrize("start_wait", ["0", "0.3"])
def test_a_call_gives_up_when_no_daemon_came_in_time(
    make_gateway: MakeGateway, start_wait: str
) -> None:
    gateway = make_gateway(BRIDGE_START_WAIT_SECONDS=start_wait)
    with pytest.raises(DaemonUnavailable) as caught:
        gateway.run(SEND)
    assert not caught.value.request_written
    assert caught.value.retry_after_seconds > 0


def test_a_call_gives_up_when_the_daemon_does_not_answer_in_time(
    own: ScriptedDaemon, make_gateway: MakeGateway
) -> None:
    own.start().on("version", silence)
    gateway = make_gateway(BRIDGE_START_WAIT_SECONDS="0.3")
    with pytest.raises(DaemonUnavailable, match="not ready yet"):
        gateway.run(SEND)
    assert own.asked("send") == []


def test_a_call_to_a_daemon_that_is_down_for_long_fails_at_once(
    settings: Settings, gateway: Gateway, board: Board
) -> None:
    board.said = is_down_for(61)
    with listen_unix(settings.socket_path) as listening:
        with pytest.raises(DaemonUnavailable, match="it exploded"):
            InThread(gateway.run, SEND).result()
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):  # it did not even try
            listening.accept()


def test_a_call_to_a_daemon_that_signal_refuses_is_told_so_at_once(
    settings: Settings, gateway: Gateway, board: Board
) -> None:
    board.said = {"signal-cli": Status("signal-cli", OUTDATED, "get another", now_ms(), now_ms())}
    with pytest.raises(DaemonOutdated, match="get another") as caught:
        gateway.run(SEND)
    assert (caught.value.code, caught.value.retryable) == ("signal_cli_outdated", False)


def test_a_call_to_a_daemon_that_is_down_for_a_moment_waits(
    own: ScriptedDaemon, gateway: Gateway, board: Board
) -> None:
    board.said = is_down_for(1)
    call = InThread(gateway.run, SEND)
    own.start()
    assert call.result(60) == {}


def test_while_the_connection_stands_the_board_is_not_asked(
    own: ScriptedDaemon, gateway: Gateway, board: Board
) -> None:
    own.start()
    gateway.run(SEND)
    board.said = is_down_for(3600)
    assert gateway.run(SEND) == {}


def test_one_who_waits_briefly_does_not_end_the_wait_of_others(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    patient = InThread(gateway.run, SEND)
    assert InThread(gateway.ping, 0.05).result() is not None
    own.start()
    assert patient.result(60) == {}


# -- one connection ----------------------------------------------------------------------------


def test_many_callers_share_one_connection_and_one_attempt(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    gate = Gate()
    own.start().on("version", gate(result({"version": "0"})))
    calls = [InThread(gateway.run, SEND) for _ in range(30)]
    gate.wait_for(1)
    gate.open()
    assert [call.result() for call in calls] == [{}] * 30
    assert len(own.connections) == 1
    assert len(own.asked("version")) == 1


def test_after_a_restart_of_the_daemon_calls_go_on(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start()
    gateway.run(SEND)
    own.stop()
    waiting = InThread(gateway.run, LIST)
    own.start()
    assert waiting.result(60) == {}
    assert gateway.run(SEND) == {}


def test_a_connection_that_was_lost_meanwhile_is_replaced_without_a_word(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    own.start()
    gateway.run(SEND)
    client = gateway._current()
    own.drop_connections()
    assert isinstance(client, Client)
    assert client.wait_until_lost(10)
    assert gateway.run(SEND) == {}
    assert len(own.asked("send")) == 2


# -- repeating ---------------------------------------------------------------------------------


def test_what_was_written_is_not_repeated_though_it_only_reads_and_the_caller_may(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    """It may be what ended signal-cli."""
    own.start().on("listGroups", drop, result(["a group"]))
    with pytest.raises(ConnectionLost) as caught:
        gateway.run(LIST)
    assert (caught.value.request_written, caught.value.retryable) == (True, True)
    assert len(own.asked("listGroups")) == 1
    assert gateway.run(LIST) == ["a group"]


def test_who_waited_in_vain_for_a_call_that_only_reads_may_ask_again(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    own.start().on("listGroups", silence)
    with pytest.raises(CallTimedOut) as caught:
        gateway.run(Call("listGroups", repeatable=True, timeout_seconds=0.3))
    assert (caught.value.request_written, caught.value.retryable) == (True, True)


def test_a_send_is_never_repeated_once_it_was_written(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    own.start().on("send", drop, result({}))
    with pytest.raises(ConnectionLost) as caught:
        gateway.run(SEND)
    assert caught.value.request_written
    assert not caught.value.retryable
    assert len(own.asked("send")) == 1


def test_a_send_that_was_not_written_is_repeated(
    own: ScriptedDaemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.start()
    call, failures = Client.call, ["once"]

    def lost_before_it_was_written(*arguments: object) -> object:
        if arguments[1] == "send" and failures:
            failures.pop()
            raise ConnectionLost("gone", request_written=False)
        return call(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "call", lost_before_it_was_written)
    assert gateway.run(SEND) == {}
    assert len(own.asked("send")) == 1


def test_a_call_that_finds_no_connection_that_lasts_is_not_tried_for_ever(
    own: ScriptedDaemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.start()
    gateway.run(SEND)
    tries = []

    def lost_before_it_was_written(*_: object) -> object:
        tries.append("one more")
        raise ConnectionLost("gone", request_written=False)

    monkeypatch.setattr(Client, "call", lost_before_it_was_written)
    with pytest.raises(ConnectionLost) as caught:
        gateway.run(SEND)
    assert caught.value.retryable
    assert 1 < len(tries) <= 5


def test_a_daemon_that_dies_while_it_starts_is_waited_for_and_nothing_was_sent(
    own: ScriptedDaemon, gateway: Gateway
) -> None:
    own.start().on("version", drop, result({"version": "0"}))
    assert gateway.run(SEND) == {}
    assert len(own.asked("send")) == 1


# -- ping and close ----------------------------------------------------------------------------


def test_a_ping_is_silent_when_all_is_well(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start()
    assert gateway.ping(10) is None
    assert gateway.ping(10) is None
    assert {request.method for request in own.requests} == {"version"}


def test_a_ping_says_what_is_wrong(own: ScriptedDaemon, gateway: Gateway) -> None:
    assert "cannot be reached" in str(gateway.ping(0.01)) or "not ready" in str(gateway.ping(0.01))
    own.start()
    assert gateway.ping(10) is None
    own.on("version", silence)
    assert "did not answer version" in str(gateway.ping(0.1))


def test_a_ping_after_a_restart_finds_the_new_daemon(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start()
    assert gateway.ping(10) is None
    own.stop()
    own.start()
    eventually(lambda: gateway.ping(10) is None, what="the new daemon to answer")


def test_closing_wakes_the_callers(own: ScriptedDaemon, gateway: Gateway) -> None:
    own.start().on("send", silence)
    call = InThread(gateway.run, SEND)
    own.wait_for("send")
    gateway.close()
    assert isinstance(call.error(), ConnectionLost)
    gateway.close()


@pytest.fixture
def patient(make_gateway: MakeGateway) -> Gateway:
    """Waits for a start for longer than any test."""
    return make_gateway(BRIDGE_START_WAIT_SECONDS="300")


def check_released(*calls: InThread) -> None:
    for call in calls:
        error = call.error(60)
        assert isinstance(error, DaemonUnavailable)
        assert "signal-cli is not ready, and the bridge is stopping" in str(error)


@pytest.mark.parametrize("end", [Gateway.stop_waiting, Gateway.close])
def test_who_waits_for_a_daemon_that_is_not_there_is_released(
    end: Callable[[Gateway], None], patient: Gateway
) -> None:
    calls = [InThread(patient.run, SEND) for _ in range(5)]
    end(patient)
    check_released(*calls)


@pytest.mark.parametrize("end", [Gateway.stop_waiting, Gateway.close])
def test_who_waits_for_a_first_answer_is_released(
    end: Callable[[Gateway], None], patient: Gateway, settings: Settings
) -> None:
    with listen_unix(settings.socket_path) as listening:
        calls = [InThread(patient.run, SEND) for _ in range(5)]
        far = FarEnd(listening.accept()[0])
        assert far.request()["method"] == "version"
        end(patient)
        check_released(*calls)
        far.hang_up()


def test_a_connection_that_is_being_closed_is_given_to_nobody(
    own: ScriptedDaemon, patient: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.start()
    ask, close = Client.call, Client.close
    greeted, closing = threading.Event(), threading.Event()

    def call(client: Client, method: str, *arguments: Any) -> Any:
        reply = ask(client, method, *arguments)
        if method == "version":  # answered, and the bridge stops in this very moment
            greeted.set()
            assert closing.wait(60)
        return reply

    def close_late(client: Client) -> None:
        closing.set()
        close(client)

    monkeypatch.setattr(Client, "call", call)
    monkeypatch.setattr(Client, "close", close_late)
    waiting = InThread(patient.run, SEND)
    assert greeted.wait(60)
    patient.stop_waiting()
    check_released(waiting)
    assert own.asked("send") == []


def test_nobody_begins_to_wait_once_the_bridge_stops(patient: Gateway, settings: Settings) -> None:
    patient.stop_waiting()
    check_released(InThread(patient.run, SEND))
    with listen_unix(settings.socket_path):  # a daemon that takes connections and does not answer
        check_released(InThread(patient.run, SEND))


def test_while_the_bridge_stops_calls_that_run_go_on_and_others_are_made(
    own: ScriptedDaemon, patient: Gateway
) -> None:
    gate = Gate()
    own.start().on("send", gate(result("the first")), result("the second"))
    call = InThread(patient.run, SEND)
    gate.wait_for(1)
    patient.stop_waiting()
    gate.open()
    assert call.result(60) == "the first"
    assert patient.run(SEND) == "the second"
    own.drop_connections()
    assert patient.run(LIST) == {}


def test_closing_what_was_never_opened_is_harmless(gateway: Gateway) -> None:
    gateway.close()


def test_a_client_that_connects_by_chance_gets_no_answers_of_ours(
    own: ScriptedDaemon, gateway: Gateway, settings: Settings
) -> None:
    """Ids of other connections settle nothing here."""
    own.start()
    gateway.run(SEND)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(settings.socket_path))
    assert gateway.run(SEND) == {}
