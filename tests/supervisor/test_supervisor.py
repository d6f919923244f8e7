"""Real children, kept alive: started, watched, restarted, ended."""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.supervisor import supervisor as module
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.listening import listen_unix
from signal_bridge.supervisor.output import OutputRing
from signal_bridge.supervisor.process import Process
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import Policy, Supervisor
from tests.rpc.far_end import InThread
from tests.supervisor.children import (
    DEAF,
    QUICK,
    SLEEP,
    Record,
    Watched,
    exists,
    fail_once,
    kill,
    python,
)
from tests.support import eventually
from tests.support.processes import children_and_zombies

STARTING, RUNNING, BACKING_OFF = State.STARTING, State.RUNNING, State.BACKING_OFF
STOPPING, STOPPED, FAILED = State.STOPPING, State.STOPPED, State.FAILED


class Probe:
    """Answers what the test says: None is well."""

    def __init__(self, *answers: str | None) -> None:
        self.answers: Sequence[str | None] = answers or (None,)
        self.asked = 0
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> str | None:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        self.seconds.append(seconds)
        return answer


def quick(**changes: object) -> Policy:
    return dataclasses.replace(QUICK, **changes)  # type: ignore[arg-type]


# -- starting ----------------------------------------------------------------------------------


def test_a_child_is_running_once_it_answers_the_probe() -> None:
    probe = Probe("not yet", "not yet", None)
    with Watched(python(SLEEP), probe=probe) as child:
        assert child.running()
        assert child.record.states == [STARTING, RUNNING]
        assert exists(child.record.pid())
        assert probe.seconds[0] == QUICK.starting_probe_seconds
        eventually(lambda: probe.asked > 4, what="it to be watched on")
        assert probe.seconds[-1] == QUICK.probe_seconds
    assert child.record.states == [STARTING, RUNNING, STOPPING, STOPPED]


def test_a_child_without_a_probe_is_running_at_once() -> None:
    with Watched(python(SLEEP)) as child:
        assert child.running()


def test_a_child_that_starts_slowly_is_not_probed_in_a_tight_loop() -> None:
    probe = Probe("not yet")
    with Watched(python("import time; time.sleep(0.5)"), probe=probe) as child:
        child.wait_for(BACKING_OFF)
        assert probe.asked < 50


def test_a_child_that_never_answers_is_started_again() -> None:
    with Watched(
        python(SLEEP), probe=Probe("connection refused"), policy=quick(start_seconds=0.1)
    ) as child:
        child.wait_for(STARTING, 2)
        assert child.record.states[:4] == [STARTING, STOPPING, BACKING_OFF, STARTING]
        assert "connection refused" in child.record.detail(BACKING_OFF)


def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    with Watched(Command(("/nonexistent/program",)), probe=Probe("no")) as child:
        child.wait_for(BACKING_OFF, 3)
        assert "/nonexistent/program cannot be started: No such file" in (
            child.record.detail(BACKING_OFF)
        )


def test_a_machine_that_cannot_fork_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    process, failures = module.Process, [OSError(11, "Resource temporarily unavailable")] * 2

    def fork(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return process(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "Process", fork)
    with Watched(python(SLEEP)) as child:
        assert child.running()
        assert child.record.states == [STARTING, BACKING_OFF, STARTING, BACKING_OFF,
                                       STARTING, RUNNING]  # fmt: skip
        assert "cannot be started" in child.record.detail(BACKING_OFF)


# -- dying -------------------------------------------------------------------------------------


def test_a_killed_child_comes_back_as_another_process() -> None:
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        first = child.record.pid()
        kill(first)
        child.wait_for(RUNNING, 2)
        assert "was ended by signal 9" in child.record.detail(BACKING_OFF)
        assert child.record.pid() != first
        assert not exists(first)
        assert exists(child.record.pid())
    assert not exists(child.record.pid())


def attempts_seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the attempts, as the pause before each was asked for."""
    seen: list[int] = []
    monkeypatch.setattr(
        module, "backoff_seconds", lambda attempt, *_: seen.append(attempt) or 0.001
    )
    return seen


def test_a_child_that_dies_again_and_again_is_given_longer_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = attempts_seen(monkeypatch)
    with Watched(python("raise SystemExit(3)"), probe=Probe("no")) as child:
        child.wait_for(BACKING_OFF, 4)
    assert attempts[:4] == [1, 2, 3, 4]


def test_a_stable_life_resets_the_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = attempts_seen(monkeypatch)
    with Watched(python("raise SystemExit(3)"), policy=quick(stable_seconds=0)) as child:
        child.wait_for(BACKING_OFF, 3)
    assert set(attempts) == {1}


def test_the_pauses_are_those_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, ...]] = []
    monkeypatch.setattr(
        module, "backoff_seconds", lambda *arguments: asked.append(arguments) or 0.001
    )
    with Watched(python("")) as child:
        child.wait_for(BACKING_OFF)
    assert asked[0] == (1, QUICK.first_backoff_seconds, QUICK.longest_backoff_seconds)


def test_the_last_words_of_a_child_are_told() -> None:
    code = "import sys; print('ERROR no memory', flush=True); sys.exit(3)"
    with Watched(python(code), probe=Probe("no")) as child:
        child.wait_for(BACKING_OFF)
        eventually(
            lambda: child.record.detail(BACKING_OFF).startswith(
                "exited with code 3; it said: ERROR no memory; next start in "
            ),
            what="its last words",
        )


def test_what_one_child_leaves_behind_is_gone_before_the_next_starts(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "if os.fork(): os._exit(1)\n"
        "open(f'{sys.argv[1]}/{os.getpid()}', 'w').close()\n"
        "time.sleep(3600)\n"
    )
    with Watched(python(code, tmp_path)) as child:
        eventually(lambda: len(list(tmp_path.iterdir())) >= 2, what="orphans of two lives")
        child.wait_for(BACKING_OFF, 2)
    eventually(
        lambda: not any(exists(int(orphan.name)) for orphan in tmp_path.iterdir()),
        what="no orphan",
    )


# -- hanging -----------------------------------------------------------------------------------


def test_a_child_that_stops_answering_is_ended_and_started_again() -> None:
    probe = Probe(None, "no answer", "no answer", None)
    with Watched(python(SLEEP), probe=probe) as child:
        child.wait_for(RUNNING, 2)
        assert child.record.states[:6] == [STARTING, RUNNING, STOPPING, BACKING_OFF,
                                           STARTING, RUNNING]  # fmt: skip
        assert child.record.detail(STOPPING) == "stopped answering: no answer"


def test_one_missing_answer_is_forgiven() -> None:
    probe = Probe(None, "no answer", None, "no answer", None)
    with Watched(python(SLEEP), probe=probe) as child:
        eventually(lambda: probe.asked > 6, what="more probes")
        assert child.record.states == [STARTING, RUNNING]


def test_a_hung_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    def probe(_seconds: float) -> str | None:
        return None if ready.exists() and not hung.is_set() else "no answer"

    hung = threading.Event()
    with Watched(python(DEAF, ready), probe=probe, policy=quick(stop_seconds=0.1)) as child:
        assert child.running()
        first = child.record.pid()
        hung.set()
        child.wait_for(STARTING, 2)
        assert not exists(first)


def test_a_child_that_is_frozen_is_killed_too() -> None:
    frozen = threading.Event()
    with Watched(
        python(SLEEP),
        probe=lambda _: "no answer" if frozen.is_set() else None,
        policy=quick(stop_seconds=0.1),
    ) as child:
        assert child.running()
        first = child.record.pid()
        os.kill(first, signal.SIGSTOP)
        frozen.set()
        child.wait_for(STARTING, 2)
        assert not exists(first)


# -- restarting --------------------------------------------------------------------------------


def test_a_child_is_replaced_when_that_is_asked_for() -> None:
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        child.supervisor.restart("a test")
        child.wait_for(RUNNING, 2)
        assert child.record.states[:6] == [STARTING, RUNNING, STOPPING, BACKING_OFF,
                                           STARTING, RUNNING]  # fmt: skip
        assert child.record.detail(BACKING_OFF).startswith("was restarted: a test; next start in ")


def test_a_restart_that_is_noticed_before_the_wake_up_call_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The watch looks by itself now and then, and may see the wish before it is woken for it."""
    write = os.eventfd_write
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()

        def write_late(descriptor: int, value: int) -> None:
            child.wait_for(STOPPING)
            write(descriptor, value)

        monkeypatch.setattr(os, "eventfd_write", write_late)
        child.supervisor.restart("a test")
        monkeypatch.undo()
        child.wait_for(RUNNING, 2)
        assert child.record.states.count(STARTING) == 2
    assert "nobody expected" not in caplog.text


def test_a_watch_that_was_woken_goes_to_sleep_again() -> None:
    probe = Probe()
    with Watched(python(SLEEP), probe=probe, policy=quick(probe_every_seconds=3600)) as child:
        assert child.running()
        for asked in (2, 3):
            os.eventfd_write(child.supervisor._wake_fd, 1)
            eventually(lambda asked=asked: probe.asked == asked, what="one more look")


# -- hopeless ----------------------------------------------------------------------------------

SAYS_NO = "import sys, time; print('unknown option', flush=True); sys.exit(1)"


def test_a_configuration_error_is_not_tried_again() -> None:
    with Watched(
        python(SAYS_NO), probe=Probe("no"), policy=quick(hopeless_exit_codes=frozenset({1}))
    ) as child:
        child.wait_for(FAILED)
        child.supervisor._thread.join(timeout=10)
        assert not child.supervisor._thread.is_alive()
        assert child.record.states == [STARTING, FAILED]
        assert child.record.detail(FAILED).startswith("exited with code 1")
    assert child.supervisor.state is FAILED


def test_another_code_is_tried_again() -> None:
    with Watched(
        python("raise SystemExit(3)"),
        probe=Probe("no"),
        policy=quick(hopeless_exit_codes=frozenset({1})),
    ) as child:
        child.wait_for(STARTING, 2)


def test_the_same_code_after_it_was_running_is_tried_again(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "sys.exit(1)\n"
    )
    with Watched(
        python(code, tmp_path / "go"),
        probe=Probe(),
        policy=quick(hopeless_exit_codes=frozenset({1})),
    ) as child:
        assert child.running()
        (tmp_path / "go").touch()
        child.wait_for(BACKING_OFF)
        assert "exited with code 1" in child.record.detail(BACKING_OFF)
        assert FAILED not in child.record.states


# -- stopping ----------------------------------------------------------------------------------


def test_stopping_ends_the_child_and_the_thread() -> None:
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        child.supervisor.stop()
        assert child.supervisor.state is STOPPED
        assert not exists(child.record.pid())
        assert not child.supervisor._thread.is_alive()


def test_stopping_twice_is_harmless() -> None:
    with Watched(python(SLEEP)) as child:
        assert child.running()
        both = [InThread(child.supervisor.stop) for _ in range(2)]
        for one in both:
            one.result()
        child.supervisor.stop()
        assert child.record.states.count(STOPPED) == 1


def test_stopping_what_never_started_is_harmless() -> None:
    record = Record()
    Supervisor("child", python(SLEEP), record).stop()
    assert record.seen == []


def test_stopping_during_a_pause_does_not_wait_for_its_end() -> None:
    long = quick(first_backoff_seconds=3600, longest_backoff_seconds=3600)
    with Watched(python(""), policy=long) as child:
        child.wait_for(BACKING_OFF)
        InThread(child.supervisor.stop).result()
        assert child.record.states[-2:] == [BACKING_OFF, STOPPED]


def test_stopping_during_a_start_ends_the_child() -> None:
    with Watched(python(SLEEP), probe=Probe("not yet")) as child:
        child.wait_for(STARTING)
        InThread(child.supervisor.stop).result()
        assert child.record.states == [STARTING, STOPPING, STOPPED]


def test_a_child_that_dies_while_it_is_stopped_is_not_started_again() -> None:
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        stop = InThread(child.supervisor.stop)
        stop.result()
        assert child.record.states.count(STARTING) == 1
        assert child.record.states[-1] is STOPPED


def test_stopping_kills_a_child_that_ignores_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with Watched(
        python(DEAF, ready),
        probe=lambda _: None if ready.exists() else "no",
        policy=quick(stop_seconds=0.1),
    ) as child:
        assert child.running()
        child.supervisor.stop()
        assert not exists(child.record.pid())


def test_the_time_to_stop_is_not_given_to_a_child_that_went_at_once() -> None:
    with Watched(python(SLEEP), policy=quick(stop_seconds=3600)) as child:
        assert child.running()
        InThread(child.supervisor.stop).result()


# -- what nobody expected ----------------------------------------------------------------------


def children() -> set[int]:
    """Of this test process, those that were not reaped among them."""
    return children_and_zombies(os.getpid())


@pytest.mark.parametrize(
    ("owner", "name", "error"),
    [
        (os, "pidfd_open", OSError(errno.EMFILE, "Too many open files")),
        (OutputRing, "drain", RuntimeError("can't start new thread")),
    ],
)
def test_a_child_that_cannot_be_watched_is_replaced_and_there_are_never_two(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception
) -> None:
    before = children()
    fail_once(monkeypatch, owner, name, error)
    with Watched(python(SLEEP)) as child:
        assert child.running()
        assert child.record.states == [STARTING, BACKING_OFF, STARTING, RUNNING]
        because = child.record.detail(BACKING_OFF)
        assert because.startswith(f"cannot be started: {error}; next start in ")
        assert children() - before == {child.record.pid()}
    assert children() <= before


def test_whatever_fails_in_the_life_of_a_child_ends_it_and_another_is_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, odd = children(), threading.Event()

    def probe(_seconds: float) -> str | None:
        if odd.is_set():
            odd.clear()
            raise ValueError("odd")
        return None

    with Watched(python(SLEEP), probe=probe) as child:
        assert child.running()
        first = child.record.pid()
        odd.set()
        child.wait_for(RUNNING, 2)
        assert child.record.states[:5] == [STARTING, RUNNING, BACKING_OFF, STARTING, RUNNING]
        assert "(ValueError), which the log shows" in child.record.detail(BACKING_OFF)
        assert not exists(first)
        assert children() - before == {child.record.pid()}
    assert children() <= before
    assert caplog.text.count("ValueError: odd") == 1


def test_what_fails_again_and_again_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def probe(_seconds: float) -> str | None:
        raise ValueError("odd")

    before = children()
    with Watched(python(SLEEP), probe=probe) as child:
        child.wait_for(STARTING, 4)
    assert children() <= before
    assert caplog.text.count("ValueError: odd") == 1


@pytest.mark.parametrize("method", ["wait", "end", "close"])
def test_a_child_is_not_left_behind_by_one_that_cannot_be_dealt_with(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    before = children()
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        first = child.record.pid()
        fail_once(monkeypatch, Process, method, OSError(errno.ENOMEM, "Cannot allocate memory"))
        child.supervisor.restart("a test")
        child.wait_for(RUNNING, 2)
        assert not exists(first)
        assert children() - before == {child.record.pid()}
    assert children() <= before


@pytest.mark.parametrize("state", [STARTING, RUNNING, STOPPING, BACKING_OFF, STOPPED])
def test_a_listener_that_fails_ends_no_supervision(
    caplog: pytest.LogCaptureFixture, state: State
) -> None:
    before, told = children(), list[State]()

    def listen(now: State, _detail: str) -> None:
        told.append(now)
        if now is state:
            raise ValueError("odd")

    supervisor = Supervisor("child", python(SLEEP), listen, policy=QUICK)
    supervisor.start()
    eventually(lambda: RUNNING in told, 30, "it to run")
    supervisor.restart("a test")
    eventually(lambda: told.count(RUNNING) == 2, 30, "it to run again")
    assert len(children() - before) == 1
    supervisor.stop()
    assert supervisor.state is STOPPED
    assert children() <= before
    assert told == [STARTING, RUNNING, STOPPING, BACKING_OFF, STARTING, RUNNING, STOPPING, STOPPED]
    assert caplog.text.count("telling of child failed in a way nobody expected") >= 1


# -- telling -----------------------------------------------------------------------------------


def test_a_wait_for_a_state_ends_with_its_deadline() -> None:
    with Watched(python(SLEEP), probe=Probe("no")) as child:
        child.wait_for(STARTING)
        assert not child.supervisor.wait_for(RUNNING, FAILED, deadline=Deadline(0.01))
        assert child.supervisor.wait_for(STARTING, deadline=Deadline(0))


def test_trouble_is_logged_as_an_error_and_the_rest_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with Watched(python(SLEEP), probe=Probe()) as child:
        assert child.running()
        kill(child.record.pid())
        child.wait_for(RUNNING, 2)
    levels = {
        r.message.split(";")[0]: r.levelno for r in caplog.records if r.name == module.__name__
    }
    assert levels["child: was ended by signal 9"] == logging.ERROR
    assert levels["child: stopped on request"] == logging.INFO


def test_a_listening_socket_is_handed_down_as_standard_input(tmp_path: Path) -> None:
    code = "import socket; c = socket.socket(fileno=0).accept()[0]; c.sendall(b'hi'); c.recv(1)"
    with (
        listen_unix(tmp_path / "s") as listening,
        Watched(python(code), stdin=listening.fileno()) as child,
    ):
        for life in range(2):  # whoever connects during a restart gets the next child
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(30)
                client.connect(str(tmp_path / "s"))
                assert client.recv(2) == b"hi", life
        child.wait_for(RUNNING, 2)
