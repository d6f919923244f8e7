"""What a child has in memory."""

from __future__ import annotations

import os
import subprocess
import sys

from signal_bridge.supervisor.memory import resident_bytes
from tests.support import eventually

HOLD = "held = b'x' * 50_000_000; print('held', flush=True); input()"
MIB = 2**20


def child(program: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_it_is_what_the_kernel_counts() -> None:
    assert 5 * MIB < resident_bytes(os.getpid()) < 5000 * MIB


def test_what_a_script_around_it_has_started_counts_too() -> None:
    around = child(["/bin/sh", "-c", f'"{sys.executable}" -c "{HOLD}"; true'])
    with around:
        assert around.stdout is not None
        assert around.stdout.readline() == b"held\n"
        assert resident_bytes(around.pid) > 50 * MIB
        around.communicate(b"\n")


def test_one_that_is_gone_has_nothing() -> None:
    with child([sys.executable, "-c", ""]) as ended:
        pass
    assert eventually(lambda: resident_bytes(ended.pid) == 0)
