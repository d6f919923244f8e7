"""A disk that is full, and a database that somebody else keeps locked: receiving waits."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ACCOUNT
from tests.faults.conftest import Crowd, Scene
from tests.faults.source import SENDER, Source, stored
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.databases import SQLITE
from tests.support.parts import part_missing
from tests.support.scripted_daemon import result

DISK_BYTES = 8 * 2**20
BEFORE, AFTER = 100, 1500


@pytest.fixture
def small_disk() -> Iterator[Bridge]:
    """A bridge whose data is on a disk of its own, and a small one."""
    bridge = Bridge(MODE="json-rpc")
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", bridge.config_dir]
    try:
        if subprocess.run(mounting, capture_output=True, check=False).returncode:
            part_missing("mounting a small disk is not permitted here")
        try:
            yield bridge
        finally:
            bridge.children()
            if bridge.is_running():
                bridge.kill()
            subprocess.run(["umount", "--lazy", bridge.config_dir], check=True)
    finally:
        bridge.close()


def reasons(bridge: Bridge) -> dict[str, str]:
    found: dict[str, str] = bridge.get("/readyz").json().get("reasons", {})
    return found


def fill(path: Path) -> None:
    """Until there is no room left."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_a_full_disk_makes_receiving_wait_and_say_so_and_nothing_is_lost(
    small_disk: Bridge, daemon: ScriptedDaemon
) -> None:
    bridge = small_disk
    bridge.environ["BRIDGE_SIGNAL_CLI_RPC"] = daemon.address
    with Source(daemon, bridge) as source:
        bridge.start().wait_ready()
        source.allow(BEFORE)
        eventually(lambda: len(stored(bridge)) == BEFORE, 20)
        filler = bridge.config_dir / "filler"
        fill(filler)
        source.allow(AFTER)
        eventually(lambda: "no room" in str(reasons(bridge)), 30, lambda: str(reasons(bridge)))
        assert len(stored(bridge)) < AFTER
        assert bridge.get("/livez").status_code == 200
        filler.unlink()
        bridge.wait_ready()
        eventually(lambda: len(stored(bridge)) >= AFTER, 30)
    assert stored(bridge) == list(range(AFTER))


@pytest.mark.parametrize("database", [SQLITE], indirect=True)
def test_a_locked_database_makes_receiving_wait_and_no_send_goes_without_an_answer(
    scene: Scene, crowd: Crowd
) -> None:
    scene.daemon.on("send", result({"timestamp": 1}))
    scene.source.allow(BEFORE)
    crowd.wait_until_all_have(BEFORE)
    with locked(scene.bridge):
        scene.source.allow(AFTER)
        eventually(lambda: "receiving waits" in scene.bridge.log, 30)
        for _ in range(5):
            check_send(scene)
        assert len(stored(scene.bridge)) < AFTER
    scene.bridge.wait_ready()
    check_send(scene, statuses=(201,))
    crowd.wait_until_all_have(AFTER)
    assert stored(scene.bridge) == list(range(AFTER))
    crowd.check(AFTER)


@contextlib.contextmanager
def locked(bridge: Bridge) -> Iterator[None]:
    """Nobody else can write within the block."""
    database = bridge.config_dir / "bridge" / "bridge.db"
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def check_send(scene: Scene, statuses: tuple[int, ...] = (201, 503)) -> None:
    body = {"number": ACCOUNT, "recipients": [SENDER], "message": "meanwhile"}
    answer = scene.bridge.post("/v2/send", json=body)
    assert answer.status_code in statuses, answer.text
    content: Any = answer.json()
    assert answer.status_code == 201 or content["error"]
