"""Starting: what is wrong is said in one sentence, and nothing is left behind."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signal_bridge.peersettings import WITHOUT_MEANING
from signal_bridge.sandbox import __doc__ as sandbox_docs
from signal_bridge.sandbox.people import ROBOT_NUMBER
from signal_bridge.settings import SETTINGS
from tests.conftest import ACCOUNT
from tests.journeys.reading import received_text
from tests.support import Bridge, ScriptedDaemon, eventually, free_port
from tests.support.parts import part_missing
from tests.support.scripted_daemon import error, result, silence, text_envelope

ROOT = Path(__file__).parents[2]
CANNOT_START = 2
LINKED = "+12025550140"  # handed out by linking; nobody writes to it before
ALICE, BOB = "+12025550100", "+12025550101"


@pytest.fixture
def attempt() -> Iterator[Callable[..., Bridge]]:
    """Starts a bridge that is not expected to come up."""
    bridges: list[Bridge] = []

    def start(*command: str, **settings: object) -> Bridge:
        port = settings.get("PORT")
        bridges.append(Bridge(*command, **{**settings, "PORT": ""}))
        if port:
            bridges[-1].environ["PORT"] = str(port)
        return bridges[-1].start()

    yield start
    for bridge in bridges:
        bridge.close()


def check_refused(bridge: Bridge, *words: str) -> str:
    """One sentence with `words`, exit code 2, no line of anything that started. The sentence."""
    assert bridge.wait_exit() == CANNOT_START, bridge.log
    assert "Traceback" not in bridge.log
    (sentence,) = bridge.log.splitlines()
    assert sentence.startswith("signal-bridge: ")
    for word in words:
        assert word in sentence
    return sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "jsonrpc"),
        ("PORT", "eighty"),
        ("BRIDGE_CALL_TIMEOUT_SECONDS", "nan"),
        ("BRIDGE_SIGNAL_CLI_RPC", "localhost:7583"),
        ("JSON_RPC_IGNORE_STORIES", "yes"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_allowed(
    attempt: Callable[..., Bridge], name: str, value: str
) -> None:
    sentence = check_refused(attempt(**{name: value}), name, f'"{value}"')
    assert re.search("must be (one of|a whole number|seconds|true or false|unix:)", sentence)


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(
    attempt: Callable[..., Bridge],
) -> None:
    check_refused(attempt(BRIDGE_WORKER=2), "BRIDGE_WORKER is not a setting", "BRIDGE_WORKERS?")


def test_a_bad_secret_is_not_printed(attempt: Callable[..., Bridge]) -> None:
    url = "oracle://user:pa55w0rd@host/db"
    sentence = check_refused(attempt(BRIDGE_DATABASE_URL=url), "BRIDGE_DATABASE_URL")
    assert "pa55w0rd" not in sentence


def test_without_signal_cli_it_says_how_to_get_one(attempt: Callable[..., Bridge]) -> None:
    bridge = attempt(MODE="normal", BRIDGE_SIGNAL_CLI="/nowhere/signal-cli")
    check_refused(bridge, "/nowhere/signal-cli", "make signal-cli", "MODE=sandbox")


def test_a_port_in_use_is_named(attempt: Callable[..., Bridge]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check_refused(attempt(PORT=port), "Port", str(port), "set PORT to another")


def test_a_start_that_waits_for_its_database_can_be_stopped(
    attempt: Callable[..., Bridge],
) -> None:
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    bridge = attempt(MODE="sandbox", BRIDGE_DATABASE_URL=url)
    eventually(lambda: "waiting for the database" in bridge.log)
    bridge.stop()
    assert "Traceback" not in bridge.log


STOPPED_WHILE_MADE_READY = """
import os, signal, time
from signal_bridge import daemon
from signal_bridge.settings import read_settings
daemon.sweep = lambda _: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(1))
print(daemon.Daemon(read_settings(), with_web=True).run())
"""


def test_a_stop_while_all_is_made_ready_starts_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "MODE": "sandbox", "PORT": "0", "HOME": str(tmp_path)}
    environment["SIGNAL_CLI_CONFIG_DIR"] = str(tmp_path / "data")
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_MADE_READY],
        env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert not (tmp_path / "data" / "bridge" / "signal-cli.sock").exists()


def test_an_address_that_is_not_ours_is_named(attempt: Callable[..., Bridge]) -> None:
    check_refused(attempt(BRIDGE_HOST="192.0.2.1"), "192.0.2.1")


def test_a_data_directory_in_use_is_named(
    attempt: Callable[..., Bridge], start_bridge: Callable[..., Bridge]
) -> None:
    first = start_bridge(MODE="sandbox").wait_ready()
    second = attempt(SIGNAL_CLI_CONFIG_DIR=first.config_dir)
    check_refused(second, "Another Signal Bridge", str(first.config_dir))
    assert first.get("/readyz").status_code == 200
    first.stop()
    third = Bridge(SIGNAL_CLI_CONFIG_DIR=first.config_dir)
    with third:
        third.wait_ready()


def test_a_runtime_directory_with_a_long_path_is_named(attempt: Callable[..., Bridge]) -> None:
    long = f"/tmp/{'x' * 120}"
    check_refused(attempt(BRIDGE_RUNTIME_DIR=long), "BRIDGE_RUNTIME_DIR", "short")
    assert not Path(long).exists()


def test_a_data_directory_that_is_a_file_is_named(
    attempt: Callable[..., Bridge], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    check_refused(attempt(SIGNAL_CLI_CONFIG_DIR=file), str(file))
    assert file.read_text() == ""


# -- whose the data directory is, and what it is on ------------------------------------------------

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
SOMEBODY = 65534


@needs_root
@pytest.mark.parametrize("name", ["", "bridge/bridge.db", "bridge/lock"])
def test_data_of_another_user_is_named_with_the_command_that_helps(
    attempt: Callable[..., Bridge], start_bridge: Callable[..., Bridge], name: str
) -> None:
    first = start_bridge(MODE="sandbox").wait_ready()
    first.stop()
    first.home.chmod(0o755)
    subprocess.run(["chown", "-R", str(SOMEBODY), first.config_dir], check=True)
    os.chown(first.config_dir / name, 0, 0)
    as_somebody = {
        "SIGNAL_CLI_UID": SOMEBODY,
        "SIGNAL_CLI_CHOWN_ON_STARTUP": "false",
        "COVERAGE_PROCESS_CONFIG": "",  # somebody else could not write down what was covered
    }
    second = attempt(SIGNAL_CLI_CONFIG_DIR=first.config_dir, **as_somebody)
    check_refused(
        second, str(first.config_dir / name), "root (uid 0)", f"chown -R {SOMEBODY}:{SOMEBODY}"
    )


@needs_root
def test_a_root_that_may_become_nobody_says_what_it_lacks(tmp_path: Path) -> None:
    if shutil.which("setpriv") is None:
        part_missing("there is no setpriv: apt-get install util-linux")
    environ = {
        "PATH": os.environ["PATH"], "MODE": "sandbox", "PORT": "0",
        "SIGNAL_CLI_CONFIG_DIR": str(tmp_path / "data"), "SIGNAL_CLI_UID": "1234",
    }  # fmt: skip
    lacking = {"-chown": "CHOWN", "-setuid,-setgid": "SETUID"}
    for capabilities, named in lacking.items():
        done = subprocess.run(
            ["setpriv", f"--bounding-set={capabilities}", sys.executable, "-m",
             "signal_bridge.cli", "serve"],
            env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == CANNOT_START, done.stderr
        assert named in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def mounted(attempt: Callable[..., Bridge]) -> Iterator[Callable[..., Bridge]]:
    """Starts a bridge with a disk of its own, with these options of mount(8)."""
    places: list[Path] = []

    def start(options: str, fill: bool) -> Bridge:
        bridge = Bridge(MODE="sandbox")
        places.append(bridge.config_dir)
        mounting = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", bridge.config_dir]
        if subprocess.run(mounting, capture_output=True, check=False).returncode:
            part_missing("mounting a disk is not permitted here")
        if fill:
            with contextlib.suppress(OSError), (bridge.config_dir / "filler").open("wb") as file:
                while file.write(b"\0" * 4096):
                    file.flush()
        return attempt(SIGNAL_CLI_CONFIG_DIR=bridge.config_dir)

    yield start
    for place in places:
        subprocess.run(["umount", "--lazy", place], check=False)
        shutil.rmtree(place.parent, ignore_errors=True)


def test_a_disk_that_is_mounted_read_only_is_named(mounted: Callable[..., Bridge]) -> None:
    check_refused(mounted("ro", fill=False), "read-only", "without :ro")


def test_a_disk_that_is_full_is_named(mounted: Callable[..., Bridge]) -> None:
    check_refused(mounted("size=65536", fill=True), "room")


def test_a_directory_that_cannot_be_made_is_named(attempt: Callable[..., Bridge]) -> None:
    check_refused(attempt(SIGNAL_CLI_CONFIG_DIR="/proc/nowhere/data"), "/proc")


def test_the_sandbox_and_real_accounts_do_not_share_a_directory(
    attempt: Callable[..., Bridge], start_bridge: Callable[..., Bridge], tmp_path: Path
) -> None:
    program = tmp_path / "signal-cli"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    sandbox = start_bridge(MODE="sandbox").wait_ready()
    sandbox.stop()
    real = attempt(
        MODE="normal", BRIDGE_SIGNAL_CLI=program, SIGNAL_CLI_CONFIG_DIR=sandbox.config_dir
    )
    check_refused(real, str(sandbox.config_dir), "MODE=normal", "SIGNAL_CLI_CONFIG_DIR")
    entry = {"path": "1", "number": ACCOUNT}
    real.config_dir.joinpath("data").mkdir()
    (real.config_dir / "data" / "accounts.json").write_text(json.dumps({"accounts": [entry]}))
    (real.config_dir / "data" / "1").write_text("{}")
    pretend = attempt(MODE="sandbox", SIGNAL_CLI_CONFIG_DIR=real.config_dir)
    check_refused(pretend, str(real.config_dir), "real accounts", "SIGNAL_CLI_CONFIG_DIR")
    sandbox.start().wait_ready()


def test_a_database_that_cannot_be_opened_is_named(
    attempt: Callable[..., Bridge], tmp_path: Path
) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database at all" * 100)
    for url in (f"sqlite:///{tmp_path}/broken.db", f"sqlite:///{tmp_path}/nowhere/x.db"):
        check_refused(attempt(BRIDGE_DATABASE_URL=url), "database")


def test_settings_of_the_peer_without_meaning_give_a_line_each_and_it_starts(
    start_bridge: Callable[..., Bridge],
) -> None:
    bridge = start_bridge(MODE="sandbox", **dict.fromkeys(WITHOUT_MEANING, "1")).wait_ready()
    for name in WITHOUT_MEANING:
        pattern = rf"^signal-bridge: {name} is set but has no effect: .+$"
        assert len(re.findall(pattern, bridge.log, re.MULTILINE)) == 1
    bridge.stop()


def test_a_daemon_of_somebody_elses_that_is_away_is_no_reason_not_to_start(
    start_bridge: Callable[..., Bridge],
) -> None:
    rpc = f"tcp:127.0.0.1:{free_port()}"
    bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=rpc)
    assert bridge.get("/livez").status_code == 200
    assert bridge.get("/readyz").status_code == 503
    bridge.stop()


# -- config ------------------------------------------------------------------------------------


def config(**settings: object) -> subprocess.CompletedProcess[str]:
    bridge = Bridge("config", **settings)
    try:
        return subprocess.run(
            [sys.executable, "-m", "signal_bridge.cli", "config"],
            env=bridge.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        bridge.close()


def test_config_prints_every_setting_with_its_source_and_hides_secrets(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://user:pa55w0rd@host/db\n")
    shown = config(PORT=8123, LOG_LEVEL="debug", BRIDGE_DATABASE_URL_FILE=secret)
    assert shown.returncode == 0
    assert shown.stderr == ""
    lines = {line.partition("=")[0]: line for line in shown.stdout.splitlines()}
    assert {setting.variable for setting in SETTINGS} <= lines.keys()
    for setting in SETTINGS:
        assert setting.meaning in lines[setting.variable]
        assert re.search(r"  \[[A-Za-z_ ]+\]  ", lines[setting.variable])
        assert not setting.unit or setting.unit in lines[setting.variable]
    assert lines["PORT"].startswith("PORT=8123  [PORT]")
    assert "[default]" in lines["BRIDGE_WORKERS"]
    assert "BRIDGE_DATABASE_URL_FILE" in lines["BRIDGE_DATABASE_URL"]
    assert "pa55w0rd" not in shown.stdout
    assert "user" not in lines["BRIDGE_DATABASE_URL"]


def test_config_with_a_bad_setting_is_refused_as_a_start_is() -> None:
    shown = config(MODE="bogus")
    assert (shown.returncode, shown.stdout) == (CANNOT_START, "")
    assert shown.stderr.count("\n") == 1
    assert 'MODE cannot be "bogus"' in shown.stderr


# -- what the sandbox says of itself ---------------------------------------------------------------


def test_the_log_names_the_accounts_of_the_sandbox_and_its_magic_numbers(sandbox: Bridge) -> None:
    documented = set(re.findall(r"^    (\+\d{11})", sandbox_docs or "", re.MULTILINE))
    assert len(documented) > 10
    assert {number for number in documented if number in sandbox.log} == documented - {LINKED}
    assert f"{ROBOT_NUMBER}                   the echo" in sandbox.log


# -- where it runs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_YY.ISO-8859-1", ""])
def test_names_that_are_not_ascii_arrive_whatever_the_locale(
    start_bridge: Callable[..., Bridge], locale: str
) -> None:
    bridge = start_bridge(MODE="sandbox", LC_ALL=locale, LANG=locale).wait_ready()
    file = "data:text/plain;filename=r\u00e9sum\u00e9 \U0001f389.txt;base64,aGVsbG8="
    body = {"number": ALICE, "recipients": [BOB], "message": "x", "base64_attachments": [file]}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    (message,) = bridge.get(f"/v1/receive/{BOB}?timeout=10").json()
    (attachment,) = message["envelope"]["dataMessage"]["attachments"]
    assert attachment["filename"] == "r\u00e9sum\u00e9 \U0001f389.txt"


def test_the_data_directory_may_have_any_name(start_bridge: Callable[..., Bridge]) -> None:
    bridge = Bridge()
    data = bridge.home / "it's a \u00dc \U0001f389"
    with Bridge(MODE="sandbox", LC_ALL="C", SIGNAL_CLI_CONFIG_DIR=data) as running:
        running.wait_ready()
        assert (data / "bridge" / "bridge.db").exists()
    bridge.close()


# -- what parses HTTP --------------------------------------------------------------------------


def parsers(bridge: Bridge) -> list[str]:
    return re.findall(r"HTTP is parsed by (.+)$", bridge.log, re.MULTILINE)


def test_the_log_names_the_http_parser_that_is_installed(sandbox: Bridge) -> None:
    in_c = importlib.util.find_spec("gunicorn_h1c") is not None
    assert parsers(sandbox) == ["gunicorn_h1c, in C" if in_c else "Gunicorn, in Python"]


def test_the_log_names_the_http_parser_that_was_asked_for(
    start_bridge: Callable[..., Bridge],
) -> None:
    bridge = start_bridge(MODE="sandbox", GUNICORN_CMD_ARGS="--http-parser python")
    assert parsers(bridge) == ["Gunicorn, in Python"]


# -- the two halves apart ----------------------------------------------------------------------


def test_the_daemon_and_gunicorn_work_apart(start_apart: Callable[..., Bridge]) -> None:
    bridge = start_apart(MODE="sandbox").wait_ready()
    body = {"number": ALICE, "recipients": [BOB], "message": "apart"}
    assert bridge.post("/v2/send", json=body).status_code == 201
    assert received_text(bridge, BOB, "apart")
    assert "gunicorn" not in " ".join(child.command for child in bridge.children())


@pytest.fixture
def start_apart() -> Iterator[Callable[..., Bridge]]:
    """`signal-bridge daemon`, and Gunicorn as the README of deploy/split starts it."""
    running: list[tuple[Bridge, subprocess.Popen[bytes]]] = []

    def start(**settings: object) -> Bridge:
        bridge = Bridge("daemon", **settings)
        bridge.start()
        with bridge.log_path.open("ab") as log:
            web = subprocess.Popen(
                [
                    sys.executable, "-m", "gunicorn",
                    "--config", "python:signal_bridge.gunicorn_conf", "signal_bridge.wsgi:app",
                ],
                env=bridge.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        running.append((bridge, web))
        return bridge.wait_open()

    yield start
    for bridge, web in running:
        web.terminate()
        try:
            assert web.wait(20) == 0
            bridge.stop()
        finally:
            web.kill()
            bridge.close()


def test_gunicorn_alone_serves_and_is_not_ready(tmp_path: Path) -> None:
    bridge = Bridge("daemon", BRIDGE_START_WAIT_SECONDS=0)
    web = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn",
            "--config", "python:signal_bridge.gunicorn_conf", "signal_bridge.wsgi:app",
        ],
        env=bridge.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def is_open() -> bool:
        with contextlib.suppress(OSError):
            return bridge.get("/livez").status_code == 200
        return False

    try:
        eventually(is_open, 20)
        answer = bridge.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["error"]
        body = {"number": ALICE, "recipients": [BOB], "message": "x"}
        assert bridge.post("/v2/send", json=body).status_code == 503
    finally:
        web.terminate()
        web.wait(20)
        bridge.close()


# -- the first link ----------------------------------------------------------------------------


def test_without_an_account_the_log_shows_a_qr_code_and_linking_completes(
    start_bridge: Callable[..., Bridge],
) -> None:
    with ScriptedDaemon(accounts=[]) as daemon:
        daemon.on("startLink", result({"deviceLinkUri": "sgnl://linkdevice?uuid=a&pub_key=b"}))
        daemon.on("finishLink", result({"number": ACCOUNT}))
        bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address)
        (finish,) = daemon.wait_for("finishLink")
        assert finish.params["deviceLinkUri"] == "sgnl://linkdevice?uuid=a&pub_key=b"
        drawn = eventually(lambda: re.findall("^[█▀▄ ]{20,}$", bridge.log, re.MULTILINE))
        assert len(drawn) > 10
        assert "Linked devices" in bridge.log
        daemon.accounts.append(ACCOUNT)
        subscribed = daemon.wait_for("subscribeReceive", 2)[-1].connection
        eventually(lambda: subscribed.subscribed)
        daemon.notify(ACCOUNT, text_envelope("+4915198765", "the first one", 1))
        assert received_text(bridge, ACCOUNT, "the first one")


def test_a_link_that_cannot_be_started_is_a_line_in_the_log_and_no_more(
    start_bridge: Callable[..., Bridge],
) -> None:
    with ScriptedDaemon(accounts=[]) as daemon:
        daemon.on("startLink", error(-3, "Link request error: Connection closed!"))
        bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address)
        eventually(lambda: "Link request error: Connection closed!" in bridge.log)
        bridge.wait_ready()
        assert bridge.get("/v1/accounts").json() == []
        assert "Traceback" not in bridge.log


# -- a stop before the start is over -----------------------------------------------------------


@pytest.mark.parametrize("moment", ["web: running", "Booting worker"])
def test_a_stop_during_the_start_is_clean_and_waits_for_nothing(
    attempt: Callable[..., Bridge], moment: str
) -> None:
    bridge = attempt(MODE="sandbox")
    eventually(lambda: moment in bridge.log, 20)
    # Less than the 30 s that Gunicorn gives to requests that run; there is none.
    bridge.stop(seconds=15)


@pytest.mark.parametrize("attempt_number", range(3))
def test_a_stop_that_is_asked_for_many_times_at_once_is_clean(
    sandbox: Bridge, attempt_number: int
) -> None:
    for _ in range(100):
        sandbox.signal(signal.SIGTERM)
        sandbox.signal(signal.SIGINT)
    assert sandbox.wait_exit(15) == 0, sandbox.log


def test_a_stop_does_not_wait_for_a_daemon_that_does_not_answer(
    attempt: Callable[..., Bridge],
) -> None:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        daemon.on("version", silence)
        bridge = attempt(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address).wait_open()
        daemon.wait_for("version")
        bridge.stop(seconds=9)
