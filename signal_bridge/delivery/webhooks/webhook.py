"""A webhook: what its row in the database says, and what its fields may be."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import sqlalchemy as sa

from signal_bridge.delivery.webhooks.addresses import Rules, literal
from signal_bridge.delivery.webhooks.ownaddresses import is_own
from signal_bridge.delivery.webhooks.signature import key_of
from signal_bridge.errors import RequestError, WebhookLoop
from signal_bridge.feed.filters import SIGNAL_KINDS, Filter, few_words, kinds_named, kinds_of
from signal_bridge.signalcli.addresses import sender

STANDARD: Final = "standard"
JSONRPC: Final = "jsonrpc"
FORMATS: Final = (STANDARD, JSONRPC)

HOP_HEADER: Final = "Signal-Bridge-Hop"
"""The field of every request that a webhook makes. No bridge serves a request that has it.

A bridge that calls itself, or two that call each other, would go on until no thread is left. The
field is of our own making since those that exist mean something else: Via (RFC 9110, 7.6.3) says
that a proxy passes a message on, and changes what servers do with it; CDN-Loop (RFC 8586) belongs
to networks that deliver content. Proxies pass on what they do not know (RFC 9110, 5.1).
"""

ACTIVE: Final = "active"
PAUSED: Final = "paused"
DISABLED: Final = "disabled"

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 200
_MOST_HEADERS: Final = 20
_LONGEST_HEADER: Final = 2048
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_NOT_STORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
# These say what is posted, and where; they are the bridge's to set.
_RESERVED_HEADERS: Final = re.compile(
    "webhook-.*|host|content-length|content-type|transfer-encoding|connection|upgrade|te|trailer"
    "|expect|proxy-.*|accept-encoding|keep-alive|signal-bridge-.*",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Webhook:
    """A row of the table, column by column (store/tables.py).

    `position` is the seq delivered or parked last; `attempt` counts the failed tries of the event
    after it; `next_attempt_ms` is when to try that again; `failing_since_ms` is 0 while all is
    well. `revision` rises whenever a caller changes the row; `rewound` is the revision with which
    one last moved the position. `headers` and the secrets are not for showing.
    """

    id: str
    account: str
    name: str
    url: str = dataclasses.field(repr=False)
    types: tuple[str, ...]
    senders: tuple[str, ...]
    format: str
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    secret: str = dataclasses.field(repr=False)
    old_secret: str = dataclasses.field(repr=False)
    old_secret_ends_ms: int
    state: str
    detail: str
    created_ms: int
    position: int
    attempt: int = 0
    next_attempt_ms: int = 0
    failing_since_ms: int = 0
    revision: int = 1
    rewound: int = 0

    @property
    def filter(self) -> Filter:
        """The events it wants. In the peer's format only what signal-cli said can be told."""
        kinds = kinds_named(self.types) or SIGNAL_KINDS
        if self.format == JSONRPC:
            kinds = tuple(kind for kind in kinds if kind in SIGNAL_KINDS)
        return Filter(self.account, kinds, self.senders)

    def signing_secrets(self, now_ms: int) -> list[str]:
        """The secrets that sign now, the current one first."""
        old = [self.old_secret] if self.old_secret and now_ms < self.old_secret_ends_ms else []
        return [self.secret, *old] if self.secret else []


def webhook_of(row: sa.Row[Any]) -> Webhook:
    """The webhook in a row with every column of the table, under the columns' names."""
    values = row._asdict()
    return Webhook(
        **{**values, "types": tuple(values["types"]), "senders": tuple(values["senders"])}
    )


def check_fields(fields: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """The fields a caller gave, as columns of the table.

    Raises RequestError, with a sentence, for one that cannot be.
    """
    checks: dict[str, Callable[[Any], Any]] = {
        "url": lambda url: checked_url(url, rules),
        "name": _checked_name,
        "types": _checked_types,
        "senders": _checked_senders,
        "format": _checked_format,
        "headers": _checked_headers,
        "secret": _checked_secret,
    }
    return {name: checks[name](value) for name, value in fields.items()}


def checked_url(url: str, rules: Rules) -> str:
    """`url` if it is one to post to. Raises RequestError, WebhookLoop for the bridge's own."""
    if len(url) > _LONGEST_URL:
        raise RequestError(f"The webhook's URL is longer than {_LONGEST_URL} characters")
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestError("The webhook's URL must begin with http:// or https:// and name a host")
    address = literal(parts.hostname)
    refusal = rules.refusal(address) if address is not None else None
    if refusal:
        raise RequestError(f"The webhook's URL cannot be used: {refusal} ({address})")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    if address is not None and port == rules.own_port and is_own(address):
        raise WebhookLoop("The webhook's URL cannot be used: it is this bridge, calling itself")
    return url


def shown_url(url: str) -> str:
    """The URL without the password in it."""
    parts = _split(url)
    if parts is None or parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}").geturl()


def origin_of(url: str) -> str:
    """Host and port of a URL that was accepted: its receiver, whatever the path."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, None when it has none that make sense."""
    if _NOT_IN_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _checked_name(name: str) -> str:
    if not _is_fit(name):
        raise RequestError(
            f"The webhook's name is longer than {_LONGEST_NAME} characters, or cannot be stored"
        )
    return name


def _checked_types(types: Sequence[str]) -> list[str]:
    words = _few(types, "types")
    kinds_of(words)
    return words


def _checked_senders(senders: Sequence[str]) -> list[str]:
    return [sender(word) for word in _few(senders, "senders")]


def _few(words: Sequence[str], what: str) -> list[str]:
    trimmed = few_words(words, what)
    if not all(map(_is_fit, trimmed)):
        raise RequestError(f"One of the {what} cannot be stored")
    return trimmed


def _is_fit(word: str) -> bool:
    """Not too long, and without what a database cannot hold: NUL, halves of characters."""
    return len(word) <= _LONGEST_NAME and not _NOT_STORABLE.search(word)


def _checked_format(word: str) -> str:
    if word not in FORMATS:
        raise RequestError("The format must be one of " + ", ".join(FORMATS))
    return word


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    if len(headers) > _MOST_HEADERS:
        raise RequestError(f"There are more than {_MOST_HEADERS} headers")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or _RESERVED_HEADERS.fullmatch(name):
            raise RequestError(f"The header {name[:100]} cannot be set")
        if len(value) > _LONGEST_HEADER or not _HEADER_VALUE.fullmatch(value):
            raise RequestError(f"The value of the header {name} must be printable ASCII")
    return dict(headers)


def _checked_secret(secret: str) -> str:
    key_of(secret)
    return secret
