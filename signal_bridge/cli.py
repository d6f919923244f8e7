"""The command line: `signal-bridge serve | daemon | config | sandbox`.

Exit codes: 0 the work is done, 2 it could not be started as configured (one sentence says why).
"""

from __future__ import annotations

import os
import sys

import click

from signal_bridge import __version__
from signal_bridge.errors import StartError, StoreError
from signal_bridge.logs import start_logging
from signal_bridge.peersettings import notices
from signal_bridge.settings import Settings, describe, read_settings

_CANNOT_START = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="signal-bridge")
def cli() -> None:
    """Gives programs a Signal account: REST, WebSocket and webhooks over one signal-cli."""


@cli.command()
def serve() -> None:
    """Run everything: signal-cli, the feed and the HTTP server."""
    _run_daemon(with_web=True)


@cli.command()
def daemon() -> None:
    """Run signal-cli and the feed; Gunicorn runs apart (see deploy/split)."""
    _run_daemon(with_web=False)


@cli.command()
def config() -> None:
    """Print every setting: its value, its unit, where it comes from and what it means."""
    for setting, value, source in describe():
        unit = f" {setting.unit}" if setting.unit else ""
        click.echo(f"{setting.variable}={value}{unit}  [{source}]  {setting.meaning}")


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def sandbox(flags: tuple[str, ...]) -> None:
    """A signal-cli without Signal: takes signal-cli's flags, needs no account."""
    from signal_bridge.sandbox.__main__ import main as run_sandbox  # others need none of it

    sys.exit(run_sandbox(list(flags)))


def main() -> None:
    """The console script. A start that cannot succeed ends with one sentence, not a traceback."""
    try:
        cli()
    except (StartError, StoreError) as error:
        click.echo(f"signal-bridge: {error}", err=True)
        sys.exit(_CANNOT_START)


def _run_daemon(with_web: bool) -> None:
    from signal_bridge.daemon import Daemon  # so that `config` starts quickly

    settings = read_settings()
    start_logging(settings.log_level)
    _become_user(settings)
    os.umask(0o077)  # nobody else reads what we write, nor what our children do
    for sentence in notices():
        click.echo(f"signal-bridge: {sentence}", err=True)
    sys.exit(Daemon(settings, with_web=with_web).run())


def _become_user(settings: Settings) -> None:
    """In a container that starts as root, go on as SIGNAL_CLI_UID and SIGNAL_CLI_GID."""
    if os.geteuid() != 0 or (settings.uid is None and settings.gid is None):
        return
    uid = settings.uid if settings.uid is not None else settings.gid or 0
    gid = settings.gid if settings.gid is not None else uid
    _give_data(settings, uid, gid)
    try:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    except PermissionError:
        raise StartError(
            f"This root may not become user {uid} (SIGNAL_CLI_UID) and group {gid}: give the "
            f"container the capabilities SETUID and SETGID, or start it as that user"
        ) from None


def _give_data(settings: Settings, uid: int, gid: int) -> None:
    """Make the data directory that user's, when it is another's and this was not forbidden."""
    from signal_bridge.supervisor.places import trouble_with

    os.umask(0o022)  # that user has to pass through what is made above it
    try:
        settings.config_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.chown_at_start and settings.config_dir.stat().st_uid != uid:
            _give(settings.config_dir.as_posix(), uid, gid)
    except PermissionError:
        raise StartError(
            f'This root may not give "{settings.config_dir}" to user {uid} (SIGNAL_CLI_UID): run '
            f'"chown -R {uid}:{gid} {settings.config_dir}" on the host, or give the container the '
            f"capabilities CHOWN and DAC_OVERRIDE"
        ) from None
    except OSError as error:
        raise StartError(trouble_with(settings.config_dir, error)) from None


def _give(directory: str, uid: int, gid: int) -> None:
    """Change the owner of everything below, the top last: it tells whether all is done."""
    for place, _folders, files in os.walk(directory, topdown=False):
        for file in files:
            os.lchown(os.path.join(place, file), uid, gid)
        os.lchown(place, uid, gid)


if __name__ == "__main__":
    main()
