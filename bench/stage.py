"""What a bench stands on: daemons and bridges as real processes, ended when the bench is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.clients import HttpClient

# What is measured, its value, and what to compare it with.
Row = tuple[str, str, str]

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sb-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def instant_daemon(delay_ms: float = 0, accounts: int = 1) -> Iterator[str]:
    """The path of its socket."""
    with directory() as place:
        path = str(place / "daemon.sock")
        argv = [sys.executable, "-m", "bench.daemon", path, str(delay_ms), str(accounts)]
        with _process(argv, {}, place / "log"):
            _until(lambda: os.path.exists(path))
            yield path


@dataclass(frozen=True)
class Vitals:
    """What one process holds: `kind` as in `Bridge.pss_of_each`."""

    kind: str
    pid: int
    rss_mb: float
    pss_mb: float
    threads: int
    descriptors: int


class Bridge:
    """A running `serve`: its data, port and pid, and how long it took to open."""

    def __init__(
        self, home: Path, port: int, pid: int, open_seconds: float, ready_seconds: float
    ) -> None:
        self.home = home
        self.port = port
        self.pid = pid
        self.open_seconds = open_seconds
        self.ready_seconds = ready_seconds

    def committed(self) -> int:
        """How many messages its database holds, looked at from outside."""
        with sqlite3.connect(self.home / "bridge" / "bridge.db") as connection:
            query = "select count(*) from events where kind = 'message'"
            return int(connection.execute(query).fetchone()[0])

    def cpu_seconds(self) -> float:
        """What all of its processes have computed so far."""
        return sum(_computed_ns(pid) for pid in _family(self.pid)) / 1e9

    def pss_mb(self) -> dict[str, float]:
        """Proportional memory of the bridge's processes, and of signal-cli."""
        found = {"bridge": 0.0, "signal-cli": 0.0}
        for kind, pss_mb in self.pss_of_each():
            found["signal-cli" if kind == "signal-cli" else "bridge"] += pss_mb
        return found

    def pss_of_each(self) -> list[tuple[str, float]]:
        """The same of each process: serve, gunicorn's master, its workers, signal-cli."""
        found = []
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                smaps = Path(f"/proc/{pid}/smaps_rollup").read_text()
                found.append((self._kind(pid), int(smaps.split("Pss:")[1].split()[0]) / 1024))
        return found

    def vitals(self) -> list[Vitals]:
        """Of each process; one that ends meanwhile is left out."""
        found = []
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                found.append(self._vitals_of(pid))
        return found

    def _vitals_of(self, pid: int) -> Vitals:
        place = Path(f"/proc/{pid}")
        smaps = (place / "smaps_rollup").read_text()
        rss, pss = (int(smaps.split(f"{name}:")[1].split()[0]) / 1024 for name in ("Rss", "Pss"))
        threads = len(os.listdir(place / "task"))
        return Vitals(self._kind(pid), pid, rss, pss, threads, len(os.listdir(place / "fd")))

    def _kind(self, pid: int) -> str:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"org.asamk" in command or b"sandbox" in command:
            return "signal-cli"
        if pid == self.pid:
            return "serve"
        parent_pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return "gunicorn" if parent_pid == self.pid else "worker"


@contextlib.contextmanager
def bridge(home: Path | None = None, **settings: str) -> Iterator[Bridge]:
    """With its data in `home`, or in a directory of its own."""
    with contextlib.ExitStack() as stack:
        place = home or stack.enter_context(directory())
        port = free_port()
        environ = {"SIGNAL_CLI_CONFIG_DIR": str(place), "PORT": str(port), "LOG_LEVEL": "warn"}
        argv = [sys.executable, "-m", "signal_bridge.cli", "serve"]
        began = time.perf_counter()
        with _process(argv, {**environ, **settings}, place / "log") as pid:
            _until(lambda: _status(port, "/livez") == 200)
            opened = time.perf_counter() - began
            _until(lambda: _status(port, "/readyz") == 200, seconds=60)
            yield Bridge(place, port, pid, opened, time.perf_counter() - began)


@contextlib.contextmanager
def _process(argv: list[str], environ: dict[str, str], log: Path) -> Iterator[int]:
    with log.open("wb") as out:
        child = subprocess.Popen(
            argv, env={**os.environ, **environ}, cwd=ROOT, stdout=out, stderr=out
        )
    try:
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(45)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _status(port: int, path: str) -> int:
    try:
        client = HttpClient(port)
        try:
            return client.ask("GET", path)[0]
        finally:
            client.close()
    except OSError:
        return 0


def _until(condition: object, seconds: float = 20) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > ends_at:
            raise TimeoutError("what the bench stands on did not start")
        time.sleep(0.01)


def _computed_ns(pid: int) -> int:
    """By the clock of the process (clock_getcpuclockid(3)): /proc counts in steps of 10 ms."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:  # it is gone
        return 0


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for path in children for child in path.read_text().split()]
    return [pid, *(one for child in below for one in _family(child))]
