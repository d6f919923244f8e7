"""What the operator chose: the environment, read once into a frozen `Settings`.

Every setting is one field of `Settings`, declared with its variable, how its text is read, its
default, its unit and what it means; `SETTINGS` is the same as rows. Each secret may also be given
as `NAME_FILE`, the path of a file that holds it. `signal-bridge config` prints them all, with where
each value came from.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from signal_bridge import settingtexts as texts
from signal_bridge.errors import SettingError

MODES: Final = ("normal", "native", "json-rpc", "json-rpc-native", "sandbox")

# Seconds between the tries of one webhook delivery: about a day in all.
_WEBHOOK_RETRY_SECONDS: Final = (5, 30, 120, 600, 1800, 3600, 7200, *[14400] * 5)

# sun_path holds 108 bytes with its closing zero (unix(7)).
_SOCKET_PATH_LIMIT_BYTES: Final = 107

_Value = TypeVar("_Value")


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting: `variable` in the environment, `field` of `Settings`.

    `read` takes the variable's text and gives the value, or raises ValueError with what is
    allowed. `default` is the value when the variable is not set; None where there is none, or
    where it follows from other settings. `unit` is empty for what has none.
    """

    variable: str
    field: str
    read: Callable[[str], Any]
    default: Any
    unit: str
    meaning: str
    secret: bool


def setting(
    variable: str,
    read: Callable[[str], _Value],
    default: _Value | None,
    meaning: str,
    *,
    unit: str = "",
    secret: bool = False,
) -> _Value:
    """Declares a field of `Settings`, which is all that a setting needs. See `Setting`.

    The field itself has no default: `read_settings` gives every value.
    """
    row = {
        "variable": variable,
        "read": read,
        "default": default,
        "unit": unit,
        "meaning": meaning,
        "secret": secret,
    }
    return cast(_Value, dataclasses.field(repr=not secret, metadata=row))


@dataclasses.dataclass(frozen=True)
class Settings:
    """Every setting, with the unit in its name. Made by `read_settings`, never changed.

    Paths that follow from others (`socket_path`, `lock_path` …) are properties, so that each
    fact is written down once.
    """

    # fmt: off
    mode: str = setting(
        "MODE", texts.one_of(*MODES), "normal",
        "which signal-cli runs; the json-rpc modes add its own HTTP dialect")
    host: str = setting(
        "BRIDGE_HOST", texts.any_text, "127.0.0.1",
        "address to listen on; 0.0.0.0 opens it to the network")
    trusted_proxies: tuple[texts.Network, ...] = setting(
        "BRIDGE_TRUSTED_PROXIES", texts.networks, (),
        "networks of proxies whose X-Forwarded-For says whom a request is from")
    port: int = setting(
        "PORT", texts.whole(0, 65535), 8080,
        "port to listen on; 0 takes a free one")
    config_dir: Path = setting(
        "SIGNAL_CLI_CONFIG_DIR", texts.path, None,
        "signal-cli's data, and the bridge's own in bridge/ below it")
    uid: int | None = setting(
        "SIGNAL_CLI_UID", texts.whole(0, 2**31 - 1), None,
        "user to become when started as root")
    gid: int | None = setting(
        "SIGNAL_CLI_GID", texts.whole(0, 2**31 - 1), None,
        "group to become when started as root")
    chown_at_start: bool = setting(
        "SIGNAL_CLI_CHOWN_ON_STARTUP", texts.flag, True,
        "at start, give the data directory to that user, and close it to others")
    runtime_dir: Path = setting(
        "BRIDGE_RUNTIME_DIR", texts.path, None,
        "sockets, lock and uploads; default is bridge/ in the data directory")
    database_url: str = setting(
        "BRIDGE_DATABASE_URL", texts.database_url, None,
        "where events are kept; default is bridge/bridge.db in the data directory", secret=True)
    signal_cli: str = setting(
        "BRIDGE_SIGNAL_CLI", texts.any_text, "signal-cli",
        "the signal-cli program: a path, or a name looked up on PATH")
    signal_cli_native: str = setting(
        "BRIDGE_SIGNAL_CLI_NATIVE", texts.any_text, "signal-cli-native",
        "the native binary for the native modes: a path, or a name on PATH")
    sandbox_flags: str = setting(
        "BRIDGE_SANDBOX_FLAGS", texts.any_text, "",
        "flags that only the sandbox has, as --as 0.13.19")
    signal_cli_rpc: str | None = setting(
        "BRIDGE_SIGNAL_CLI_RPC", texts.daemon_address, None,
        "use a daemon that somebody else runs: unix:/path or tcp:host:port")
    java_opts: str = setting(
        "JAVA_OPTS", texts.any_text, "",
        "added after the bridge's own JVM options")
    ignore_attachments: bool = setting(
        "JSON_RPC_IGNORE_ATTACHMENTS", texts.flag, False,
        "do not download attachments")
    ignore_stories: bool = setting("JSON_RPC_IGNORE_STORIES", texts.flag, False, "drop stories")
    ignore_avatars: bool = setting(
        "JSON_RPC_IGNORE_AVATARS", texts.flag, False,
        "do not download avatars (signal-cli 0.14)")
    ignore_stickers: bool = setting(
        "JSON_RPC_IGNORE_STICKERS", texts.flag, False,
        "do not download sticker packs (signal-cli 0.14)")
    trust_new_identities: str = setting(
        "JSON_RPC_TRUST_NEW_IDENTITIES",
        texts.one_of("on-first-use", "always", "never"), "on-first-use",
        "what to do when a safety number changes")
    default_text_mode: str = setting(
        "DEFAULT_SIGNAL_TEXT_MODE", texts.one_of("normal", "styled"), "normal",
        "text_mode of sends that name none")
    default_account: str | None = setting(
        "DEFAULT_ACCOUNT", texts.any_text, None,
        "account of requests that name none")
    log_level: str = setting(
        "LOG_LEVEL", texts.one_of("debug", "info", "warn", "error"), "info",
        "how much is logged")
    build_version: str | None = setting(
        "BUILD_VERSION", texts.any_text, None,
        "version that /v1/about reports instead of the compatible one")
    compat: str = setting(
        "BRIDGE_COMPAT", texts.one_of("0.101", "0.100"), "0.101",
        "the signal-cli-rest-api to be like: 0.101 answers /v2/send with an array")
    workers: int = setting(
        "BRIDGE_WORKERS", texts.whole(1, 64), 1,
        "Gunicorn workers", unit="processes")
    threads: int = setting(
        "BRIDGE_THREADS", texts.whole(8, 1024), 96,
        "requests and streams that one worker serves at a time", unit="threads")
    start_wait_seconds: float = setting(
        "BRIDGE_START_WAIT_SECONDS", texts.seconds(0, 300), 10.0,
        "how long a request waits for a signal-cli that is starting", unit="seconds")
    call_timeout_seconds: float = setting(
        "BRIDGE_CALL_TIMEOUT_SECONDS", texts.seconds(1, 3600), 120.0,
        "how long signal-cli may take over one call", unit="seconds")
    keep_days: int = setting(
        "BRIDGE_KEEP_DAYS", texts.whole(0, 36500), 30,
        "how long events are kept; 0 is for ever", unit="days")
    keep_bytes: int = setting(
        "BRIDGE_KEEP_BYTES", texts.whole(0, 2**50), 2**30,
        "how much room events may take; 0 is any", unit="bytes")
    keep_attachment_days: int = setting(
        "BRIDGE_KEEP_ATTACHMENT_DAYS", texts.whole(0, 36500), 0,
        "how long received files are kept; 0 is for ever", unit="days")
    keep_attachment_bytes: int = setting(
        "BRIDGE_KEEP_ATTACHMENT_BYTES", texts.whole(0, 2**50), 0,
        "how much room received files may take; 0 is any", unit="bytes")
    max_body_bytes: int = setting(
        "BRIDGE_MAX_BODY_BYTES", texts.whole(1024, 2**33), 150 * 2**20,
        "largest request body", unit="bytes")
    max_attachment_bytes: int = setting(
        "BRIDGE_MAX_ATTACHMENT_BYTES", texts.whole(1024, 2**33), 100 * 2**20,
        "largest single attachment", unit="bytes")
    spool_bytes: int = setting(
        "BRIDGE_SPOOL_BYTES", texts.whole(2**20, 2**50), None,
        "room for files on their way, half for one client; default is 1 GiB or more", unit="bytes")
    min_free_bytes: int | None = setting(
        "BRIDGE_MIN_FREE_BYTES", texts.whole(0, 2**50), None,
        "files are refused when less is free; default is 256 MiB, or 5 % of a disk", unit="bytes")
    receive_webhook_url: str | None = setting(
        "RECEIVE_WEBHOOK_URL", texts.http_url, None,
        "gets what every account receives, as signal-cli's whole line", secret=True)
    webhook_retry_seconds: tuple[float, ...] = setting(
        "BRIDGE_WEBHOOK_RETRY_SECONDS", texts.waits, _WEBHOOK_RETRY_SECONDS,
        "waits between the tries of one delivery", unit="seconds")
    webhook_allow: tuple[texts.Network, ...] = setting(
        "BRIDGE_WEBHOOK_ALLOW", texts.networks, (),
        "networks that webhooks may always be in; wins over everything")
    webhook_deny: tuple[texts.Network, ...] = setting(
        "BRIDGE_WEBHOOK_DENY", texts.networks, (),
        "networks that webhooks may not be in, besides link-local and metadata addresses")
    webhook_show_answers: bool = setting(
        "BRIDGE_WEBHOOK_SHOW_ANSWERS", texts.flag, False,
        "keep and show the beginning of what receivers of webhooks answer")
    # fmt: on

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
        """Held by the one bridge that works on this data directory."""
        return self.config_dir / "bridge" / "lock"

    @property
    def node_path(self) -> Path:
        """Holds the name by which this bridge is known to others on the same database."""
        return self.config_dir / "bridge" / "node"

    @property
    def surroundings_dir(self) -> Path:
        """What signal-cli finds around it: its home and its temporary files."""
        return self.config_dir / "bridge" / "signal-cli"

    @property
    def uploads_dir(self) -> Path:
        """Files on their way to signal-cli, one directory a request. Swept at start."""
        return self.runtime_dir / "uploads"

    @property
    def attachments_dir(self) -> Path:
        """Where signal-cli puts received files (signal-cli.rst 4.2)."""
        return self.config_dir / "attachments"

    @property
    def supervised(self) -> bool:
        """Whether signal-cli is our child, and not somebody else's."""
        return self.signal_cli_rpc is None

    @property
    def is_sandbox(self) -> bool:
        """Whether signal-cli is the pretend one, which reaches nobody."""
        return self.mode == "sandbox" and self.supervised

    @property
    def peer_version(self) -> str:
        """The version `/v1/about` reports; clients choose the shape of /v2/send by it."""
        return self.build_version or f"{self.compat}.0"


# Every setting, in the order in which `signal-bridge config` prints them.
SETTINGS: Final = tuple(
    Setting(field=field.name, **field.metadata) for field in dataclasses.fields(Settings)
)

_OWN_PREFIX: Final = "BRIDGE_"
_NAMES: Final = frozenset(
    {row.variable for row in SETTINGS} | {f"{row.variable}_FILE" for row in SETTINGS if row.secret}
)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environ`.

    Raises SettingError, with a sentence that names the variable, its value and what is allowed, or
    what a name that is no setting was meant to be. An empty variable counts as not set.
    """
    _check_names(environ)
    return _settings_in(environ)


def _settings_in(environ: Mapping[str, str]) -> Settings:
    values: dict[str, Any] = {row.field: _value_of(row, environ)[0] for row in SETTINGS}
    if values["config_dir"] is None:
        values["config_dir"] = _default_config_dir(values["mode"], environ)
    bridge_dir = values["config_dir"] / "bridge"
    values["runtime_dir"] = values["runtime_dir"] or bridge_dir
    values["database_url"] = values["database_url"] or f"sqlite:///{bridge_dir / 'bridge.db'}"
    if values["spool_bytes"] is None:  # one client's half: base64, and the file it is decoded to
        values["spool_bytes"] = max(2**30, 4 * values["max_body_bytes"])
    settings = Settings(**values)
    _check(settings)
    return settings


def describe(environ: Mapping[str, str] = os.environ) -> list[tuple[Setting, str, str]]:
    """Every setting with its value as text and its source, secrets hidden.

    A name that is no setting is passed over: who asks for the list may look for the right one.
    Raises SettingError for a value, like `read_settings`.
    """
    settings = _settings_in(environ)
    rows = []
    for row in SETTINGS:
        source = _value_of(row, environ)[1]
        hidden = row.secret and source != "default"
        text = "(hidden)" if hidden else _text_of(getattr(settings, row.field))
        rows.append((row, text, source))
    return rows


def _check_names(environ: Mapping[str, str]) -> None:
    """A setting whose name is misspelt would be passed over without a word."""
    unknown = [
        _correction(name)
        for name, text in sorted(environ.items())
        if name.startswith(_OWN_PREFIX) and text and name not in _NAMES
        if not _tells_of_a_service(name, environ)
    ]
    if unknown:
        raise SettingError("; ".join(unknown))


def _correction(name: str) -> str:
    """What to say of a name that is no setting. The prefix says nothing about what was meant."""
    import difflib  # a name is seldom misspelt

    meant = {known.removeprefix(_OWN_PREFIX): known for known in _NAMES}
    nearest = difflib.get_close_matches(name.removeprefix(_OWN_PREFIX), meant, 1)
    if nearest:
        return f"{name} is not a setting: did you mean {meant[nearest[0]]}?"
    return f"{name} is not a setting: `signal-bridge config` lists them all"


def _tells_of_a_service(name: str, environ: Mapping[str, str]) -> bool:
    """Kubernetes gives a pod such variables of each service, and one may be called `bridge`."""
    services = (
        known.removesuffix("_SERVICE_HOST") for known in environ if known.endswith("_SERVICE_HOST")
    )
    return any(
        name == f"{service}_PORT" or name.startswith((f"{service}_PORT_", f"{service}_SERVICE_"))
        for service in services
    )


def _value_of(row: Setting, environ: Mapping[str, str]) -> tuple[Any, str]:
    """The value, and where it comes from. Raises SettingError."""
    text, source = environ.get(row.variable, ""), row.variable
    if row.secret and not text and environ.get(f"{row.variable}_FILE"):
        source = f"{row.variable}_FILE"
        text = _secret_in(source, environ[source])
    if not text:
        return row.default, "default"
    try:
        return row.read(text), source
    except ValueError as error:
        repeated = "the given value" if row.secret else f'"{text}"'
        raise SettingError(f"{source} cannot be {repeated}: it must be {error}") from None


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


def _text_of(value: Any) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, tuple):
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
