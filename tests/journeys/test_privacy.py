"""Nobody else on the machine reads what the bridge keeps, whatever the shell's umask was."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Bridge, Halves, eventually
from tests.support.parts import part_missing
from tests.support.processes import descendants

ALICE, BOB = "+12025550100", "+12025550101"
NOBODY = 65534


def open_to_others(directory: Path) -> list[str]:
    """What others could read, write or enter, with its mode."""
    found = (directory, *directory.rglob("*"))
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in found if not path.is_symlink()}
    return [f"{path} {mode:04o}" for path, mode in modes.items() if mode & 0o077]


def use(bridge: Bridge) -> None:
    """Have everything written that is: events, a received file, a trust mode, an avatar."""
    picture = "data:image/png;base64,iVBORw0KGgo="
    message = {
        "number": ALICE,
        "recipients": [BOB],
        "message": "m",
        "base64_attachments": [picture],
    }
    assert bridge.post("/v2/send", json=message).status_code == 201
    large = "data:application/octet-stream;base64," + "QUJD" * 100_000
    assert bridge.post(
        "/v2/send", json=message | {"base64_attachments": [large]}
    ).status_code == 201  # fmt: skip
    trust = bridge.post(f"/v1/configuration/{ALICE}/settings", json={"trust_mode": "always"})
    assert trust.status_code == 204
    eventually(lambda: bridge.get("/v1/attachments").json(), what="a received file")
    assert bridge.get(f"/v1/receive/{BOB}?timeout=1").status_code == 200


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids="{:03o}".format)
def test_whatever_the_umask_of_the_shell_nobody_else_reads_anything(umask: int) -> None:
    bridge = Bridge(BRIDGE_WORKERS=2)
    bridge.umask = umask
    with bridge:
        use(bridge.wait_ready())
        assert open_to_others(bridge.config_dir) == []
        bridge.stop()
        assert open_to_others(bridge.config_dir) == []


def test_a_web_half_of_its_own_writes_for_nobody_else() -> None:
    before = os.umask(0)
    try:
        halves = Halves(MODE="sandbox", BRIDGE_WORKERS=1)
        with halves:
            use(halves.daemon)
            assert open_to_others(halves.daemon.config_dir) == []
            assert halves.web
            for process in (halves.web.pid, *(one.pid for one in descendants(halves.web.pid))):
                status = Path(f"/proc/{process}/status").read_text()
                assert "Umask:\t0077" in status
    finally:
        os.umask(before)


def test_what_an_earlier_version_left_open_is_closed_and_told_once() -> None:
    bridge = Bridge()
    with bridge:
        use(bridge.wait_ready())
        bridge.stop()
        subprocess.run(["chmod", "-R", "a+rwX", bridge.config_dir], check=True)
        bridge.log_path.unlink()
        bridge.start().wait_ready()
        use(bridge)
        received = bridge.config_dir / "attachments"
        assert [one for one in open_to_others(bridge.config_dir) if str(received) not in one] == []
        assert open_to_others(received)[0].startswith(f"{received}/"), "within a closed directory"
        assert bridge.log.count("closed to other users") == 1
        bridge.stop()
        bridge.log_path.unlink()
        bridge.start().wait_ready()
        assert "other users" not in bridge.log
        bridge.stop()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that everybody may enter."""
    made = Path(tempfile.mkdtemp(prefix="sb-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@needs_root
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids="{:03o}".format)
def test_root_makes_the_way_to_the_data_for_the_user_it_becomes(
    open_place: Path, umask: int
) -> None:
    """Whether that user can also start a Python that root has installed is another matter."""
    data = open_place / "made" / "on" / "the" / "way"
    bridge = Bridge(SIGNAL_CLI_CONFIG_DIR=data, SIGNAL_CLI_UID=NOBODY, COVERAGE_PROCESS_CONFIG="")
    bridge.umask = umask
    try:
        bridge.start()
        eventually((data / "bridge" / "lock").exists, 20, lambda: bridge.log)
        assert open_to_others(data) == []
        assert data.stat().st_uid == NOBODY
        assert {stat.S_IMODE(one.stat().st_mode) for one in data.parents[:3]} == {0o755}
    finally:
        bridge.close()


@needs_root
def test_another_user_on_a_volume_of_roots_closes_what_is_its_own(open_place: Path) -> None:
    """As Kubernetes mounts one: the mount point is root's, and its group may write."""
    if shutil.which("setpriv") is None:
        part_missing("there is no setpriv: apt-get install util-linux")
    open_place.chmod(0o777)
    bridge = Bridge(SIGNAL_CLI_CONFIG_DIR=open_place, COVERAGE_PROCESS_CONFIG="")
    # What Python and the bridge lie in may be root's alone; this lets nobody write anything.
    read_all = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    bridge.become = ("setpriv", *user, *read_all)
    with bridge:
        use(bridge.wait_ready())
        assert open_to_others(open_place) == [f"{open_place} 0777"]
        left = f'other users may read this: "{open_place}" (0777) belongs to root (uid 0)'
        assert bridge.log.count(left) == 1
        bridge.stop()
