"""The two halves of the bridge as programs of their own, as deploy/split/ runs them."""

from __future__ import annotations

import subprocess
import sys

from tests.support.bridge import STOP_SECONDS, Bridge
from tests.support.processes import descendants
from tests.support.waiting import eventually


class Halves:
    """`signal-bridge daemon`, and Gunicorn beside it with the same settings.

    `daemon` is started and stopped like a bridge; HTTP asked of it is answered by the web half.
    """

    def __init__(self, **settings: object) -> None:
        self.daemon = Bridge("daemon", **settings)
        self.web: subprocess.Popen[bytes] | None = None

    def start_web(self) -> None:
        with self.daemon.log_path.open("ab") as log:
            self.web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:signal_bridge.gunicorn_conf",
                 "signal_bridge.wsgi:app"],
                env=self.daemon.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def kill_web(self) -> None:
        """kill -9 of Gunicorn; returns when its workers are gone, too."""
        assert self.web, "it was never started"
        workers = descendants(self.web.pid)
        self.web.kill()
        self.web.wait(STOP_SECONDS)
        eventually(lambda: not any(worker.is_alive() for worker in workers), what="no worker")

    def restart_daemon(self) -> None:
        """Stop it and start it again; returns when all is well."""
        self.daemon.stop()
        self.daemon.start().wait_ready()

    def __enter__(self) -> Halves:
        try:
            self.daemon.start()
            socket = self.daemon.config_dir / "bridge" / "signal-cli.sock"
            eventually(socket.exists, 30, "the daemon to listen")
            self.start_web()
            self.daemon.wait_open().wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.web is not None and self.web.poll() is None:
            self.kill_web()
        self.daemon.close()
