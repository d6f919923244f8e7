"""The lock and the sockets that a supervisor holds."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from signal_bridge.errors import StartError
from signal_bridge.supervisor.listening import listen_tcp, listen_unix, lock
from tests.rpc.far_end import InThread
from tests.support import free_port

ROOT = Path(__file__).parents[2]
TRY_TO_LOCK = """
import pathlib, sys
from signal_bridge.supervisor.listening import lock
lock(pathlib.Path(sys.argv[1]))
"""


def test_a_second_bridge_on_one_data_directory_is_refused_with_a_sentence(
    tmp_path: Path,
) -> None:
    held = lock(tmp_path / "bridge/lock")
    with pytest.raises(StartError) as caught:
        lock(tmp_path / "bridge/lock")
    assert str(caught.value) == (
        f'Another Signal Bridge uses the data directory "{tmp_path}": '
        f"stop it first, or set SIGNAL_CLI_CONFIG_DIR to another directory"
    )
    os.close(held)


def test_a_lock_is_held_against_other_processes_until_it_is_given_up(tmp_path: Path) -> None:
    attempt = [sys.executable, "-c", TRY_TO_LOCK, tmp_path / "bridge/lock"]
    held = lock(tmp_path / "bridge/lock")
    refused = subprocess.run(attempt, cwd=ROOT, stderr=subprocess.PIPE, check=False)
    assert refused.returncode != 0
    assert b"Another Signal Bridge" in refused.stderr
    os.close(held)
    assert subprocess.run(attempt, cwd=ROOT, check=False).returncode == 0


def test_a_lock_file_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "bridge").mkdir()
    (tmp_path / "bridge/lock").write_text("left behind")
    os.close(lock(tmp_path / "bridge/lock"))


def test_a_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    held = lock(tmp_path / "bridge/lock")
    assert not os.get_inheritable(held)
    os.close(held)


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bridge").write_text("a file where a directory belongs")
    with pytest.raises(
        StartError, match=r"lock cannot be taken.* is a file where a directory is needed"
    ):
        lock(tmp_path / "bridge/lock")


def test_only_this_user_may_connect(tmp_path: Path) -> None:
    path = tmp_path / "new directory/signal-cli.sock"
    with listen_unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listen_unix(path).close()
    assert path.exists()
    with listen_unix(path) as listening, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert listening.accept()


def test_who_connects_before_anybody_accepts_waits_in_the_queue(tmp_path: Path) -> None:
    with listen_unix(tmp_path / "s") as listening:
        clients = [socket.socket(socket.AF_UNIX) for _ in range(200)]
        for number, client in enumerate(clients):
            client.settimeout(10)
            client.connect(str(tmp_path / "s"))
            client.sendall(bytes([number]))
        for number, client in enumerate(clients):
            accepted = listening.accept()[0]
            assert accepted.recv(1) == bytes([number])
            accepted.close()
            client.close()


def test_a_socket_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        StartError, match=r"socket cannot be made\..*file where a directory is needed"
    ):
        listen_unix(tmp_path / "file/s")


def test_a_port_in_use_is_a_sentence_that_says_what_to_do() -> None:
    with listen_tcp("127.0.0.1", 0, Event()) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(StartError) as caught:
            listen_tcp("127.0.0.1", port, Event())
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 cannot be used: Address already in use. "
        f"Stop what uses it, or set PORT to another"
    )


def test_a_port_that_is_for_the_system_is_a_sentence_that_names_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("signal_bridge.supervisor.listening._bind", refuse)
    with pytest.raises(StartError, match=r"Port 80 on .* Permission denied\..*set PORT to 8080"):
        listen_tcp("127.0.0.1", 80, Event())


def test_a_port_in_use_is_not_waited_for_once_the_start_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signal_bridge.supervisor.listening._IN_USE_SECONDS", 600)
    stop = Event()
    with listen_tcp("127.0.0.1", 0, stop) as taken:
        attempt = InThread(listen_tcp, "127.0.0.1", taken.getsockname()[1], stop)
        stop.set()
        error = attempt.error(60)
    assert isinstance(error, StartError)
    assert "Address already in use" in str(error)


def test_a_port_is_free_again_at_once() -> None:
    port = free_port()
    with (
        listen_tcp("127.0.0.1", port, Event()) as listening,
        socket.create_connection(("127.0.0.1", port)),
    ):
        listening.accept()[0].close()  # closed first on this side: it lingers in TIME-WAIT
    listen_tcp("127.0.0.1", port, Event()).close()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "300.1.1.1", "a..b", "a" * 70])
def test_a_host_that_is_none_is_a_sentence(host: str) -> None:
    with pytest.raises(StartError, match="BRIDGE_HOST"):
        listen_tcp(host, 0, Event())


def test_an_address_of_another_machine_is_a_sentence() -> None:
    with pytest.raises(
        StartError, match=r"192\.0\.2\.1 is not an address of this machine.*BRIDGE_HOST"
    ):
        listen_tcp("192.0.2.1", 0, Event())
