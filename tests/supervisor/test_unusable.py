"""A child that cannot work as it is, what is said of its end, and what it begins with."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import Policy
from tests.rpc.far_end import InThread
from tests.supervisor.children import QUICK, SLEEP, Watched, kill, python
from tests.support import eventually

STARTING, STOPPED, FAILED = State.STARTING, State.STOPPED, State.FAILED
UNUSABLE, BACKING_OFF = State.UNUSABLE, State.BACKING_OFF


def quick(**changes: object) -> Policy:
    return dataclasses.replace(QUICK, **changes)  # type: ignore[arg-type]


def no(_seconds: float) -> str | None:
    return "no"


TOO_OLD = "import sys; print('ERROR it is too old', flush=True); sys.exit(3)"


def too_old(said: Sequence[str]) -> str | None:
    return "get another" if any("too old" in line for line in said) else None


def test_a_child_that_only_another_can_replace_is_told_so_and_rests() -> None:
    with Watched(
        python(TOO_OLD),
        probe=no,
        diagnose=too_old,
        policy=quick(unusable_backoff_seconds=3600),
    ) as child:
        child.wait_for(UNUSABLE)
        assert child.record.detail(UNUSABLE) == "get another"
        assert child.record.states == [STARTING, UNUSABLE]
        InThread(child.supervisor.stop).result()
    assert child.record.states == [STARTING, UNUSABLE, STOPPED]


def test_it_is_tried_again_in_case_it_was_replaced(tmp_path: Path) -> None:
    program, policy = tmp_path / "program", quick(unusable_backoff_seconds=0.05)
    program.write_text(TOO_OLD)
    with Watched(
        Command((sys.executable, str(program))),
        probe=lambda _: "no" if program.read_text() == TOO_OLD else None,
        diagnose=too_old,
        policy=policy,
    ) as child:
        child.wait_for(UNUSABLE, 2)
        program.write_text(SLEEP)
        assert child.running()


def test_that_outweighs_an_exit_code_that_means_a_wrong_configuration() -> None:
    code = TOO_OLD.replace("3", "1")
    policy = quick(hopeless_exit_codes=frozenset({1}))
    with Watched(python(code), probe=no, diagnose=too_old, policy=policy) as child:
        child.wait_for(UNUSABLE)
        assert FAILED not in child.record.states


def test_who_is_killed_explains_nothing() -> None:
    code = "import time; print('WARN an unknown account', flush=True); time.sleep(3600)"
    with Watched(python(code), probe=lambda _: None) as child:
        assert child.running()
        eventually(child.supervisor._complaints)
        kill(child.record.pid())
        child.wait_for(BACKING_OFF)
        assert "an unknown account" not in child.record.detail(BACKING_OFF)


def test_the_temporary_directory_is_new_for_each_life(tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    code = "import os, sys; print('WARN', os.listdir(sys.argv[1])); open(sys.argv[1] + '/x', 'w')"
    command = dataclasses.replace(python(code, place), temporary=place)
    with Watched(command, probe=no) as child:
        child.wait_for(BACKING_OFF, 3)
        said = [detail for state, detail in child.record.seen if state is BACKING_OFF]
    assert all("WARN []" in detail for detail in said)


def test_a_temporary_directory_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = dataclasses.replace(python(SLEEP), temporary=tmp_path / "file" / "tmp")
    with Watched(command) as child:
        child.wait_for(BACKING_OFF)
        assert "cannot be started: " in child.record.detail(BACKING_OFF)
        (tmp_path / "file").unlink()
        assert child.running()
