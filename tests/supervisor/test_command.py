"""Settings in, command line out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signal_bridge.errors import StartError
from signal_bridge.settings import read_settings
from signal_bridge.supervisor.command import (
    JVM_OPTIONS,
    Command,
    gunicorn_command,
    signal_cli_command,
)

FLAGS = ("--config", "/data", "--scrub-log", "--trust-new-identities", "on-first-use",
         "daemon", "--receive-mode", "manual", "--no-receive-stdout")  # fmt: skip


def everything(name: str) -> str | None:
    """A machine where every program is installed."""
    return name if "/" in name else f"/usr/bin/{name}"


def nothing(_name: str) -> str | None:
    return None


def only(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in programs else None


def command(which: Callable[[str], str | None] = everything, **environ: str) -> Command:
    return signal_cli_command(read_settings({"SIGNAL_CLI_CONFIG_DIR": "/data", **environ}), which)


@pytest.mark.parametrize(
    ("mode", "program"),
    [
        ("normal", ("/usr/bin/signal-cli",)),
        ("json-rpc", ("/usr/bin/signal-cli",)),
        ("native", ("/usr/bin/signal-cli-native",)),
        ("json-rpc-native", ("/usr/bin/signal-cli-native",)),
        ("sandbox", (sys.executable, "-m", "signal_bridge.sandbox")),
    ],
)
def test_each_mode_runs_its_program_with_the_same_flags(
    mode: str, program: tuple[str, ...]
) -> None:
    assert command(MODE=mode).argv == (*program, *FLAGS)


@pytest.mark.parametrize(
    ("variable", "flag"),
    [
        ("JSON_RPC_IGNORE_ATTACHMENTS", "--ignore-attachments"),
        ("JSON_RPC_IGNORE_STORIES", "--ignore-stories"),
        ("JSON_RPC_IGNORE_AVATARS", "--ignore-avatars"),
        ("JSON_RPC_IGNORE_STICKERS", "--ignore-stickers"),
    ],
)
def test_each_flag_of_the_peers_is_passed_on_when_it_is_true(variable: str, flag: str) -> None:
    assert command(**{variable: "true"}).argv[-1] == flag
    assert flag not in command(**{variable: "false"}).argv


def test_flags_of_the_daemon_stand_behind_it_and_those_of_the_program_before() -> None:
    argv = command(JSON_RPC_IGNORE_STORIES="true", JSON_RPC_IGNORE_ATTACHMENTS="true").argv
    daemon = argv.index("daemon")
    assert {"--config", "--scrub-log", "--trust-new-identities"} <= set(argv[:daemon])
    assert argv[daemon + 1 :] == ("--receive-mode", "manual", "--no-receive-stdout",
                                  "--ignore-attachments", "--ignore-stories")  # fmt: skip


@pytest.mark.parametrize("trust", ["on-first-use", "always", "never"])
def test_trust_is_said_whatever_it_is(trust: str) -> None:
    argv = command(JSON_RPC_TRUST_NEW_IDENTITIES=trust).argv
    assert argv[argv.index("--trust-new-identities") + 1] == trust


def test_no_channel_is_named_since_the_socket_is_standard_input() -> None:
    assert not {"--socket", "--tcp", "--http", "--dbus"} & set(command().argv)


def test_the_operators_java_options_come_last_so_that_they_win() -> None:
    java_opts = command(JAVA_OPTS="-Xmx1g  -Dx=y").environment["JAVA_OPTS"].split(" ")
    assert java_opts == [*JVM_OPTIONS, "-Xmx1g", "-Dx=y"]


def test_only_the_jvm_gets_java_options() -> None:
    assert "JAVA_OPTS" in command(MODE="normal").environment
    assert "JAVA_OPTS" not in command(MODE="native").environment
    assert "JAVA_OPTS" not in command(MODE="sandbox").environment


def test_a_start_cache_beside_the_program_is_used(tmp_path: Path) -> None:
    program = tmp_path / "bin/signal-cli"
    program.parent.mkdir()
    program.touch()
    linked = tmp_path / "link"
    linked.symlink_to(program)
    assert "AOTCache" not in command(BRIDGE_SIGNAL_CLI=str(linked)).environment["JAVA_OPTS"]
    (tmp_path / "signal-cli.aot").touch()
    java_opts = command(BRIDGE_SIGNAL_CLI=str(linked), JAVA_OPTS="-Dlast").environment["JAVA_OPTS"]
    assert java_opts.split()[-2:] == [f"-XX:AOTCache={tmp_path}/signal-cli.aot", "-Dlast"]


@pytest.mark.parametrize("mode", ["normal", "json-rpc", "native", "json-rpc-native"])
def test_a_missing_program_is_one_sentence_that_says_what_to_do(mode: str) -> None:
    with pytest.raises(StartError) as caught:
        command(nothing, MODE=mode, BRIDGE_SIGNAL_CLI="my-cli")
    assert str(caught.value) == (
        f'MODE={mode} needs signal-cli, but "my-cli" was not found: install it (make signal-cli), '
        f"set BRIDGE_SIGNAL_CLI to its path, or try the bridge without an account with MODE=sandbox"
    )


def test_the_sandbox_needs_no_program() -> None:
    assert command(nothing, MODE="sandbox").argv[0] == sys.executable


@pytest.mark.parametrize("mode", ["native", "json-rpc-native"])
def test_without_the_native_binary_the_java_program_runs_with_a_warning(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = command(only("signal-cli"), MODE=mode)
    assert found.argv[0] == "/usr/bin/signal-cli"
    assert "JAVA_OPTS" in found.environment
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "signal-cli-native" in caplog.text


def test_a_native_binary_may_have_another_name() -> None:
    found = command(MODE="native", BRIDGE_SIGNAL_CLI_NATIVE="/opt/cli")
    assert found.argv[0] == "/opt/cli"


def test_gunicorn_inherits_its_socket_and_takes_its_configuration_from_the_package() -> None:
    argv = gunicorn_command(7).argv
    assert argv[:3] == (sys.executable, "-m", "gunicorn")
    assert argv[argv.index("--bind") + 1] == "fd://7"
    assert argv[argv.index("--config") + 1] == "python:signal_bridge.gunicorn_conf"
    assert argv[-1] == "signal_bridge.wsgi:app"
