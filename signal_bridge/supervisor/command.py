"""What to run: settings in, command line and environment out. Starts nothing."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import StartError
from signal_bridge.settings import Settings
from signal_bridge.supervisor.surroundings import Surroundings, with_utf8

log = logging.getLogger(__name__)

# For a machine of 256 MB (signal-cli.rst 4.5): serial collector, a heap that still takes a
# string of 19 MB, C1 only. Out of memory ends the JVM, and the supervisor starts a fresh one.
JVM_OPTIONS: Final = (
    "-XX:+UseSerialGC",
    "-Xmx128m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)

# The C library otherwise keeps a heap per thread, up to eight a core.
_SMALL_HEAPS: Final = {"MALLOC_ARENA_MAX": "2"}


# Where the sandbox, which is Python, finds its modules, and whether they are measured.
_OF_PYTHON: Final = ("PYTHONPATH", "PYTHONHOME", "COVERAGE_PROCESS_")


@dataclasses.dataclass(frozen=True)
class Command:
    """A program to start: `argv`, and its whole environment; None is ours.

    `temporary` is a directory that is made, or emptied, before each start.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    temporary: Path | None = None


def signal_cli_command(
    settings: Settings,
    surroundings: Surroundings,
    environ: Mapping[str, str] = os.environ,
    which: Callable[[str], str | None] = shutil.which,
) -> Command:
    """The signal-cli daemon that `settings` ask for, or the sandbox in its place.

    It reads its JSON-RPC socket from standard input (signal-cli.rst 1.1), so no channel is
    named. Raises StartError, with what to do, when the program is not there.
    """
    flags = (*_global_flags(settings), "daemon", *_daemon_flags(settings))
    environment = {**surroundings.environment(environ), **_SMALL_HEAPS}
    if settings.is_sandbox:
        own = settings.sandbox_flags.split()
        sandbox = (sys.executable, "-m", "signal_bridge.sandbox", *own, *flags)
        environment.update((n, value) for n, value in environ.items() if n.startswith(_OF_PYTHON))
        return Command(sandbox, environment, surroundings.temporary)
    native = _native_program(settings, which)
    if native is not None:  # it takes properties as a JVM does, in front of everything
        argv = (native, *surroundings.java_properties, *flags)
        return Command(argv, environment, surroundings.temporary)
    program = which(settings.signal_cli)
    if program is None:
        raise StartError(
            f'MODE={settings.mode} needs signal-cli, but "{settings.signal_cli}" was not found: '
            f"install it (make signal-cli), set BRIDGE_SIGNAL_CLI to its path, "
            f"or try the bridge without an account with MODE=sandbox"
        )
    environment["JAVA_OPTS"] = _java_opts(settings, surroundings, program)
    return Command((program, *flags), environment, surroundings.temporary)


def gunicorn_command(listening_fd: int, environ: Mapping[str, str] = os.environ) -> Command:
    """The web half, on a listening socket it inherits. Its configuration is a module of ours."""
    return Command(
        (
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "python:signal_bridge.gunicorn_conf",
            "--bind",
            f"fd://{listening_fd}",
            "signal_bridge.wsgi:app",
        ),
        {**with_utf8(environ), **_SMALL_HEAPS},
    )


def _global_flags(settings: Settings) -> tuple[str, ...]:
    """Everything is said, since 0.14 also reads files of defaults (signal-cli.rst 4.1)."""
    return (
        "--config",
        str(settings.config_dir),
        "--scrub-log",
        "--trust-new-identities",
        settings.trust_new_identities,
    )


def _daemon_flags(settings: Settings) -> tuple[str, ...]:
    """Manual receiving: nothing is taken from Signal before somebody stores it."""
    optional = {
        "--ignore-attachments": settings.ignore_attachments,
        "--ignore-stories": settings.ignore_stories,
        "--ignore-avatars": settings.ignore_avatars,
        "--ignore-stickers": settings.ignore_stickers,
    }
    chosen = (flag for flag, wanted in optional.items() if wanted)
    return ("--receive-mode", "manual", "--no-receive-stdout", *chosen)


def _native_program(settings: Settings, which: Callable[[str], str | None]) -> str | None:
    if settings.mode not in ("native", "json-rpc-native"):
        return None
    native = which(settings.signal_cli_native)
    if native is None:
        log.warning(
            'MODE=%s: "%s" was not found, so the Java signal-cli is used',
            settings.mode,
            settings.signal_cli_native,
        )
    return native


def _java_opts(settings: Settings, surroundings: Surroundings, program: str) -> str:
    """Ours first: of two options that disagree, the JVM takes the later."""
    cache = Path(os.path.realpath(program)).parent.parent / "signal-cli.aot"
    cached = (f"-XX:AOTCache={cache}",) if cache.is_file() else ()
    ours = (*JVM_OPTIONS, *cached, *surroundings.java_properties)
    return " ".join((*map(_quoted, ours), *settings.java_opts.split()))


def _quoted(option: str) -> str:
    """The start script splits the options as xargs(1) does."""
    return re.sub(r"""([\s'"\\])""", r"\\\1", option)
