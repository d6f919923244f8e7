"""What the operator chose: the environment, read once into a frozen `Settings`.

Every setting is one line of `SETTINGS`: its variable, how its text is read, its default, its unit
and what it means. Each secret may also be given as `NAME_FILE`, the path of a file that holds it.
`signal-bridge config` prints them all, with where each value came from.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from signal_bridge.errors import SettingError
from signal_bridge.settingtexts import (
    Network,
    any_text,
    daemon_address,
    database_url,
    flag,
    http_url,
    networks,
    one_of,
    path,
    seconds,
    waits,
    whole,
)

# Peer settings that mean nothing here. They are accepted, with one log line each, so that a
# deployment of signal-cli-rest-api starts unchanged (rest-contract.md, section 9).
WITHOUT_MEANING: Final[Mapping[str, str]] = {
    "AUTO_RECEIVE_SCHEDULE": "messages are always received",
    "AUTO_RECEIVE_SCHEDULE_RECEIVE_TIMEOUT": "messages are always received",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_ATTACHMENTS": "use JSON_RPC_IGNORE_ATTACHMENTS",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_STORIES": "use JSON_RPC_IGNORE_STORIES",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_AVATARS": "use JSON_RPC_IGNORE_AVATARS",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_STICKERS": "use JSON_RPC_IGNORE_STICKERS",
    "AUTO_RECEIVE_SCHEDULE_SEND_READ_RECEIPTS": "messages are always received",
    "SIGNAL_CLI_CMD_TIMEOUT": "no command is run per request; see BRIDGE_CALL_TIMEOUT_SECONDS",
    "USE_NATIVE": "use MODE=native",
    "ENABLE_PLUGINS": "there are no Lua plugins",
    "SIGNAL_CLI_REST_API_PLUGIN_SHARED_OBJ_DIR": "there are no Lua plugins",
    "GIN_MODE": "there is no Gin",
    "SWAGGER_HOST": "/swagger/ is about the host it is fetched from",
    "SWAGGER_IP": "/swagger/ is about the host it is fetched from",
    "SWAGGER_USE_HTTPS_AS_PREFERRED_SCHEME": "/swagger/ is about the host it is fetched from",
    "SUPPORTS_NATIVE": "it is found out at start",
}

MODES: Final = ("normal", "native", "json-rpc", "json-rpc-native", "sandbox")

# Seconds between the tries of one webhook delivery: about a day in all.
_WEBHOOK_RETRY_SECONDS: Final = (5, 30, 120, 600, 1800, 3600, 7200, *[14400] * 5)

# sun_path holds 108 bytes with its closing zero (unix(7)).
_SOCKET_PATH_LIMIT_BYTES: Final = 107


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting: `variable` in the environment, `field` of `Settings`."""

    variable: str
    field: str
    read: Callable[[str], Any]
    default: Any
    unit: str
    meaning: str
    secret: bool = False


SETTINGS: Final = (
    Setting("MODE", "mode", one_of(*MODES), "normal", "",
            "which signal-cli runs; the json-rpc modes add its own HTTP dialect"),
    Setting("BRIDGE_HOST", "host", any_text, "127.0.0.1", "",
            "address to listen on; 0.0.0.0 opens it to the network"),
    Setting("PORT", "port", whole(0, 65535), 8080, "", "port to listen on; 0 takes a free one"),
    Setting("SIGNAL_CLI_CONFIG_DIR", "config_dir", path, None, "",
            "signal-cli's data, and the bridge's own in bridge/ below it"),
    Setting("SIGNAL_CLI_UID", "uid", whole(0, 2**31 - 1), None, "",
            "user to become when started as root"),
    Setting("SIGNAL_CLI_GID", "gid", whole(0, 2**31 - 1), None, "",
            "group to become when started as root"),
    Setting("SIGNAL_CLI_CHOWN_ON_STARTUP", "chown_at_start", flag, True, "",
            "give the data directory to that user first, if it belongs to another"),
    Setting("BRIDGE_RUNTIME_DIR", "runtime_dir", path, None, "",
            "sockets, lock and uploads; default is bridge/ in the data directory"),
    Setting("BRIDGE_DATABASE_URL", "database_url", database_url, None, "",
            "where events are kept; default is bridge/bridge.db in the data directory",
            secret=True),
    Setting("BRIDGE_SIGNAL_CLI", "signal_cli", any_text, "signal-cli", "",
            "the signal-cli program: a path, or a name looked up on PATH"),
    Setting("BRIDGE_SIGNAL_CLI_NATIVE", "signal_cli_native", any_text, "signal-cli-native", "",
            "the native binary for the native modes: a path, or a name on PATH"),
    Setting("BRIDGE_SIGNAL_CLI_RPC", "signal_cli_rpc", daemon_address, None, "",
            "use a daemon that somebody else runs: unix:/path or tcp:host:port"),
    Setting("JAVA_OPTS", "java_opts", any_text, "", "", "added after the bridge's own JVM options"),
    Setting("JSON_RPC_IGNORE_ATTACHMENTS", "ignore_attachments", flag, False, "",
            "do not download attachments"),
    Setting("JSON_RPC_IGNORE_STORIES", "ignore_stories", flag, False, "", "drop stories"),
    Setting("JSON_RPC_IGNORE_AVATARS", "ignore_avatars", flag, False, "",
            "do not download avatars (signal-cli 0.14)"),
    Setting("JSON_RPC_IGNORE_STICKERS", "ignore_stickers", flag, False, "",
            "do not download sticker packs (signal-cli 0.14)"),
    Setting("JSON_RPC_TRUST_NEW_IDENTITIES", "trust_new_identities",
            one_of("on-first-use", "always", "never"), "on-first-use", "",
            "what to do when a safety number changes"),
    Setting("DEFAULT_SIGNAL_TEXT_MODE", "default_text_mode", one_of("normal", "styled"),
            "normal", "", "text_mode of sends that name none"),
    Setting("DEFAULT_ACCOUNT", "default_account", any_text, None, "",
            "account of requests that name none"),
    Setting("LOG_LEVEL", "log_level", one_of("debug", "info", "warn", "error"), "info", "",
            "how much is logged"),
    Setting("BUILD_VERSION", "build_version", any_text, None, "",
            "version that /v1/about reports instead of the compatible one"),
    Setting("BRIDGE_COMPAT", "compat", one_of("0.101", "0.100"), "0.101", "",
            "the signal-cli-rest-api to be like: 0.101 answers /v2/send with an array"),
    Setting("BRIDGE_WORKERS", "workers", whole(1, 64), 1, "processes", "Gunicorn workers"),
    Setting("BRIDGE_THREADS", "threads", whole(8, 1024), 96, "threads",
            "requests and streams that one worker serves at a time"),
    Setting("BRIDGE_START_WAIT_SECONDS", "start_wait_seconds", seconds(0, 300), 10.0, "seconds",
            "how long a request waits for a signal-cli that is starting"),
    Setting("BRIDGE_CALL_TIMEOUT_SECONDS", "call_timeout_seconds", seconds(1, 3600), 120.0,
            "seconds", "how long signal-cli may take over one call"),
    Setting("BRIDGE_KEEP_DAYS", "keep_days", whole(0, 36500), 30, "days",
            "how long events are kept; 0 is for ever"),
    Setting("BRIDGE_KEEP_BYTES", "keep_bytes", whole(0, 2**50), 2**30, "bytes",
            "how much room events may take; 0 is any"),
    Setting("BRIDGE_KEEP_ATTACHMENT_DAYS", "keep_attachment_days", whole(0, 36500), 0, "days",
            "how long received files are kept; 0 is for ever"),
    Setting("BRIDGE_KEEP_ATTACHMENT_BYTES", "keep_attachment_bytes", whole(0, 2**50), 0, "bytes",
            "how much room received files may take; 0 is any"),
    Setting("BRIDGE_MAX_BODY_BYTES", "max_body_bytes", whole(1024, 2**33), 150 * 2**20,
            "bytes", "largest request body"),
    Setting("BRIDGE_MAX_ATTACHMENT_BYTES", "max_attachment_bytes", whole(1024, 2**33),
            100 * 2**20, "bytes", "largest single attachment"),
    Setting("RECEIVE_WEBHOOK_URL", "receive_webhook_url", http_url, None, "",
            "gets what every account receives, as signal-cli's whole line", secret=True),
    Setting("BRIDGE_WEBHOOK_RETRY_SECONDS", "webhook_retry_seconds", waits,
            _WEBHOOK_RETRY_SECONDS, "seconds", "waits between the tries of one delivery"),
    Setting("BRIDGE_WEBHOOK_ALLOW", "webhook_allow", networks, (), "",
            "networks that webhooks may always be in; wins over everything"),
    Setting("BRIDGE_WEBHOOK_DENY", "webhook_deny", networks, (), "",
            "networks that webhooks may not be in, besides link-local and metadata addresses"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Settings:
    """Every setting, with the unit in its name. Made by `read_settings`, never changed.

    Paths that follow from others (`bridge_dir`, `socket_path` …) are properties, so that each
    fact is written down once.
    """

    mode: str
    host: str
    port: int
    config_dir: Path
    uid: int | None
    gid: int | None
    chown_at_start: bool
    runtime_dir: Path
    database_url: str = dataclasses.field(repr=False)
    signal_cli: str
    signal_cli_native: str
    signal_cli_rpc: str | None
    java_opts: str
    ignore_attachments: bool
    ignore_stories: bool
    ignore_avatars: bool
    ignore_stickers: bool
    trust_new_identities: str
    default_text_mode: str
    default_account: str | None
    log_level: str
    build_version: str | None
    compat: str
    workers: int
    threads: int
    start_wait_seconds: float
    call_timeout_seconds: float
    keep_days: int
    keep_bytes: int
    keep_attachment_days: int
    keep_attachment_bytes: int
    max_body_bytes: int
    max_attachment_bytes: int
    receive_webhook_url: str | None = dataclasses.field(repr=False)
    webhook_retry_seconds: tuple[float, ...]
    webhook_allow: tuple[Network, ...]
    webhook_deny: tuple[Network, ...]

    @property
    def socket_path(self) -> Path:
        """The UNIX socket that the supervisor makes and signal-cli inherits."""
        return self.runtime_dir / "signal-cli.sock"

    @property
    def daemon_address(self) -> str:
        """Where signal-cli is reached: `unix:/path` or `tcp:host:port`."""
        return self.signal_cli_rpc or f"unix:{self.socket_path}"

    @property
    def lock_path(self) -> Path:
        return self.config_dir / "bridge" / "lock"

    @property
    def node_path(self) -> Path:
        """Holds the name by which this bridge is known to others on the same database."""
        return self.config_dir / "bridge" / "node"

    @property
    def uploads_dir(self) -> Path:
        """Files on their way to signal-cli, one directory a request. Swept at start."""
        return self.runtime_dir / "uploads"

    @property
    def attachments_dir(self) -> Path:
        """Where signal-cli puts received files (`signal-cli-rpc.md` 4.2)."""
        return self.config_dir / "attachments"

    @property
    def supervised(self) -> bool:
        """Whether signal-cli is our child, and not somebody else's."""
        return self.signal_cli_rpc is None

    @property
    def is_sandbox(self) -> bool:
        return self.mode == "sandbox" and self.supervised

    @property
    def peer_version(self) -> str:
        """The version `/v1/about` reports; clients choose the shape of /v2/send by it."""
        return self.build_version or f"{self.compat}.0"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environ`.

    Raises SettingError, with a sentence that names the variable, its value and what is allowed.
    An empty variable counts as not set.
    """
    values: dict[str, Any] = {setting.field: _value_of(setting, environ)[0] for setting in SETTINGS}
    if values["config_dir"] is None:
        values["config_dir"] = _default_config_dir(values["mode"], environ)
    bridge_dir = values["config_dir"] / "bridge"
    values["runtime_dir"] = values["runtime_dir"] or bridge_dir
    values["database_url"] = values["database_url"] or f"sqlite:///{bridge_dir / 'bridge.db'}"
    settings = Settings(**values)
    _check(settings)
    return settings


def describe(environ: Mapping[str, str] = os.environ) -> list[tuple[Setting, str, str]]:
    """Every setting with its value as text and its source, secrets hidden.

    Raises SettingError like `read_settings`.
    """
    settings = read_settings(environ)
    rows = []
    for setting in SETTINGS:
        value = getattr(settings, setting.field)
        source = _value_of(setting, environ)[1]
        shown = "(hidden)" if setting.secret and source != "default" else _shown(value)
        rows.append((setting, shown, source))
    return rows


def ignored(environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each variable of the peer's that is set and means nothing here."""
    return [
        f"{variable} is set but has no effect: {why}"
        for variable, why in WITHOUT_MEANING.items()
        if environ.get(variable)
    ]


def _value_of(setting: Setting, environ: Mapping[str, str]) -> tuple[Any, str]:
    text, source = environ.get(setting.variable, ""), setting.variable
    if setting.secret and not text and environ.get(f"{setting.variable}_FILE"):
        source = f"{setting.variable}_FILE"
        text = _secret_in(source, environ[source])
    if not text:
        return setting.default, "default"
    try:
        return setting.read(text), source
    except ValueError as error:
        shown = "the given value" if setting.secret else f'"{text}"'
        raise SettingError(f"{source} cannot be {shown}: it must be {error}") from None


def _secret_in(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingError(
            f'{variable} names the file "{path}", which cannot be read: {error.strerror}'
        ) from None
    except UnicodeDecodeError:
        raise SettingError(f'{variable} names the file "{path}", which is not UTF-8') from None


def _default_config_dir(mode: str, environ: Mapping[str, str]) -> Path:
    """signal-cli's own default; the sandbox stays away from real accounts."""
    data_home = Path(environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    return data_home / ("signal-bridge-sandbox" if mode == "sandbox" else "signal-cli")


def _check(settings: Settings) -> None:
    """What depends on more than one setting."""
    if settings.supervised and len(os.fsencode(settings.socket_path)) > _SOCKET_PATH_LIMIT_BYTES:
        raise SettingError(
            f'"{settings.socket_path}" is too long for a UNIX socket: '
            f"set BRIDGE_RUNTIME_DIR to a directory with a short path"
        )
    if settings.max_attachment_bytes > settings.max_body_bytes:
        raise SettingError(
            f'BRIDGE_MAX_ATTACHMENT_BYTES cannot be "{settings.max_attachment_bytes}": '
            f"it must not exceed BRIDGE_MAX_BODY_BYTES ({settings.max_body_bytes})"
        )


def _shown(value: Any) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, tuple):
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
