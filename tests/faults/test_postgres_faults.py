"""PostgreSQL that restarts, is cut off, hangs or takes nothing, in the middle of a burst.

Nothing is lost and nothing doubled but what a webhook had not yet written down; whoever asks the
bridge meanwhile is answered, whatever the answer is.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests

from signal_bridge.delivery.webhooks.scribe import GROUP
from tests.conftest import ACCOUNT
from tests.faults.conftest import Crowd, Scene, staged
from tests.faults.consumers import SseClient
from tests.faults.source import SENDER, stored
from tests.faults.watching import watched
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.databases import POSTGRESQL, Database
from tests.support.parts import part_missing
from tests.support.postgres import TABLES, Server, own_server
from tests.support.proxy import HOLE, REFUSE, SLOW, Proxy
from tests.support.scripted_daemon import result

SECRET = "SESAME"
BURST = 3000
BEFORE_THE_FAULT, DURING_THE_FAULT = 1000, 2000
UNDER_WAY = 150
# How many are stored each time it happens.
AGAIN_AND_AGAIN = range(BEFORE_THE_FAULT, DURING_THE_FAULT, 100)
# What a webhook has been sent and the bridge has not yet written down.
MOST_DOUBLES = 2 * GROUP
# Within this everybody is answered, also while the database says nothing at all.
ANSWER_SECONDS = 12.0
NOTICED_SECONDS = 30.0
NO_ANSWER = 0
DISK_BYTES = 40 * 2**20

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Nobody else's, so that it may be stopped."""
    with own_server() as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """Between the bridge and the server."""
    with Proxy(server.socket) as proxy:
        yield proxy


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    with server.database() as name:
        yield name


@pytest.fixture
def database(server: Server, name: str, proxy: Proxy) -> Database:
    """For the bridge by way of the proxy; the tests look into it directly."""
    return Database(POSTGRESQL, server.url(name), by_way_of(proxy, server, name))


def by_way_of(proxy: Proxy, server: Server, name: str) -> dict[str, str]:
    url = server.tcp_url(name, proxy.port).replace("@", f":{SECRET}@")
    return {"BRIDGE_DATABASE_URL": url}


@contextlib.contextmanager
def burst(scene: Scene, crowd: Crowd, faults: int = 1) -> Iterator[None]:
    """A part of the messages has come when the block begins, a part comes during it, and the rest
    once the bridge is well again. Afterwards everybody has every message."""
    scene.daemon.on("send", result({"timestamp": 1}))
    scene.source.allow(BEFORE_THE_FAULT)
    crowd.wait_until_all_have(UNDER_WAY)
    with watched(scene.bridge, SECRET, faults):
        scene.source.allow(DURING_THE_FAULT)
        yield
        scene.bridge.wait_ready()
        assert send(scene).status_code == 201
        scene.source.allow(BURST)
        crowd.wait_until_all_have(BURST)
        check_everybody_has_everything(scene, crowd)


def check_everybody_has_everything(scene: Scene, crowd: Crowd) -> None:
    assert stored(scene.bridge) == list(range(BURST))
    crowd.check(BURST)
    for client in crowd.clients:
        if isinstance(client, SseClient):  # it says what it had, so nothing comes twice
            assert [one.number for one in client.seen] == list(range(BURST))
    for hook in crowd.hooks:
        assert hook.count <= BURST + MOST_DOUBLES


def send(scene: Scene) -> requests.Response:
    body = {"number": ACCOUNT, "recipients": [SENDER], "message": "meanwhile"}
    return scene.bridge.post("/v2/send", json=body, timeout=ANSWER_SECONDS)


def wait_unready(scene: Scene) -> None:
    eventually(
        lambda: scene.bridge.get("/readyz", timeout=ANSWER_SECONDS).status_code == 503,
        NOTICED_SECONDS,
    )


def check_everybody_is_answered(scene: Scene) -> None:
    """Whatever the answer is. At once, so that they would stand in each other's way."""

    def get(path: str) -> int:
        try:
            return scene.bridge.get(path, timeout=ANSWER_SECONDS).status_code
        except requests.Timeout:
            return NO_ANSWER

    paths = [
        "/v1/health",
        "/readyz",
        # nobody of the crowd misses what it gets
        f"/v1/receive/{ACCOUNT}?types=story&timeout=1",
        "/v1/events?timeout=1",
        f"/v1/webhooks/{ACCOUNT}",
        f"/v1/accounts/{ACCOUNT}/status",
    ]
    with ThreadPoolExecutor(len(paths) + 1) as pool:
        sent = pool.submit(send, scene)
        answers = dict(zip(paths, pool.map(get, paths), strict=True))
    assert set(answers.values()) <= {200, 204, 503}, answers
    assert sent.result().status_code in (201, 503)


# -- the server --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_restarts_in_a_burst_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, server: Server, how: str
) -> None:
    with burst(scene, crowd):
        server.restart(how)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_away_for_a_while_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, server: Server, how: str
) -> None:
    with burst(scene, crowd):
        server.stop(how)
        try:
            wait_unready(scene)
            check_everybody_is_answered(scene)
        finally:
            server.start()


def test_connections_that_are_cut_off_again_and_again_cost_nobody_a_message(
    scene: Scene, crowd: Crowd, server: Server, name: str
) -> None:
    with burst(scene, crowd, faults=len(AGAIN_AND_AGAIN)):
        for count in AGAIN_AND_AGAIN:
            scene.wait_stored(count)
            server.terminate(name)


def test_a_database_that_is_read_only_for_a_while_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, server: Server, name: str
) -> None:
    """As a standby is, and one whose disk the provider found too full."""
    with burst(scene, crowd):
        server.set_read_only(name, True)
        wait_unready(scene)
        check_everybody_is_answered(scene)
        server.set_read_only(name, False)


def test_tables_that_somebody_else_has_locked_cost_nobody_a_message(
    scene: Scene, crowd: Crowd, server: Server, name: str
) -> None:
    with burst(scene, crowd), locked(server, name):
        check_everybody_is_answered(scene)
        wait_unready(scene)


@contextlib.contextmanager
def locked(server: Server, name: str) -> Iterator[None]:
    """Everybody else may read, and nobody may write."""
    with server.connect(name) as connection:
        eventually(lambda: has_locked_all(connection), NOTICED_SECONDS)
        yield
        connection.execute("ROLLBACK")


def has_locked_all(connection: psycopg.Connection) -> bool:
    """All or none: who holds some and waits for others is in a deadlock with the bridge."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    tables = ", ".join(table for (table,) in connection.execute(query))
    connection.execute("BEGIN")
    try:
        connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE NOWAIT")  # type: ignore[arg-type]
    except psycopg.errors.LockNotAvailable:
        connection.execute("ROLLBACK")
        return False
    return True


# -- the network -------------------------------------------------------------------------------


def test_a_database_that_says_nothing_hangs_nobody_and_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, proxy: Proxy
) -> None:
    with burst(scene, crowd), proxy.being(HOLE):
        check_everybody_is_answered(scene)
        wait_unready(scene)
        check_everybody_is_answered(scene)


def test_a_database_that_refuses_for_a_while_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, proxy: Proxy
) -> None:
    with burst(scene, crowd), proxy.being(REFUSE):
        wait_unready(scene)
        check_everybody_is_answered(scene)


def test_a_network_that_resets_again_and_again_costs_nobody_a_message(
    scene: Scene, crowd: Crowd, proxy: Proxy
) -> None:
    with burst(scene, crowd, faults=len(AGAIN_AND_AGAIN)):
        for count in AGAIN_AND_AGAIN:
            scene.wait_stored(count)
            proxy.drop_connections()


def test_a_database_that_is_slow_serves_everybody(scene: Scene, crowd: Crowd, proxy: Proxy) -> None:
    with burst(scene, crowd), proxy.being(SLOW):
        crowd.wait_until_all_have(DURING_THE_FAULT)
        assert scene.bridge.get("/v1/health", timeout=ANSWER_SECONDS).status_code == 204
        assert send(scene).status_code == 201


def test_a_bridge_whose_database_says_nothing_stops_when_it_is_told_to(
    scene: Scene, crowd: Crowd, proxy: Proxy
) -> None:
    scene.source.allow(BEFORE_THE_FAULT)
    crowd.wait_until_all_have(BEFORE_THE_FAULT)
    with proxy.being(HOLE):
        scene.source.allow(DURING_THE_FAULT)
        wait_unready(scene)
        scene.bridge.stop()
    scene.bridge.start().wait_ready()
    scene.source.allow(BURST)
    crowd.wait_until_all_have(BURST)
    check_everybody_has_everything(scene, crowd)


# -- the disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(server: Server) -> Iterator[Path]:
    """A disk on which the server can keep a database, and not much more."""
    place = server.home / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        part_missing("mounting a small disk is not permitted here")
    try:
        shutil.chown(place, server.user)
        server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        yield place
        server.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_makes_receiving_wait_and_say_so_and_nothing_is_lost(
    start_bridge: Callable[..., Bridge],
    daemon: ScriptedDaemon,
    server: Server,
    proxy: Proxy,
    small_disk: Path,
) -> None:
    with server.database(f"{TABLES} TABLESPACE small") as name:
        database = Database(POSTGRESQL, server.url(name), by_way_of(proxy, server, name))
        with staged(start_bridge, daemon, database) as scene:
            crowd = Crowd(scene.bridge)
            with burst(scene, crowd):
                filler = small_disk / "filler"
                fill(filler)
                eventually(lambda: "no room" in str(reasons(scene)), NOTICED_SECONDS)
                check_everybody_is_answered(scene)
                filler.unlink()
            crowd.stop()
            scene.bridge.stop()


def reasons(scene: Scene) -> object:
    return scene.bridge.get("/readyz", timeout=ANSWER_SECONDS).json().get("reasons")


def fill(path: Path) -> None:
    """Until there is no room left."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
