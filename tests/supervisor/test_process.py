"""One life of one child: started, waited for, ended, and never left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.output import OutputRing
from signal_bridge.supervisor.process import Process
from tests.supervisor.children import DEAF, SLEEP, exists, fail_once, kill, python
from tests.support import eventually
from tests.support.processes import children_and_zombies

ROOT = Path(__file__).parents[2]

# A supervisor in a process of its own, for a test to kill. It prints the pid of its child.
PARENT = """
import sys, time
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.process import Process
print(Process(Command((sys.executable, "-c", sys.argv[1]))).pid, flush=True)
time.sleep(3600)
"""
# A child with a child of its own, both deaf; the grandchild's pid goes to a file.
FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    open(sys.argv[1] + ".new", "w").write(str(os.getpid()))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(3600)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(code: str, *arguments: object, **options: object) -> Process:
        started.append(Process(python(code, *arguments), **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for child in started:
        child.end(0)
        child.close()


Start = Callable[..., Process]


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_childs(start: Start, code: int) -> None:
    assert start(f"raise SystemExit({code})").wait(30) == code


def test_a_child_that_was_killed_says_by_which_signal(start: Start) -> None:
    child = start(SLEEP)
    kill(child.pid)
    assert child.wait(30) == -signal.SIGKILL


def test_waiting_ends_when_the_time_is_up(start: Start) -> None:
    assert start(SLEEP).wait(0.01) is None
    assert start(SLEEP).wait(-1) is None


def test_waiting_ends_when_it_is_woken(start: Start) -> None:
    wake = os.eventfd(1)
    assert start(SLEEP).wait(3600, wake) is None
    os.close(wake)


def test_a_polite_child_ends_politely(start: Start) -> None:
    child = start(SLEEP)
    assert child.end(30) == -signal.SIGTERM


def test_a_deaf_child_is_killed(start: Start, tmp_path: Path) -> None:
    child = start(DEAF, tmp_path / "ready")
    eventually((tmp_path / "ready").exists, what="the child to be deaf")
    assert child.end(0.05) == -signal.SIGKILL


def test_the_whole_group_is_killed(start: Start, tmp_path: Path) -> None:
    child = start(FAMILY, tmp_path / "pid")
    eventually((tmp_path / "pid").exists, what="a grandchild")
    grandchild = int((tmp_path / "pid").read_text())
    assert child.end(0.05) == -signal.SIGKILL
    eventually(lambda: not exists(grandchild), what="the grandchild to be gone")


def test_what_a_dead_child_left_behind_is_killed(tmp_path: Path) -> None:
    child = Process(python(FAMILY, tmp_path / "pid"))
    eventually((tmp_path / "pid").exists, what="a grandchild")
    grandchild = int((tmp_path / "pid").read_text())
    kill(child.pid)
    assert child.wait(30) == -signal.SIGKILL
    assert exists(grandchild)
    child.close()
    eventually(lambda: not exists(grandchild), what="the grandchild to be gone")


def test_a_child_dies_with_its_parent_even_when_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, SLEEP], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert exists(child)
    parent.kill()
    parent.wait(30)
    parent.stdout.close()
    eventually(lambda: not exists(child), what="the child to be gone")


def test_a_child_whose_parent_died_before_it_was_tied_ends_at_once(tmp_path: Path) -> None:
    tied = ROOT / "signal_bridge/supervisor/tied.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", tied, "1", "touch", tmp_path / "ran"], check=False
    )
    assert done.returncode == 0
    assert not (tmp_path / "ran").exists()


def test_a_child_gets_its_standard_input_its_files_and_its_environment(
    start: Start, tmp_path: Path
) -> None:
    stdin_reading, stdin_writing = os.pipe()
    reading, writing = os.pipe()
    copy = "import os, sys; os.write(int(sys.argv[1]), os.read(0, 100))"
    child = start(copy, writing, stdin=stdin_reading, inherited=(writing,))
    os.write(stdin_writing, b"hello")
    assert child.wait(30) == 0
    assert os.read(reading, 100) == b"hello"
    for descriptor in (stdin_reading, stdin_writing, reading, writing):
        os.close(descriptor)


def test_a_child_without_standard_input_reads_nothing_of_ours(start: Start) -> None:
    assert start("import sys; sys.exit(len(sys.stdin.read()))").wait(30) == 0


def test_a_child_inherits_nothing_that_was_not_meant_for_it(start: Start) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    check = "import os, sys; os.fstat(int(sys.argv[1]))"
    assert start(check, writing, output=OutputRing("child")).wait(30) == 1
    os.close(reading)
    os.close(writing)


def test_what_a_child_prints_goes_to_its_output(start: Start) -> None:
    output = OutputRing("child")
    start("import sys; print('ERROR a'); print('ERROR b', file=sys.stderr)", output=output)
    eventually(lambda: sorted(output.last_lines()) == ["ERROR a", "ERROR b"], what="both its lines")


def test_a_program_that_is_not_there_says_so_in_one_line(tmp_path: Path) -> None:
    output = OutputRing("child")
    child = Process(Command((str(tmp_path / "nothing"),)), output=output)
    assert child.wait(30) == 1
    eventually(output.last_lines, what="its words")
    assert output.last_lines() == [
        f"{tmp_path}/nothing cannot be started: No such file or directory"
    ]
    child.close()


TROUBLES = [
    (os, "pidfd_open", OSError(errno.EMFILE, "Too many open files")),
    (os, "pidfd_open", MemoryError("no memory")),
    (OutputRing, "drain", RuntimeError("can't start new thread")),
]


@pytest.mark.parametrize(("owner", "name", "error"), TROUBLES)
def test_a_child_that_cannot_be_watched_is_ended_before_that_is_told(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception
) -> None:
    before, descriptors = children_and_zombies(os.getpid()), len(os.listdir("/proc/self/fd"))
    fail_once(monkeypatch, owner, name, error)
    with pytest.raises(OSError, match=str(error.args[-1])):
        Process(python(SLEEP), output=OutputRing("child"))
    assert children_and_zombies(os.getpid()) <= before
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_a_child_that_still_runs_when_it_is_forgotten_is_killed() -> None:
    child = Process(python(SLEEP))
    child.close()
    assert not exists(child.pid)
