"""The process as a supervisor sees it: flags, sockets, exit codes, files."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from signal_bridge.sandbox.__main__ import main
from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, BOB, SECONDS, Client, Sandbox, command, wait_until

Start = Callable[..., Sandbox]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_version_says_that_it_is_the_sandbox(version: str, knows: Version) -> None:
    done = run("--as", version, "--version")
    assert done.returncode == 0
    assert done.stdout == f"signal-cli {knows.number} (Signal Bridge sandbox)\n"


def test_it_is_the_current_one_unless_it_is_told_otherwise() -> None:
    assert run("--version").stdout.startswith("signal-cli 0.14.6 ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--bogus"],
        ["send"],
        ["-o", "xml", "daemon", "--tcp"],
        ["daemon", "--bogus"],
        ["daemon", "--http"],
        ["daemon", "--receive-mode", "foo"],
        ["daemon", "--sock", "x"],
        ["--as", "0.12", "daemon"],
        ["--offline-for", "soon", "daemon"],
        ["--offline-for", "-1", "daemon"],
        ["--unloadable", "+12025550103=x", "daemon"],
        ["--service-environment", "sandbox", "daemon"],
        ["--as", "0.13.19", "daemon", "--ignore-avatars"],
        ["--as", "0.13.19", "daemon", "--ignore-stickers"],
        ["--as", "0.13.19", "-d", "x", "daemon"],
    ],
)
def test_an_unknown_argument_gives_usage_and_exit_code_1(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("usage: signal-cli")
    assert printed.out == ""


def test_every_flag_of_signal_cli_that_a_supervisor_may_pass_is_accepted(
    start: Start, knows: Version
) -> None:
    sandbox = start(
        "--receive-mode",
        "on-connection",
        "--ignore-attachments",
        "--ignore-stories",
        "--send-read-receipts",
        *knows.daemon_flags,
        before=(
            "-o", "json", "--output=json", "-vv", "--scrub-log", "--disable-send-log",
            "--service-environment", "live", "--trust-new-identities", "always",
        ),
    )  # fmt: skip
    assert sandbox.connect().result("version", account=None) == {"version": knows.number}


@pytest.mark.parametrize(
    ("version", "code", "text"),
    [
        ("0.13.19", 2, "there is no D-Bus"),
        ("0.14", 1, "At least one channel parameter is required"),
    ],
)
def test_without_a_channel_it_does_not_start(
    tmp_path: Path, version: str, code: int, text: str
) -> None:
    done = run("--as", version, "-c", str(tmp_path), "daemon")
    assert done.returncode == code
    assert text in done.stderr


def test_it_says_loudly_that_it_is_not_signal(start: Start) -> None:
    sandbox = start()
    sandbox.connect().result("version", account=None)
    assert "WARN  Sandbox - This is the SIGNAL BRIDGE SANDBOX, it is NOT SIGNAL." in sandbox.text
    assert f"INFO  SocketHandler - Started JSON-RPC server on {sandbox.path}" in sandbox.text


def test_message_text_is_never_logged(start: Start) -> None:
    sandbox = start(before=("-vvv",))
    client = sandbox.connect()
    sent = client.result("send", recipient=[BOB], message="the-secret-text")["timestamp"]
    client.data_message(BOB, sent)
    client.error("send", recipient=["the-secret-text-2"], message="x")
    sandbox.stop()
    assert "the-secret-text" not in sandbox.text


def test_the_log_file_gets_the_log_and_scrubbing_hides_numbers(start: Start) -> None:
    directory = start().home
    log = directory / "log"
    sandbox = start(before=("--scrub-log", "--log-file", str(log)))
    sandbox.connect().result("version", account=None)
    assert "SANDBOX" in log.read_text()
    said = [line for line in log.read_text().splitlines() if " Sandbox - " not in line]
    assert ALICE not in "".join(said)


def test_term_ends_it_with_0_and_clients_see_the_end(start: Start) -> None:
    sandbox = start()
    client = sandbox.connect()
    client.result("version", account=None)
    assert sandbox.stop() == 0
    assert client.read_reply() is None


def test_term_does_not_wait_for_a_slow_request(start: Start) -> None:
    sandbox = start()
    client = sandbox.connect()
    client.write(
        '{"jsonrpc":"2.0","method":"send","id":1,"params":{"account":"+12025550100",'
        '"recipient":"+12025550194","message":"x"}}\n'
    )
    client.result("version", account=None)
    assert sandbox.stop() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGHUP, 129)])
def test_other_signals_end_it_as_they_end_signal_cli(
    start: Start, number: signal.Signals, code: int
) -> None:
    sandbox = start()
    sandbox.connect().result("version", account=None)
    sandbox.process.send_signal(number)
    assert sandbox.process.wait(SECONDS) == code


def test_an_inherited_socket_outlives_it_so_that_clients_can_wait_for_the_next(
    start: Start,
) -> None:
    sandbox = start()
    sandbox.connect().result("version", account=None)
    sandbox.stop()
    assert sandbox.path.exists()
    late = socket.socket(socket.AF_UNIX)
    late.connect(str(sandbox.path))
    late.close()


def test_it_listens_on_a_socket_path_makes_its_directory_and_removes_it(
    start: Start, knows: Version
) -> None:
    sandbox = start(inherit=False)
    assert sandbox.process.wait(SECONDS) == knows.no_channel[0]
    path = sandbox.home / "new" / "rpc.sock"
    sandbox = start("--socket", str(path), inherit=False)
    sandbox.path = path
    assert sandbox.connect().result("version", account=None)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sandbox.stop() == 0
    assert not path.exists()


def test_a_socket_path_in_use_is_refused(start: Start) -> None:
    path = start().path
    done = run("-c", str(path.parent / "other"), "daemon", "--socket", str(path))
    assert done.returncode == 3
    assert done.stderr.endswith(f"Failed to bind socket {path}: Address already in use\n")


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    done = run("-c", str(tmp_path), "daemon", "--socket", str(path))
    assert done.returncode == 3
    assert done.stderr.endswith("Unix domain path too long\n")


def test_it_listens_on_tcp_beside_the_inherited_socket(start: Start, knows: Version) -> None:
    sandbox = start("--tcp", "127.0.0.1:0")
    assert sandbox.connect_tcp().result("version", account=None) == {"version": knows.number}
    assert sandbox.connect().result("version", account=None) == {"version": knows.number}


def test_an_inherited_tcp_socket_is_served(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = command("-c", str(tmp_path), "daemon")
        with subprocess.Popen(arguments, stdin=listener, stderr=subprocess.DEVNULL) as process:
            client = Client(socket.create_connection(listener.getsockname()))
            assert client.result("version", account=None) == {"version": "0.14.6"}
            client.close()
            process.terminate()
            assert process.wait(SECONDS) == 0


def test_a_tcp_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-c", str(tmp_path), "daemon", "--tcp", f"127.0.0.1:{port}")
    assert done.returncode == 3
    text = f"Failed to bind socket /127.0.0.1:{port}: Address already in use\n"
    assert done.stderr.endswith(text)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("17050", "Invalid tcp bind address (expected host:port): 17050"),
        ("127.0.0.1:abc", "Invalid tcp port: abc"),
        ("nohost.invalid:1", "Invalid tcp bind address, invalid host: nohost.invalid"),
    ],
)
def test_a_bad_tcp_address_is_refused(tmp_path: Path, address: str, text: str) -> None:
    done = run("-c", str(tmp_path), "daemon", "--tcp", address)
    assert done.returncode == 1
    assert done.stderr.endswith(f"{text}\n")


@pytest.mark.parametrize(
    ("account", "text"),
    [
        ("+15559990000", "User +15559990000 is not registered."),
        ("hello", "Invalid account (phone number), make sure you include the country code."),
    ],
)
def test_an_account_that_does_not_exist_is_refused(account: str, text: str) -> None:
    done = run("-a", account, "daemon", "--tcp", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr == f"{text}\n"


def test_accounts_json_lists_the_accounts_as_signal_cli_does(start: Start) -> None:
    sandbox = start()
    client = sandbox.connect()
    listed = [entry["number"] for entry in client.result("listAccounts", account=None)]
    on_disk = sandbox.accounts_on_disk()
    assert list(on_disk) == ["accounts", "version"]
    assert list(on_disk["accounts"][0]) == ["path", "environment", "number", "uuid"]
    assert [entry["number"] for entry in on_disk["accounts"]] == listed
    assert stat.S_IMODE((sandbox.config / "data" / "accounts.json").stat().st_mode) == 0o600
    client.result("unregister", account=BOB)
    assert BOB not in [entry["number"] for entry in sandbox.accounts_on_disk()["accounts"]]


def test_it_does_not_touch_the_data_of_a_real_signal_cli(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    content = '{"accounts":[{"path":"1","environment":"LIVE","number":"+1","uuid":null}]}'
    (data / "accounts.json").write_text(content)
    done = run("-c", str(tmp_path), "daemon", "--tcp", "127.0.0.1:0")
    assert done.returncode == 1
    assert "belongs to a real signal-cli" in done.stderr
    assert (data / "accounts.json").read_text() == content


def test_a_broken_accounts_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accounts.json").write_text("{")
    done = run("-c", str(tmp_path), "daemon", "--tcp", "127.0.0.1:0")
    assert done.returncode == 3
    assert done.stderr.endswith("Failed to load local accounts file\n")


def test_it_starts_again_on_its_own_data(start: Start) -> None:
    first = start()
    first.connect().result("version", account=None)
    first.stop()
    second = start(before=("-c", str(first.config)))
    assert len(second.connect().result("listAccounts", account=None)) == 4


def test_a_second_one_on_the_same_data_waits_until_the_first_has_ended(start: Start) -> None:
    first = start()
    first.connect().result("version", account=None)
    second = start(before=("-c", str(first.config)))
    wait_until(lambda: "Config file is in use by another instance, waiting…" in second.text)
    assert "Started JSON-RPC server" not in second.text
    first.stop()
    assert second.connect().result("version", account=None)
    assert "Config file lock acquired." in second.text


def test_in_single_account_mode_the_end_of_the_account_is_the_end_of_the_daemon(
    start: Start,
) -> None:
    sandbox = start(before=("-a", ALICE))
    sandbox.connect().call("unregister")
    assert wait_until(lambda: sandbox.process.poll() is not None)
    assert sandbox.process.returncode == 0
