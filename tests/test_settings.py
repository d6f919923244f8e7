"""The environment, read once: good values, bad values and their sentences, secrets."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from signal_bridge.cli import cli
from signal_bridge.errors import SettingError
from signal_bridge.peersettings import WITHOUT_MEANING, notices
from signal_bridge.settings import (
    SETTINGS,
    Setting,
    Settings,
    describe,
    read_settings,
)
from signal_bridge.settings import setting as declare
from signal_bridge.settingtexts import whole

PACKAGE = Path(__file__).parent.parent / "signal_bridge"
BASE = {"SIGNAL_CLI_CONFIG_DIR": "/data"}
SECRETS = [setting for setting in SETTINGS if setting.secret]


def read(**environ: str) -> Settings:
    return read_settings({**BASE, **environ})


def complaint(environ: Mapping[str, str]) -> str:
    with pytest.raises(SettingError) as caught:
        read_settings({**BASE, **environ})
    return str(caught.value)


# -- good values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("MODE", "normal", "mode", "normal"),
        ("MODE", "native", "mode", "native"),
        ("MODE", "json-rpc", "mode", "json-rpc"),
        ("MODE", "json-rpc-native", "mode", "json-rpc-native"),
        ("MODE", "sandbox", "mode", "sandbox"),
        ("PORT", "0", "port", 0),
        ("PORT", "65535", "port", 65535),
        ("SIGNAL_CLI_UID", "0", "uid", 0),
        ("SIGNAL_CLI_CHOWN_ON_STARTUP", "false", "chown_at_start", False),
        ("JSON_RPC_IGNORE_STORIES", "true", "ignore_stories", True),
        ("JSON_RPC_IGNORE_STORIES", "TRUE", "ignore_stories", True),
        ("JSON_RPC_IGNORE_STORIES", "1", "ignore_stories", True),
        ("JSON_RPC_IGNORE_STORIES", "0", "ignore_stories", False),
        ("JSON_RPC_TRUST_NEW_IDENTITIES", "always", "trust_new_identities", "always"),
        ("DEFAULT_SIGNAL_TEXT_MODE", "styled", "default_text_mode", "styled"),
        ("LOG_LEVEL", "warn", "log_level", "warn"),
        ("BRIDGE_START_WAIT_SECONDS", "0", "start_wait_seconds", 0.0),
        ("BRIDGE_START_WAIT_SECONDS", "2.5", "start_wait_seconds", 2.5),
        ("BRIDGE_SIGNAL_CLI_RPC", "unix:/run/s", "signal_cli_rpc", "unix:/run/s"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:host:7583", "signal_cli_rpc", "tcp:host:7583"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:[::1]:7583", "signal_cli_rpc", "tcp:[::1]:7583"),
        ("BRIDGE_DATABASE_URL", "sqlite:////x.db", "database_url", "sqlite:////x.db"),
        ("BRIDGE_DATABASE_URL", "postgresql+psycopg://h/d", "database_url",
         "postgresql+psycopg://h/d"),
        ("JAVA_OPTS", "-Xmx1g -Dx=y", "java_opts", "-Xmx1g -Dx=y"),
        ("SIGNAL_CLI_CONFIG_DIR", "/a/b", "config_dir", Path("/a/b")),
    ],
)  # fmt: skip
def test_a_good_value_is_taken(variable: str, text: str, field: str, value: Any) -> None:
    assert getattr(read(**{variable: text}), field) == value


def test_without_any_setting_everything_has_its_default() -> None:
    settings = read_settings({})
    for setting in SETTINGS:
        if setting.default is not None:
            assert getattr(settings, setting.field) == setting.default, setting.variable
    assert settings.config_dir == Path("~/.local/share/signal-cli").expanduser()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_an_empty_variable_counts_as_not_set(setting: Setting) -> None:
    assert read_settings({setting.variable: ""}) == read_settings({})


def test_paths_are_made_absolute_and_a_tilde_is_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert read(SIGNAL_CLI_CONFIG_DIR="data").config_dir == tmp_path / "data"
    assert read(SIGNAL_CLI_CONFIG_DIR="~/data").config_dir == Path("/home/me/data")


def test_the_sandbox_stays_away_from_real_accounts() -> None:
    environ = {"XDG_DATA_HOME": "/share"}
    assert read_settings(environ).config_dir == Path("/share/signal-cli")
    sandbox = read_settings({**environ, "MODE": "sandbox"})
    assert sandbox.config_dir == Path("/share/signal-bridge-sandbox")
    assert sandbox.is_sandbox


def test_what_follows_from_the_data_directory() -> None:
    settings = read()
    assert settings.runtime_dir == Path("/data/bridge")
    assert settings.database_url == "sqlite:////data/bridge/bridge.db"
    assert settings.socket_path == Path("/data/bridge/signal-cli.sock")
    assert settings.daemon_address == "unix:/data/bridge/signal-cli.sock"
    assert settings.lock_path == Path("/data/bridge/lock")
    assert settings.uploads_dir == Path("/data/bridge/uploads")
    assert settings.attachments_dir == Path("/data/attachments")
    assert settings.supervised


def test_a_runtime_directory_moves_sockets_and_uploads_but_not_the_lock() -> None:
    settings = read(BRIDGE_RUNTIME_DIR="/run/bridge")
    assert settings.socket_path == Path("/run/bridge/signal-cli.sock")
    assert settings.uploads_dir == Path("/run/bridge/uploads")
    assert settings.lock_path == Path("/data/bridge/lock")


def test_a_daemon_of_somebody_else_is_not_supervised() -> None:
    settings = read(BRIDGE_SIGNAL_CLI_RPC="tcp:host:1", MODE="sandbox")
    assert settings.daemon_address == "tcp:host:1"
    assert not settings.supervised
    assert not settings.is_sandbox


def test_settings_never_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().port = 1  # type: ignore[misc]


# -- bad values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("MODE", "Normal", "one of normal, native, json-rpc, json-rpc-native, sandbox"),
        ("MODE", " normal", "one of normal, native, json-rpc, json-rpc-native, sandbox"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "80a", "a whole number from 0 to 65535"),
        ("PORT", "8080.0", "a whole number from 0 to 65535"),
        ("PORT", "٨٠", "a whole number from 0 to 65535"),
        ("PORT", "²", "a whole number from 0 to 65535"),
        ("PORT", "9" * 5000, "a whole number from 0 to 65535"),
        ("SIGNAL_CLI_UID", "root", "a whole number from 0 to 2147483647"),
        ("JSON_RPC_IGNORE_STORIES", "yes", "true or false"),
        ("JSON_RPC_TRUST_NEW_IDENTITIES", "sometimes", "one of on-first-use, always, never"),
        ("LOG_LEVEL", "INFO", "one of debug, info, warn, error"),
        ("BRIDGE_START_WAIT_SECONDS", "-1", "seconds from 0 to 300"),
        ("BRIDGE_START_WAIT_SECONDS", "nan", "seconds from 0 to 300"),
        ("BRIDGE_START_WAIT_SECONDS", "inf", "seconds from 0 to 300"),
        ("BRIDGE_START_WAIT_SECONDS", "soon", "seconds from 0 to 300"),
        ("BRIDGE_CALL_TIMEOUT_SECONDS", "0", "seconds from 1 to 3600"),
        ("BRIDGE_SIGNAL_CLI_RPC", "localhost:7583", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:host", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp::7583", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:host:0", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:host:65536", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "tcp:host:²", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "unix:relative", "unix:/path or tcp:host:port"),
        ("BRIDGE_SIGNAL_CLI_RPC", "unix:/", "unix:/path or tcp:host:port"),
        ("SIGNAL_CLI_CONFIG_DIR", "~nobody-of-this-name/x",
         "a path below the home of a user that exists"),
        ("BRIDGE_WORKERS", "0", "a whole number from 1 to 64"),
        ("BRIDGE_MAX_BODY_BYTES", "5", "a whole number from 1024 to 8589934592"),
    ],
)  # fmt: skip
def test_a_bad_value_is_one_sentence(variable: str, text: str, allowed: str) -> None:
    assert complaint({variable: text}) == f'{variable} cannot be "{text}": it must be {allowed}'


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
@pytest.mark.parametrize("text", ["\x01", "²", "9" * 5000, "-", "[", "://", "~x/", "%"])
def test_nothing_but_a_setting_error_ever_comes_of_a_value(setting: Setting, text: str) -> None:
    with contextlib.suppress(SettingError):
        assert read(**{setting.variable: text})


def test_a_path_too_long_for_a_socket_is_refused_with_the_way_out() -> None:
    long = "/" + "d" * 100
    sentence = complaint({"SIGNAL_CLI_CONFIG_DIR": long})
    assert sentence == (
        f'"{long}/bridge/signal-cli.sock" is too long for a UNIX socket: '
        f"set BRIDGE_RUNTIME_DIR to a directory with a short path"
    )
    assert read(SIGNAL_CLI_CONFIG_DIR=long, BRIDGE_RUNTIME_DIR="/run").socket_path
    assert read(SIGNAL_CLI_CONFIG_DIR=long, BRIDGE_SIGNAL_CLI_RPC="tcp:h:1").socket_path


def test_the_length_of_a_socket_path_is_counted_in_bytes() -> None:
    longest = "/" + "d" * (107 - len("//signal-cli.sock"))
    assert len(str(read(BRIDGE_RUNTIME_DIR=longest).socket_path)) == 107
    assert "too long" in complaint({"BRIDGE_RUNTIME_DIR": longest + "d"})
    assert "too long" in complaint({"BRIDGE_RUNTIME_DIR": "/" + "ü" * 60})


def test_an_attachment_cannot_be_larger_than_the_body_around_it() -> None:
    sentence = complaint({"BRIDGE_MAX_BODY_BYTES": "2000", "BRIDGE_MAX_ATTACHMENT_BYTES": "3000"})
    assert sentence == (
        'BRIDGE_MAX_ATTACHMENT_BYTES cannot be "3000": '
        "it must not exceed BRIDGE_MAX_BODY_BYTES (2000)"
    )


# -- names that are no setting ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BRIDGE_WORKER", "BRIDGE_WORKERS"),
        ("BRIDGE_WEBHOOK_ALOW", "BRIDGE_WEBHOOK_ALLOW"),
        ("BRIDGE_KEEP_DAY", "BRIDGE_KEEP_DAYS"),
        ("BRIDGE_DATABASE_URL_FIL", "BRIDGE_DATABASE_URL_FILE"),
        ("BRIDGE_HOST_FILE", "BRIDGE_HOST"),
        ("BRIDGE_PORT", "PORT"),
        ("BRIDGE_LOG_LEVEL", "LOG_LEVEL"),
        ("BRIDGE_SIGNAL_CLI_CONFIG_DIR", "SIGNAL_CLI_CONFIG_DIR"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    assert complaint({name: "5"}) == f"{name} is not a setting: did you mean {meant}?"


def test_a_name_like_no_setting_is_refused_with_where_they_are_listed() -> None:
    sentence = "BRIDGE_XYZZY is not a setting: `signal-bridge config` lists them all"
    assert complaint({"BRIDGE_XYZZY": "5"}) == sentence


def test_the_list_is_shown_to_who_has_misspelt_one() -> None:
    assert describe({"BRIDGE_XYZZY": "5"}) == describe({})


def test_of_several_all_are_named_and_no_value_is() -> None:
    sentence = complaint({"BRIDGE_DATABASE": "SESAME", "BRIDGE_WORKER": "SESAME"})
    assert "BRIDGE_DATABASE is" in sentence
    assert "BRIDGE_WORKER is" in sentence
    assert "SESAME" not in sentence


def test_a_misspelt_setting_without_a_value_is_not_set() -> None:
    assert read(BRIDGE_WORKER="") == read()


def test_what_kubernetes_tells_of_a_service_called_bridge_is_no_setting() -> None:
    told = {
        "BRIDGE_SERVICE_HOST": "10.0.0.1", "BRIDGE_SERVICE_PORT": "80",
        "BRIDGE_SERVICE_PORT_HTTP": "80", "BRIDGE_PORT": "tcp://10.0.0.1:80",
        "BRIDGE_PORT_80_TCP": "tcp://10.0.0.1:80", "BRIDGE_PORT_80_TCP_ADDR": "10.0.0.1",
        "BRIDGE_DB_SERVICE_HOST": "10.0.0.2", "BRIDGE_DB_PORT_5432_TCP_PROTO": "tcp",
    }  # fmt: skip
    assert read(**told) == read()
    assert "BRIDGE_WORKER is" in complaint({**told, "BRIDGE_WORKER": "1"})


@pytest.mark.parametrize("name", ["SIGNAL_BRIDGE_PORT", "BRIDGES", "bridge_x", "XBRIDGE_Y"])
def test_names_of_others_are_theirs(name: str) -> None:
    assert read(**{name: "x"}) == read()


# -- secrets -----------------------------------------------------------------------------------

# A good value of each secret, with a word in it that must never be seen.
SECRET_VALUES = {
    "BRIDGE_DATABASE_URL": "postgresql://user:SESAME@host/db",
    "RECEIVE_WEBHOOK_URL": "https://user:SESAME@host/path",
}


def secret_value(setting: Setting) -> str:
    return SECRET_VALUES.get(setting.variable, "SESAME-0123456789-0123456789")


def test_there_is_a_secret() -> None:
    assert "BRIDGE_DATABASE_URL" in [setting.variable for setting in SECRETS]


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.variable)
def test_a_secret_is_in_no_text_about_the_settings(setting: Setting) -> None:
    environ = {**BASE, setting.variable: secret_value(setting)}
    settings = read_settings(environ)
    assert "SESAME" in str(getattr(settings, setting.field))
    assert "SESAME" not in repr(settings)
    assert "SESAME" not in str(settings)
    assert "SESAME" not in repr(describe(environ))
    printed = CliRunner().invoke(cli, ["config"], env=environ)
    assert printed.exit_code == 0
    assert "SESAME" not in printed.output
    assert f"{setting.variable}=(hidden)" in printed.output


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.variable)
def test_a_secret_may_lie_in_a_file(setting: Setting, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"  {secret_value(setting)}\n")
    environ = {**BASE, f"{setting.variable}_FILE": str(file)}
    assert getattr(read_settings(environ), setting.field) == secret_value(setting)
    (row,) = [row for row in describe(environ) if row[0] is setting]
    assert row[1:] == ("(hidden)", f"{setting.variable}_FILE")


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.variable)
def test_the_variable_wins_over_the_file(setting: Setting) -> None:
    environ = {setting.variable: secret_value(setting), f"{setting.variable}_FILE": "/nonexistent"}
    assert getattr(read(**environ), setting.field) == secret_value(setting)


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.variable)
def test_a_secret_file_that_cannot_be_read_is_a_sentence(setting: Setting, tmp_path: Path) -> None:
    variable = f"{setting.variable}_FILE"
    assert complaint({variable: "/nonexistent"}) == (
        f'{variable} names the file "/nonexistent", which cannot be read: No such file or directory'
    )
    assert "Is a directory" in complaint({variable: str(tmp_path)})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8" in complaint({variable: str(tmp_path / "binary")})


@pytest.mark.parametrize(
    "url", ["mysql://user:SESAME@host/db", "SESAME", "://SESAME", "http://[SESAME"]
)
def test_a_bad_secret_is_not_repeated(url: str, tmp_path: Path) -> None:
    sentence = complaint({"BRIDGE_DATABASE_URL": url})
    assert sentence == (
        "BRIDGE_DATABASE_URL cannot be the given value: "
        "it must be an URL that begins with sqlite: or postgresql:"
    )
    (tmp_path / "url").write_text(url)
    assert "SESAME" not in complaint({"BRIDGE_DATABASE_URL_FILE": str(tmp_path / "url")})


def test_only_secrets_are_read_from_files() -> None:
    assert read(PORT_FILE="/nonexistent").port == 8080


# -- printing ----------------------------------------------------------------------------------


def test_config_prints_every_setting_with_value_unit_source_and_meaning() -> None:
    printed = CliRunner().invoke(
        cli, ["config"], env={**BASE, "PORT": "9090", "BRIDGE_CALL_TIMEOUT_SECONDS": "30"}
    )
    assert printed.exit_code == 0
    lines = {line.partition("=")[0]: line for line in printed.output.splitlines()}
    assert list(lines) == [setting.variable for setting in SETTINGS]
    for setting in SETTINGS:
        assert lines[setting.variable].endswith(setting.meaning)
    assert lines["PORT"].startswith("PORT=9090  [PORT]")
    assert "BRIDGE_CALL_TIMEOUT_SECONDS=30.0 seconds  [BRIDGE_CALL" in printed.output
    assert "LOG_LEVEL=info  [default]" in printed.output
    assert "JSON_RPC_IGNORE_STORIES=false  [default]" in printed.output


@pytest.mark.parametrize("variable", WITHOUT_MEANING)
def test_a_setting_of_the_peers_that_means_nothing_here_is_one_line(variable: str) -> None:
    (sentence,) = notices({variable: "x"})
    assert sentence == f"{variable} is set but has no effect: {WITHOUT_MEANING[variable]}"
    assert notices({variable: ""}) == []
    assert read_settings({variable: "x"}) == read_settings({})


# -- the list itself ---------------------------------------------------------------------------


def test_a_setting_is_declared_with_its_field_alone() -> None:
    @dataclasses.dataclass(frozen=True)
    class Declared:
        size_bytes: int = declare("SIZE", whole(0, 9), 5, "how large", unit="bytes", secret=True)

    [field] = dataclasses.fields(Declared)
    row = Setting(field=field.name, **field.metadata)
    assert (row.variable, row.field, row.default) == ("SIZE", "size_bytes", 5)
    assert (row.read("7"), row.meaning, row.unit, row.secret) == (7, "how large", "bytes", True)
    assert "7" not in repr(Declared(7))
    with pytest.raises(TypeError, match="size_bytes"):
        Declared()


def test_no_two_settings_share_a_variable() -> None:
    variables = [setting.variable for setting in SETTINGS]
    assert len(set(variables)) == len(variables)
    assert not set(variables) & set(WITHOUT_MEANING)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_every_setting_says_what_it_means_and_names_its_unit(setting: Setting) -> None:
    assert setting.meaning
    for unit in ("seconds", "bytes"):
        assert setting.field.endswith(unit) == setting.variable.lower().endswith(unit)
        if setting.variable.lower().endswith(unit):
            assert setting.unit == unit


def attributes_used() -> set[str]:
    """Every `something.name` in the package."""
    return {
        node.attr
        for module in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
    }


def test_every_setting_is_used_somewhere() -> None:
    used = attributes_used()
    assert [setting.field for setting in SETTINGS if setting.field not in used] == []
