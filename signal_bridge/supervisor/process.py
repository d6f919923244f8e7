"""One life of one child process: start it, wait for it, end it. No policy."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from signal_bridge.supervisor import tied
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.output import OutputRing

_TIED: Final = Path(tied.__file__)


class Process:
    """A child in a process group of its own, which the kernel kills when we die.

    `stdin` is a file descriptor the child gets as its standard input, `inherited` are passed on
    under their own numbers. With `output` the child's stdout and stderr go there; without, they
    are ours. Raises OSError when the program cannot be started, or not be watched: then nothing
    of it is left.
    """

    def __init__(
        self,
        command: Command,
        stdin: int | None = None,
        inherited: Sequence[int] = (),
        output: OutputRing | None = None,
    ) -> None:
        captured = subprocess.PIPE if output is not None else None
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_TIED), str(os.getpid()), *command.argv],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=captured,
            stderr=subprocess.STDOUT if output is not None else None,
            env=command.environment,
            pass_fds=tuple(inherited),
            start_new_session=True,
        )
        self._exited_fd = -1
        try:
            self._exited_fd = os.pidfd_open(self._popen.pid)
            if output is not None and self._popen.stdout is not None:
                output.drain(self._popen.stdout)  # type: ignore[arg-type]
        except Exception as error:
            self._abandon()
            raise _as_os_error(error) from error

    @property
    def pid(self) -> int:
        """The child's process id, which stays its own until it was waited for."""
        return self._popen.pid

    def wait(self, seconds: float, wake_fd: int | None = None) -> int | None:
        """The exit code once the child has ended (negative: the signal that ended it).

        None when `seconds` passed, or `wake_fd` became readable, before that.
        """
        poller = select.poll()
        poller.register(self._exited_fd, select.POLLIN)
        if wake_fd is not None:
            poller.register(wake_fd, select.POLLIN)
        poller.poll(max(0.0, seconds) * 1000)
        return self._popen.poll()

    def end(self, seconds: float) -> int:
        """Ask it to end, wait up to `seconds`, then force it. The exit code."""
        self._signal(signal.SIGTERM)
        if self.wait(seconds) is None:
            self._signal(signal.SIGKILL)
        return self._popen.wait()

    def close(self) -> None:
        """Forget the child, and kill what it left behind in its group: itself, if it still runs."""
        try:
            self._signal(signal.SIGKILL)
            self._popen.wait()
        finally:
            os.close(self._exited_fd)

    def _abandon(self) -> None:
        """A child nobody can watch must not run: the next one would be a second."""
        self._signal(signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()
        if self._exited_fd != -1:
            os.close(self._exited_fd)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return  # the whole group is gone already


def _as_os_error(error: Exception) -> OSError:
    """No thread left is a RuntimeError, though it is the system that lacks something."""
    return error if isinstance(error, OSError) else OSError(str(error))
