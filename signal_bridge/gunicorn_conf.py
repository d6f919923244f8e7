"""Gunicorn's configuration, from the same settings as everything else.

Used as `--config python:signal_bridge.gunicorn_conf`; `serve` adds the socket to listen on.
"""

from __future__ import annotations

import gc
import os
import signal
from typing import Any

from signal_bridge import wsgi
from signal_bridge.gunicorn_parts import parses_in_c
from signal_bridge.logs import FORMAT, others_level, start_logging
from signal_bridge.serving.descriptors import connections_at_most
from signal_bridge.serving.worker import PromptWorker
from signal_bridge.settings import read_settings
from signal_bridge.supervisor.tied import tie_to_parent

_settings = read_settings()
start_logging(_settings.log_level)
os.umask(0o077)  # nobody else reads what the workers write

bind = [f"{_settings.host}:{_settings.port}"]
workers = _settings.workers
threads = _settings.threads
worker_class = "signal_bridge.gunicorn_conf.Worker"  # gthread
worker_connections = connections_at_most()
backlog = 512
preload_app = True  # workers share the loaded program; wsgi.py opens nothing at import
keepalive = 95  # longer than Traefik keeps its idle connections (90 s), else they race
timeout = 60
graceful_timeout = 30
limit_request_line = 8190
forwarder_headers = ""  # else a proxy on this machine that passes SCRIPT_NAME on changes the path
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True  # it would write below the home directory
proc_name = "signal-bridge web"
accesslog = None  # web/app.py logs requests, without what may be secret in an URL
logger_class = "signal_bridge.gunicorn_parts.DiscreetLogger"
errorlog = "-"
# At debug Gunicorn logs paths, and a path may hold a number or a code.
loglevel = {"warn": "warning", "debug": "info"}.get(_settings.log_level, _settings.log_level)
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": others_level(_settings.log_level), "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"propagate": True}, "gunicorn.access": {"propagate": False}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "formatters": {"line": {"format": FORMAT}},
}


class Worker(PromptWorker):
    """A worker of the bridge."""

    max_body_bytes = _settings.max_body_bytes
    trusted_proxies = _settings.trusted_proxies

    def on_stop(self) -> None:
        """Whoever waits for the feed, for signal-cli or for a receiver of a webhook goes home."""
        wsgi.bridge().feed.close()
        wsgi.bridge().gateway.stop_waiting()
        wsgi.bridge().trials.stop()


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

    Asking loads it, here once for all workers.
    """
    parser = "gunicorn_h1c, in C" if parses_in_c(server.cfg) else "Gunicorn, in Python"
    server.log.info("HTTP is parsed by %s", parser)


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
    wsgi.bridge().cursors.close()
