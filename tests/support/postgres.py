"""A PostgreSQL server for one test: in a directory of its own, on a UNIX socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# It refuses to run as root; Debian's package makes this user.
_USER = "postgres"


def programs() -> Path | None:
    """Where initdb and pg_ctl are; None when PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server(bin_dir: Path) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    home = Path(tempfile.mkdtemp(prefix="sb-pg-"))
    data, log = home / "data", home / "log"
    user = _USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(home, _USER)
    try:
        _run(bin_dir / "initdb", "-D", data, "-A", "trust", "-U", user, "--no-sync")
        options = f"-k {home} -c listen_addresses='' -c fsync=off"
        _run(bin_dir / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        try:
            yield f"postgresql+psycopg://{user}@/postgres?host={home}"
        finally:
            _run(bin_dir / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(*command: object) -> None:
    user = _USER if os.geteuid() == 0 else None
    subprocess.run(
        [str(part) for part in command], check=True, user=user, cwd="/", timeout=60,
        stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )  # fmt: skip
