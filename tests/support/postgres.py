"""PostgreSQL servers for the tests: each in a directory of its own, on a UNIX socket."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from tests.support.parts import part_missing
from tests.support.postgres_watcher import end
from tests.support.waiting import free_port

# It refuses to run as root; Debian's package makes this user.
_USER = "postgres"
_WATCHER = Path(__file__).with_name("postgres_watcher.py")
# As fast as it goes: what these servers hold is worth nothing after a power cut.
_OPTIONS = (
    "max_connections=300", "shared_buffers=32MB", "fsync=off", "full_page_writes=off",
    "autovacuum=off",
)  # fmt: skip
# As a server of somebody's who needs what is on it: a commit that returned is on disk.
DURABLE = ("max_connections=300",)
_MEMORY = Path("/dev/shm")
_ROOM_IN_MEMORY = 2 * 2**30
TABLES = "tables"  # the database that every test's own is copied from
EMPTY = "template1"


def programs() -> Path:
    """Where initdb and pg_ctl are. Without them the test is skipped; in CI it fails."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        part_missing("PostgreSQL is not installed (Debian: postgresql)")
    return found[-1].parent


class Server:
    """A server whose files are in `home`. Any process may stop it and start it again."""

    def __init__(self, home: Path, port: int = 0, options: Sequence[str] = _OPTIONS) -> None:
        self.home = home
        self.port = port  # of 127.0.0.1; 0 is none: the socket alone
        self.options = options
        self.user = _USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._data = home / "data"

    @property
    def socket(self) -> Path:
        return self.home / f".s.PGSQL.{self.port or 5432}"

    def url(self, database: str = "postgres") -> str:
        """On the socket. With a port, `tcp_url` is the same database."""
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql+psycopg://{self.user}@/{database}?host={self.home}{port}"

    def tcp_url(self, database: str = "postgres", port: int = 0) -> str:
        """By way of 127.0.0.1: the server's own port, or that of a proxy before it."""
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{port or self.port}/{database}"

    # -- life ----------------------------------------------------------------------------------

    def create(self) -> None:
        """Make its files, start it, and make the database that others are copied from."""
        if os.geteuid() == 0:
            shutil.chown(self.home, _USER)
        _run("initdb", "-D", self._data, "-A", "trust", "-U", self.user, "--no-sync")
        self.start()
        self.execute(f"CREATE DATABASE {TABLES}")
        store = Store(self.url(TABLES))
        migrate(store)
        store.close()  # nobody may be connected to what is copied

    def start(self) -> None:
        address = "127.0.0.1" if self.port else ""
        port = ("-p", str(self.port)) if self.port else ()
        settings = [f"-c {one}" for one in (*self.options, f"listen_addresses='{address}'")]
        options = " ".join([f"-k {self.home}", *port, *settings])
        log = self.home / "log"
        _run("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """`fast` ends every connection in order; `immediate` is as good as a crash."""
        _run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")

    def restart(self, how: str = "fast") -> None:
        self.stop(how)
        self.start()

    # -- databases -----------------------------------------------------------------------------

    @contextmanager
    def database(self, template: str = TABLES) -> Iterator[str]:
        """The name of a database of its own: with every table, or EMPTY."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def terminate(self, database: str) -> int:
        """Cut off everybody who is connected to it; how many were."""
        return len(
            self.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{database}' AND pid != pg_backend_pid()"
            )
        )

    def set_read_only(self, database: str, read_only: bool) -> None:
        """For everybody who connects from now on; so everybody who is connected is cut off."""
        value = "on" if read_only else "off"
        self.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = {value}")
        self.terminate(database)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run it outside of any transaction; the rows it gave, if it gives any."""
        with self.connect(database) as connection:
            cursor = connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str) -> psycopg.Connection:
        """Outside of any transaction, unless one is begun. Nothing is waited for for ever."""
        return psycopg.connect(
            host=str(self.home), port=self.port or 5432, user=self.user, dbname=database,
            autocommit=True, connect_timeout=30, options="-c statement_timeout=60s",
        )  # fmt: skip


@contextmanager
def own_server(
    tcp: bool = False, options: Sequence[str] = _OPTIONS, below: Path | None = None
) -> Iterator[Server]:
    """A server for one test, which may do to it what it likes. Its files are `below` a directory
    that everybody may enter."""
    place = below or (_in_memory() if options is _OPTIONS else None)
    server = Server(_new_home(place), free_port() if tcp else 0, options)
    watcher = _watch(server, os.getpid())
    try:
        server.create()
        yield server
    finally:
        watcher.terminate()
        watcher.wait()
        end(server.home)


@contextmanager
def server(_bin_dir: Path) -> Iterator[str]:
    """The URL of an empty database on a server of its own, for a script that is no test."""
    with own_server() as own:
        yield own.url()


def shared_server(directory: Path, session_pid: int) -> Server:
    """The one server of this test session, started by who comes first.

    `directory` is common to all processes of the session; the server ends with `session_pid`.
    """
    programs()
    with (directory / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        note = directory / "postgres.home"
        if note.exists():
            return Server(Path(note.read_text()))
        server = Server(_new_home(_in_memory()))
        _watch(server, session_pid)
        server.create()
        note.write_text(str(server.home))
        return server


def _new_home(below: Path | None = None) -> Path:
    # A short path: a UNIX socket's is limited to 107 bytes.
    return Path(tempfile.mkdtemp(prefix="sb-pg-", dir=below))


def _in_memory() -> Path | None:
    """Where a server is quick: a database is some 300 files. None without enough room there."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM_IN_MEMORY:
        return None
    return _MEMORY


def _watch(server: Server, pid: int) -> subprocess.Popen[bytes]:
    """Ends the server when the process does, however it ends. In a session of its own: Ctrl-C
    in the terminal is for the tests, not for it."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _WATCHER, str(pid), server.home],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _run(program: str, *arguments: object) -> None:
    user = _USER if os.geteuid() == 0 else None
    command = [str(part) for part in (programs() / program, *arguments)]
    done = subprocess.run(
        command, check=False, user=user, cwd="/", timeout=60, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, f"{program}: {done.stderr}"
