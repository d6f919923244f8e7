"""Settings in, command line out."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signal_bridge.errors import StartError
from signal_bridge.settings import SETTINGS, read_settings
from signal_bridge.supervisor.command import (
    JVM_OPTIONS,
    Command,
    gunicorn_command,
    signal_cli_command,
)
from signal_bridge.supervisor.surroundings import Surroundings

FLAGS = ("--config", "/data", "--scrub-log", "--trust-new-identities", "on-first-use",
         "daemon", "--receive-mode", "manual", "--no-receive-stdout")  # fmt: skip

SURROUNDINGS = Surroundings(Path("/data/home"), Path("/data/tmp"))
PROPERTIES = ("-Duser.home=/data/home", "-Djava.io.tmpdir=/data/tmp")


def everything(name: str) -> str | None:
    """A machine where every program is installed."""
    return name if "/" in name else f"/usr/bin/{name}"


def nothing(_name: str) -> str | None:
    return None


def only(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in programs else None


def command(which: Callable[[str], str | None] = everything, **environ: str) -> Command:
    given = {"PATH": "/usr/bin", "SIGNAL_CLI_CONFIG_DIR": "/data", **environ}
    return signal_cli_command(read_settings(given), SURROUNDINGS, given, which)


def environment(**environ: str) -> dict[str, str]:
    return dict(command(**environ).environment or {})


@pytest.mark.parametrize(
    ("mode", "program"),
    [
        ("normal", ("/usr/bin/signal-cli",)),
        ("json-rpc", ("/usr/bin/signal-cli",)),
        ("native", ("/usr/bin/signal-cli-native", *PROPERTIES)),
        ("json-rpc-native", ("/usr/bin/signal-cli-native", *PROPERTIES)),
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
    java_opts = environment(JAVA_OPTS="-Xmx1g  -Dx=y")["JAVA_OPTS"].split(" ")
    assert java_opts == [*JVM_OPTIONS, *PROPERTIES, "-Xmx1g", "-Dx=y"]


def test_only_the_jvm_gets_java_options() -> None:
    assert "JAVA_OPTS" in environment(MODE="normal")
    for mode in ("native", "sandbox"):
        assert "JAVA_OPTS" not in environment(MODE=mode, JAVA_OPTS="-Xmx1g")


def test_a_start_cache_beside_the_program_is_used(tmp_path: Path) -> None:
    program = tmp_path / "bin/signal-cli"
    program.parent.mkdir()
    program.touch()
    linked = tmp_path / "link"
    linked.symlink_to(program)
    assert "AOTCache" not in environment(BRIDGE_SIGNAL_CLI=str(linked))["JAVA_OPTS"]
    (tmp_path / "signal-cli.aot").touch()
    java_opts = environment(BRIDGE_SIGNAL_CLI=str(linked))["JAVA_OPTS"]
    assert f"-XX:AOTCache={tmp_path}/signal-cli.aot" in java_opts.split()


def test_a_path_with_a_space_stays_one_option() -> None:
    home = Path("""/srv/it's a "home" """)
    settings = read_settings({"MODE": "normal"})
    found = signal_cli_command(settings, Surroundings(home, None), {}, everything)
    java_opts = (found.environment or {})["JAVA_OPTS"]
    split = subprocess.run(
        ["xargs", "-n1"], input=java_opts, capture_output=True, text=True, check=True
    )
    assert f"-Duser.home={home}" in split.stdout.splitlines()


# -- what its environment is -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["normal", "native", "sandbox"])
def test_nothing_goes_to_the_child_that_it_does_not_need(mode: str) -> None:
    settings = {
        row.variable: "sqlite:////x" if "DATABASE" in row.variable else "" for row in SETTINGS
    }
    secrets = {
        "BRIDGE_DATABASE_URL_FILE": "/run/secrets/url", "RECEIVE_WEBHOOK_URL": "http://u:p@h/",
        "DATABASE_URL": "postgresql://", "POSTGRES_PASSWORD": "x", "PGPASSWORD": "x",
        "AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "x", "SENTRY_DSN": "x", "OPENAI_API_KEY": "x",
        "GUNICORN_CMD_ARGS": "--threads 8", "HOOKS": "http://u:p@h/", "KEY": "x", "MY_OWN": "1",
    }  # fmt: skip
    given = environment(**{**settings, **secrets, "MODE": mode})
    assert not given.keys() & {*settings, *secrets} - {"JAVA_OPTS"}


@pytest.mark.parametrize("mode", ["normal", "native", "sandbox"])
def test_what_the_operator_says_to_java_and_to_the_system_is_passed_on(mode: str) -> None:
    operators = {
        "PATH": "/opt/bin", "JAVA_HOME": "/opt/java", "SIGNAL_CLI_OPTS": "-Dx=y",
        "HOME": "/home/me", "JAVA_TOOL_OPTIONS": "-Da=b", "LD_LIBRARY_PATH": "/opt/lib",
        "https_proxy": "http://u:p@h", "SSL_CERT_FILE": "/etc/ca.pem", "LC_TIME": "C",
    }  # fmt: skip
    given = environment(**operators, MODE=mode)
    assert given.items() >= operators.items()


@pytest.mark.parametrize("mode", ["normal", "native", "sandbox"])
@pytest.mark.parametrize("locale", ["", "C", "POSIX", "xx_YY.ISO-8859-1"])
def test_the_locale_is_utf8_whatever_the_service_has(mode: str, locale: str) -> None:
    given = environment(MODE=mode, LC_ALL=locale, LANG=locale)
    assert (given["LC_ALL"], given["LANG"], given["TZ"]) == ("C.UTF-8", "C.UTF-8", "UTC")


def test_the_sandbox_finds_the_modules_of_python() -> None:
    assert environment(MODE="sandbox", PYTHONPATH="/src")["PYTHONPATH"] == "/src"
    assert "PYTHONPATH" not in environment(MODE="normal", PYTHONPATH="/src")


def test_the_temporary_directory_is_ours() -> None:
    assert environment(TMPDIR="/elsewhere")["TMPDIR"] == "/data/tmp"
    assert command().temporary == Path("/data/tmp")


def test_no_file_of_defaults_that_is_the_users_is_found() -> None:
    """It may be about another signal-cli: `dbus: true` alone could keep ours from starting."""
    assert "XDG_CONFIG_HOME" not in environment(XDG_CONFIG_HOME="/home/me/.config")


def test_gunicorn_has_our_settings_and_utf8() -> None:
    found = gunicorn_command(7, {"PORT": "1", "BRIDGE_DATABASE_URL": "sqlite://", "LC_ALL": "C"})
    given = found.environment or {}
    assert (given["PORT"], given["BRIDGE_DATABASE_URL"]) == ("1", "sqlite://")
    assert (given["LC_ALL"], given["PYTHONUTF8"]) == ("C.UTF-8", "1")


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
    assert "JAVA_OPTS" in (found.environment or {})
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
