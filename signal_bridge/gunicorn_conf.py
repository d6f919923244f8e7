"""Gunicorn's configuration, from the same settings as everything else.

Used as `--config python:signal_bridge.gunicorn_conf`; `serve` adds the socket to listen on.
"""

from __future__ import annotations

import gc
import os
import signal
from socket import MSG_PEEK
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.http import message
from gunicorn.http.errors import InvalidRequestLine
from gunicorn.workers import gthread
from gunicorn.workers.gthread import ThreadWorker

from signal_bridge.logs import FORMAT, LEVELS, start_logging
from signal_bridge.settings import read_settings
from signal_bridge.supervisor.tied import tie_to_parent

_settings = read_settings()
start_logging(_settings.log_level)

bind = [f"{_settings.host}:{_settings.port}"]
workers = _settings.workers
threads = _settings.threads
worker_class = "signal_bridge.gunicorn_conf.Worker"  # gthread
worker_connections = 2000
backlog = 512
preload_app = True  # workers share the loaded program; wsgi.py opens nothing at import
keepalive = 95  # longer than Traefik keeps its idle connections (90 s), else they race
timeout = 60
graceful_timeout = 30
limit_request_line = 8190
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True  # it would write below the home directory
proc_name = "signal-bridge web"
accesslog = None  # web/app.py logs requests, without what may be secret in an URL
logger_class = "signal_bridge.gunicorn_conf.Logger"
errorlog = "-"
# At debug Gunicorn logs paths, and a path may hold a number or a code.
loglevel = {"warn": "warning", "debug": "info"}.get(_settings.log_level, _settings.log_level)
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": LEVELS[_settings.log_level], "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"propagate": True}, "gunicorn.access": {"propagate": False}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "formatters": {"line": {"format": FORMAT}},
}


class Logger(GunicornLogger):  # type: ignore[misc]
    """Gunicorn's, without its access log, which it writes for nobody if logging is configured."""

    def access(self, *_: Any) -> None:
        """Cost a tenth of a request."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Gunicorn's parser in Python quotes what it cannot read, which may be a message."""
        bad_request = msg.startswith("Invalid request from ip=")
        super().warning(msg.partition(": ")[0] if bad_request else msg, *args, **kwargs)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's gthread, which turns away TLS, and whose stop waits for requests alone."""

    def handle(self, conn: Any) -> Any:
        """Refuse a TLS client at once, so that it goes on to try HTTP, as signalbot does.

        Gunicorn's parser in Python would wait for the end of the line. Its own wait for the first
        bytes of a connection is made here, and then over.
        """
        if not conn.initialized:
            if not conn.wait_for_data(gthread.DEFAULT_WORKER_DATA_TIMEOUT):
                return gthread._DEFER
            if _speaks_tls(conn.sock):
                self.handle_error(None, conn.sock, conn.client, InvalidRequestLine("TLS"))
                return False
        return super().handle(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Gunicorn counts a kept-alive connection as work.

        One that a proxy holds open would make every stop take the whole graceful_timeout.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:  # once, at the beginning of the stop
            _close_readers()
            self.wait_for_and_dispatch_events(timeout=0)  # a request that is here is served
            for idle in (*self.keepalived_conns, *self.pending_conns):
                idle.timeout = 0.0
            self.murder_keepalived()
            self.murder_pending()


def _speaks_tls(client: Any) -> bool:
    """Whether a connection that has bytes to read begins with a TLS handshake."""
    try:
        return bool(client.recv(1, MSG_PEEK) == b"\x16")
    except OSError:
        return False  # what is wrong with it is found out by whoever reads it


def on_starting(_server: Any) -> None:
    """No SIGTERM gets lost between the fork of a worker and its readiness to hear of it.

    Until then a worker has its master's handler, which only takes a note; so a stop during the
    start took the whole graceful_timeout.
    """
    term = {signal.SIGTERM}
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, term),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, term),
    )


def when_ready(server: Any) -> None:
    """Say which HTTP parser runs: Gunicorn takes the one in C if it is installed, else its own.

    Asked the way Gunicorn does for each request, and loaded here once for all workers.
    """
    fast = message._check_fast_parser(server.cfg)
    server.log.info("HTTP is parsed by %s", "gunicorn_h1c, in C" if fast else "Gunicorn, in Python")


def pre_fork(_server: Any, _worker: Any) -> None:
    """Keep the collector's hands off what workers share: a page it marks is a page copied."""
    gc.freeze()


def post_fork(server: Any, _worker: Any) -> None:
    """A worker dies with its master, so that no worker of a dead one holds the port."""
    tie_to_parent(server.pid)


def post_worker_init(_worker: Any) -> None:
    """From now on the worker hears of a stop."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def worker_exit(_server: Any, _worker: Any) -> None:
    """What its readers have read is written down."""
    from signal_bridge import wsgi

    wsgi.bridge().cursors.close()


def _close_readers() -> None:
    """Whoever waits for the feed goes home: a stop waits for nobody who waits."""
    from signal_bridge import wsgi  # preloaded; importing it above would load it twice over

    wsgi.bridge().feed.close()
