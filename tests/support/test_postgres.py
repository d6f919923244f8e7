"""The PostgreSQL servers of the tests, the proxy before one, and that none outlives its tests."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.databases import POSTGRESQL, SQLITE, Database
from tests.support.postgres import EMPTY, Server, own_server
from tests.support.processes import is_running
from tests.support.proxy import HOLE, PASS, REFUSE, SLOW, Proxy
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
START_A_SERVER = """
import os, pathlib, sys
from tests.support.postgres import shared_server
print(shared_server(pathlib.Path(sys.argv[1]), os.getpid()).home, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    with own_server(tcp=True) as server:
        yield server


@pytest.fixture
def name(own: Server) -> Iterator[str]:
    with own.database() as name:
        yield name


@pytest.fixture
def proxy(own: Server) -> Iterator[Proxy]:
    with Proxy(own.socket) as proxy:
        yield proxy


def connect(url: str, seconds: int = 5) -> psycopg.Connection:
    plain = url.replace("+psycopg", "")
    return psycopg.connect(plain, connect_timeout=seconds, autocommit=True)


def is_up(url: str) -> bool:
    try:
        connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


# -- servers -----------------------------------------------------------------------------------


def test_a_database_has_the_tables_or_nothing_and_is_gone_afterwards(
    postgres_server: Server,
) -> None:
    count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with postgres_server.database() as full, postgres_server.database(EMPTY) as empty:
        assert postgres_server.execute(count, full) != [(0,)]
        assert postgres_server.execute(count, empty) == [(0,)]
        assert full != empty
    assert not is_up(postgres_server.url(full))


def test_a_test_has_its_database_on_sqlite_and_on_postgresql(database: Database) -> None:
    assert database.url.startswith(database.kind)
    assert (
        database.settings
        == {
            SQLITE: {},
            POSTGRESQL: {"BRIDGE_DATABASE_URL": database.url},
        }[database.kind]
    )


def test_the_socket_and_tcp_lead_to_the_same_database(own: Server, name: str) -> None:
    own.execute("CREATE TABLE here (x integer)", name)
    for url in (own.url(name), own.tcp_url(name)):
        with connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM here").fetchall() == [(0,)]


def test_the_server_of_a_session_is_on_no_port(postgres_server: Server) -> None:
    assert postgres_server.execute("SHOW listen_addresses") == [("",)]


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_cuts_everybody_off_and_keeps_what_was_committed(
    own: Server, name: str, how: str
) -> None:
    own.execute("CREATE TABLE kept (x integer)", name)
    with connect(own.url(name)) as connection:
        own.restart(how)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert own.execute("SELECT count(*) FROM kept", name) == [(0,)]


def test_a_server_that_was_stopped_answers_nobody_until_it_is_started(
    own: Server, name: str
) -> None:
    own.stop()
    assert not is_up(own.url(name))
    own.start()
    assert is_up(own.url(name))


def test_connections_are_cut_off(own: Server, name: str) -> None:
    with connect(own.url(name)) as connection:
        assert own.terminate(name) == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_database_that_is_read_only_is_so_for_everybody(own: Server, name: str) -> None:
    own.set_read_only(name, True)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        own.execute("CREATE TABLE never (x integer)", name)
    own.set_read_only(name, False)
    own.execute("CREATE TABLE after_all (x integer)", name)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_server_outlives_its_session_however_that_ends(
    tmp_path: Path, postgres_server: Server, how: signal.Signals
) -> None:
    session = subprocess.Popen(
        [sys.executable, "-c", START_A_SERVER, tmp_path],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    with session:
        assert session.stdout
        home = Path(session.stdout.readline().strip())
        pid = int((home / "data/postmaster.pid").read_text().split()[0])
        again = subprocess.run(
            [sys.executable, "-c", START_A_SERVER, tmp_path],
            cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert again.stdout.strip() == str(home), "one for all"
        assert is_up(Server(home).url())
        session.send_signal(how)
    eventually(lambda: not home.exists(), 20, f"{home} is removed")
    eventually(lambda: not is_running(pid))


# -- the proxy ---------------------------------------------------------------------------------


def test_what_passes_is_the_server_itself(own: Server, name: str, proxy: Proxy) -> None:
    with connect(own.tcp_url(name, proxy.port)) as connection:
        text = "x" * 3_000_000
        assert connection.execute("SELECT %s::text", [text]).fetchall() == [(text,)]
        assert proxy.connections == 1
    eventually(lambda: proxy.connections == 0)


def test_a_hole_accepts_and_says_nothing_and_lets_all_pass_afterwards(
    own: Server, name: str, proxy: Proxy
) -> None:
    url = own.tcp_url(name, proxy.port)
    with connect(url) as connection:
        proxy.mood = HOLE
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            connect(url, seconds=2)
        connection.pgconn.send_query(b"CREATE TABLE held (x integer)")
        with pytest.raises(psycopg.errors.UndefinedTable):
            own.execute("SELECT * FROM held", name)
        proxy.mood = PASS
        eventually(lambda: own.execute("SELECT * FROM pg_tables WHERE tablename = 'held'", name))
        while connection.pgconn.get_result():
            pass
        assert connection.execute("SELECT count(*) FROM held").fetchall() == [(0,)]


def test_who_goes_away_in_a_hole_is_missed_only_afterwards(
    own: Server, name: str, proxy: Proxy
) -> None:
    here = f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid != pg_backend_pid()"
    connection = connect(own.tcp_url(name, proxy.port))
    with proxy.being(HOLE):
        connection.close()
        assert len(own.execute(here, name)) == 1
    eventually(lambda: own.execute(here, name) == [])


def test_a_refusal_resets_who_is_there_and_lets_nobody_in(
    own: Server, name: str, proxy: Proxy
) -> None:
    url = own.tcp_url(name, proxy.port)
    with connect(url) as connection:
        with proxy.being(REFUSE):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            with pytest.raises(psycopg.OperationalError, match="refused"):
                connect(url)
        assert is_up(url)


def test_connections_are_dropped_and_new_ones_pass(own: Server, name: str, proxy: Proxy) -> None:
    url = own.tcp_url(name, proxy.port)
    with connect(url) as connection:
        proxy.drop_connections()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert is_up(url)


def test_what_is_slow_arrives(own: Server, name: str, proxy: Proxy) -> None:
    with connect(own.tcp_url(name, proxy.port)) as connection, proxy.being(SLOW):
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_server_that_restarts_is_found_again(own: Server, name: str, proxy: Proxy) -> None:
    url = own.tcp_url(name, proxy.port)
    own.stop()
    assert not is_up(url)
    own.start()
    assert is_up(url)
