"""The real bridge, `signal-bridge serve`, as a process of its own in a directory of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import requests

from tests.support.described import check_response
from tests.support.processes import Process, descendants
from tests.support.waiting import eventually, free_port

REQUEST_SECONDS = 30.0
STOP_SECONDS = 30.0
# What a child needs of our environment. Nothing else: no setting of the developer's leaks in.
INHERITED = ("PATH", "JAVA_HOME", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG")
IS_MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ  # by `make coverage`


class Bridge:
    """One run of the bridge. Settings are keywords: `Bridge(MODE="sandbox", PORT=8081)`.

    As a context manager it starts, waits until HTTP is open, and at the end is killed if the test
    has not stopped it itself. `start` may be called again: same port, same data.
    """

    running: ClassVar[list[Bridge]] = []

    def __init__(self, *command: str, **settings: object) -> None:
        self.command = command or ("serve",)
        # A short path: a UNIX socket's is limited to 107 bytes.
        self.home = Path(tempfile.mkdtemp(prefix="sb-"))
        self.config_dir = self.home / "data"
        self.tmp_dir = self.home / "tmp"
        self.config_dir.mkdir()
        self.tmp_dir.mkdir()
        self.log_path = self.home / "log"
        self.port = int(str(settings.pop("PORT", "") or free_port()))
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = self._environ(settings)
        # Where a test looks into the tables. It may set another way to the same database.
        self.database_url = self.environ.get(
            "BRIDGE_DATABASE_URL", f"sqlite:///{self.config_dir}/bridge/bridge.db"
        )
        self.umask = -1  # ours
        self.become: tuple[str, ...] = ()  # a program that starts it as another user
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: set[Process] = set()

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> Bridge:
        assert not self.is_running(), "it runs already"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.become, sys.executable, "-m", "signal_bridge.cli", *self.command],
                env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                umask=self.umask,
            )  # fmt: skip
        if self not in Bridge.running:
            Bridge.running.append(self)
        return self

    def wait_open(self, seconds: float = 15.0) -> Bridge:
        """Until it answers HTTP at all."""
        eventually(lambda: self._answers("/livez"), seconds, lambda: self._what("HTTP open"))
        return self

    def wait_ready(self, seconds: float = 60.0) -> Bridge:
        """Until `/readyz` says 200: signal-cli answers and the store is open."""
        eventually(
            lambda: self._answers("/readyz", 200), seconds, lambda: self._what("/readyz is 200")
        )
        return self

    def wait_exit(self, seconds: float = STOP_SECONDS) -> int:
        """Until the process is over; its exit code."""
        assert self.process, "it was never started"
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._what(f"exit within {seconds:g} s")) from None

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to stop, as an operator would: it ends with 0 and leaves no process behind."""
        family = self.children()
        self.signal(signal.SIGTERM)
        code = self.wait_exit(seconds)
        assert code == 0, self._what(f"exit code 0, not {code}")
        assert not (left := [child for child in family if child.is_alive()]), (
            f"still running after a clean stop: {left}"
        )

    def kill(self) -> list[Process]:
        """kill -9 of `serve` itself; the processes it had, so that a test can see them go."""
        family = self.children()
        self.signal(signal.SIGKILL)
        self.wait_exit()
        return family

    def close(self) -> None:
        """End whatever is left, and remove the directory."""
        self.children()
        if self.is_running() and IS_MEASURED:
            self._end_gently()
        if self.is_running():
            self.kill()
        for process in self._seen:
            process.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        if self in Bridge.running:
            Bridge.running.remove(self)

    def signal(self, how: signal.Signals) -> None:
        assert self.process, "it was never started"
        self.process.send_signal(how)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def __enter__(self) -> Bridge:
        try:
            return self.start().wait_open()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- its processes -------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self.process, "it was never started"
        return self.process.pid

    def children(self) -> list[Process]:
        """Every process below `serve`, nearest first."""
        found = descendants(self.pid) if self.is_running() else []
        self._seen.update(found)
        return found

    def child(self, *words: str) -> Process:
        """The nearest child whose command line holds all of `words`, waited for."""
        return eventually(
            lambda: next(
                (one for one in self.children() if all(word in one.command for word in words)), None
            ),
            what=lambda: self._what(f"a child with {words} among {self.children()}"),
        )

    @property
    def log(self) -> str:
        """Everything it printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # -- HTTP ----------------------------------------------------------------------------------

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """The answer. If it is JSON it is as described, else this is an AssertionError."""
        kwargs.setdefault("timeout", REQUEST_SECONDS)
        response = requests.request(method, self.url + path, **kwargs)
        if not kwargs.get("stream"):
            check_response(response)
        return response

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("PUT", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("DELETE", path, **kwargs)

    # -- inside --------------------------------------------------------------------------------

    def _environ(self, settings: dict[str, object]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp_dir),
            "LANG": "C.UTF-8",
            "MODE": "sandbox",
            "PORT": str(self.port),
            "SIGNAL_CLI_CONFIG_DIR": str(self.config_dir),
        }
        return kept | own | {name: str(value) for name, value in settings.items()}

    def _end_gently(self) -> None:
        """What is killed cannot tell which lines it ran."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            self.wait_exit(5)

    def _answers(self, path: str, status: int | None = None) -> bool:
        assert self.is_running(), self._what("still running")
        try:
            answer = self.get(path, timeout=5)
        except requests.RequestException:
            return False
        return status is None or answer.status_code == status

    def _what(self, expected: str) -> str:
        return f"expected {expected}; the end of its log:\n{self.log[-4000:]}"
