"""Who is told: the webhooks in the database, as callers manage them.

Nothing here posts anything. The couriers are rung for, see which revisions are new, and act on it.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.signature import OLD_SECRET_MS, new_secret
from signal_bridge.delivery.webhooks.webhook import (
    ACTIVE,
    DISABLED,
    JSONRPC,
    PAUSED,
    STANDARD,
    Webhook,
    check_fields,
    webhook_of,
)
from signal_bridge.errors import NotFound, RequestError
from signal_bridge.feed.feed import newest_seq_in
from signal_bridge.feed.filters import EVERY_ACCOUNT
from signal_bridge.store.bells import WEBHOOKS
from signal_bridge.store.engine import WEBHOOKS_LOCK, Store, Unit
from signal_bridge.store.tables import attempts, parked, webhooks

MOST_PER_ACCOUNT: Final = 20
MOST: Final = 1000
# Of what is parked, which may be every event that is kept.
MOST_SHOWN: Final = 1000
_NUL: Final = "\0"  # PostgreSQL has no text with it
# The webhook of RECEIVE_WEBHOOK_URL.
ENV_ID: Final = "env"

# Nothing stands in the way of the next attempt.
_AFRESH: Final = {"attempt": 0, "next_attempt_ms": 0, "failing_since_ms": 0}
_RESUMED: Final = {**_AFRESH, "state": ACTIVE, "detail": ""}


class Registry:
    """All webhooks. Safe from any thread and process; every method may raise StoreError.

    Fields are those of `Webhook` that callers choose: url, name, types, senders, format, headers,
    secret. RequestError for one that cannot be; NotFound for an id the account does not have.
    """

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self.rules = rules

    def create(self, account: str, fields: Mapping[str, Any]) -> tuple[Webhook, bool]:
        """Register a webhook; True if it is new. It is told what comes after this moment.

        The same account and URL again is the same webhook: the fields given are changed, and if
        it was disabled it goes on where it stopped. Raises RequestError at the limits.
        """
        values = check_fields(fields, self.rules)
        with self._store.write() as unit:
            unit.take_turns(WEBHOOKS_LOCK)
            known = _one(unit, webhooks.c.account == account, webhooks.c.url == values["url"])
            if known is not None:
                if known.state == DISABLED:
                    values |= _RESUMED
                return _update(unit, known, values), False
            _check_limits(unit, account)
            return _insert(unit, f"wh_{secrets.token_hex(8)}", account, values), True

    def list_all(self, account: str) -> list[Webhook]:
        """The webhooks of `account`, oldest first; "*" are those for every account."""
        if _NUL in account:
            return []
        query = (
            sa.select(webhooks)
            .where(webhooks.c.account == account)
            .order_by(webhooks.c.created_ms, webhooks.c.id)
        )
        with self._store.read() as connection:
            return [webhook_of(row) for row in connection.execute(query)]

    def get(self, account: str, webhook_id: str) -> Webhook:
        """The webhook as it stands in the table. NotFound when the account has none of that id."""
        with self._store.read() as connection:
            return _require(connection, account, webhook_id)

    def change(
        self, account: str, webhook_id: str, fields: Mapping[str, Any], paused: bool | None = None
    ) -> Webhook:
        """Change the fields given. With `paused` False it goes on where it stopped."""
        values = check_fields(fields, self.rules)
        if paused is not None:
            values |= {"state": PAUSED, "detail": ""} if paused else _RESUMED
        with self._store.write() as unit:
            unit.take_turns(WEBHOOKS_LOCK)
            webhook = _lock(unit, account, webhook_id)
            other = (
                webhooks.c.account == account,
                webhooks.c.url == values.get("url"),
                webhooks.c.id != webhook_id,
            )
            if _one(unit, *other) is not None:
                raise RequestError("Another webhook of this account has this URL")
            return _update(unit, webhook, values)

    def delete(self, account: str, webhook_id: str) -> None:
        """Remove the webhook with all that was kept for it."""
        with self._store.write() as unit:
            _lock(unit, account, webhook_id)
            _delete(unit, webhook_id)

    def forget_account(self, account: str) -> None:
        """Remove every webhook of `account`, each with all that was kept for it."""
        with self._store.write() as unit:
            query = sa.select(webhooks.c.id).where(webhooks.c.account == account)
            ids = query.order_by(webhooks.c.id).with_for_update()
            for webhook_id in unit.execute(ids).scalars().all():
                _delete(unit, webhook_id)

    def attempts(self, account: str, webhook_id: str) -> list[sa.Row[Any]]:
        """What was tried, newest first: rows of the table."""
        with self._store.read() as connection:
            _require(connection, account, webhook_id)
            query = sa.select(attempts).where(attempts.c.webhook_id == webhook_id)
            return list(connection.execute(query.order_by(attempts.c.id.desc())))

    def list_parked(self, account: str, webhook_id: str) -> list[sa.Row[Any]]:
        """What it refused for good, oldest first: rows of the table, MOST_SHOWN of them."""
        with self._store.read() as connection:
            _require(connection, account, webhook_id)
            query = sa.select(parked).where(parked.c.webhook_id == webhook_id)
            return list(connection.execute(query.order_by(parked.c.seq).limit(MOST_SHOWN)))

    def parked_count(self, webhook_id: str) -> int:
        """How many events it refused for good, 0 as well when there is no such webhook."""
        query = sa.select(sa.func.count()).where(parked.c.webhook_id == webhook_id)
        with self._store.read() as connection:
            return int(connection.scalar(query) or 0)

    def replay_since(self, account: str, webhook_id: str, seq: int) -> Webhook:
        """Deliver everything from `seq` on once more, beginning at once."""
        with self._store.write() as unit:
            webhook = _lock(unit, account, webhook_id)
            position = max(0, min(seq - 1, newest_seq_in(unit.connection)))
            rewound = {"position": position, "rewound": webhook.revision + 1}
            return _update(unit, webhook, {**_AFRESH, **rewound})

    def replay_parked(self, account: str, webhook_id: str, seq: int | None = None) -> int:
        """Try parked events once more, one or all. How many; NotFound when that one is not."""
        chosen = parked.c.webhook_id == webhook_id
        if seq is not None:
            chosen &= parked.c.seq == seq
        with self._store.write() as unit:
            webhook = _lock(unit, account, webhook_id)
            found = unit.execute(sa.update(parked).where(chosen).values(wanted=True))
            if seq is not None and not found.rowcount:
                raise NotFound(f"Event {seq} is not parked for this webhook")
            if found.rowcount:
                _update(unit, webhook, _AFRESH)
            return found.rowcount

    def set_env(self, url: str | None) -> Webhook | None:
        """The webhook of RECEIVE_WEBHOOK_URL is as the setting says: made, changed or gone.

        It is for every account, in the peer's format, and without a secret. When callers have
        registered that URL for every account themselves, that stays and is enough. Raises
        RequestError.
        """
        values = {} if url is None else check_fields({"url": url}, self.rules)
        with self._store.write() as unit:
            unit.take_turns(WEBHOOKS_LOCK)
            everywhere = webhooks.c.account == EVERY_ACCOUNT
            same = _one(unit, everywhere, webhooks.c.url == url, webhooks.c.id != ENV_ID)
            if url is None or same is not None:
                _delete(unit, ENV_ID)
                return same
            known = _one(unit, webhooks.c.id == ENV_ID)
            if known is None:
                fixed = {"name": "RECEIVE_WEBHOOK_URL", "format": JSONRPC, "secret": ""}
                return _insert(unit, ENV_ID, EVERY_ACCOUNT, {**values, **fixed})
            if known.url != url or known.state == DISABLED:
                values |= _RESUMED
            return _update(unit, known, values)


def _insert(unit: Unit, webhook_id: str, account: str, values: dict[str, Any]) -> Webhook:
    defaults = {
        "name": "",
        "types": (),
        "senders": (),
        "format": STANDARD,
        "headers": {},
        "secret": new_secret(),
    }
    webhook = Webhook(
        id=webhook_id,
        account=account,
        old_secret="",
        old_secret_ends_ms=0,
        state=ACTIVE,
        detail="",
        created_ms=now_ms(),
        position=newest_seq_in(unit.connection),
        **_fields({**defaults, **values}),
    )
    unit.execute(sa.insert(webhooks), _row(webhook))
    unit.ring(WEBHOOKS)
    return webhook


def _row(webhook: Webhook) -> dict[str, Any]:
    """A webhook as a row: JSON has lists, no tuples."""
    row = {field.name: getattr(webhook, field.name) for field in dataclasses.fields(webhook)}
    return {**row, "types": list(webhook.types), "senders": list(webhook.senders)}


def _fields(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row as fields of a webhook."""
    lists = {name: tuple(columns[name]) for name in ("types", "senders") if name in columns}
    return {**columns, **lists}


def _one(unit: Unit, *conditions: sa.ColumnElement[bool]) -> Webhook | None:
    """The webhook if there is one. Nobody else writes it until the unit ends."""
    row = unit.execute(sa.select(webhooks).where(*conditions).with_for_update()).first()
    return None if row is None else webhook_of(row)


def _lock(unit: Unit, account: str, webhook_id: str) -> Webhook:
    """The webhook, locked before anything of it is written: couriers take it first, too.

    Raises NotFound.
    """
    return _or_not_found(_one(unit, *_is(account, webhook_id)), webhook_id)


def _require(connection: sa.Connection, account: str, webhook_id: str) -> Webhook:
    """The webhook. Raises NotFound."""
    row = connection.execute(sa.select(webhooks).where(*_is(account, webhook_id))).first()
    return _or_not_found(None if row is None else webhook_of(row), webhook_id)


def _is(account: str, webhook_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Raises NotFound for what no database holds."""
    if _NUL in account + webhook_id:
        raise NotFound("There is no such webhook")
    return webhooks.c.id == webhook_id, webhooks.c.account == account


def _or_not_found(webhook: Webhook | None, webhook_id: str) -> Webhook:
    """The webhook if there is one. Raises NotFound."""
    if webhook is None:
        raise NotFound(f"There is no webhook {webhook_id} of this account")
    return webhook


def _update(unit: Unit, webhook: Webhook, values: dict[str, Any]) -> Webhook:
    """Write `values` if that changes anything. A new secret leaves the old one signing for a day.

    Where to go on from is a change even when it stands there already: a courier may be about to
    write something else.
    """
    changed = {name: value for name, value in values.items() if _differs(webhook, name, value)}
    if not changed:
        return webhook
    if "secret" in changed:
        ends_ms = now_ms() + OLD_SECRET_MS
        changed |= {"old_secret": webhook.secret, "old_secret_ends_ms": ends_ms}
    changed["revision"] = webhook.revision + 1
    unit.execute(sa.update(webhooks).where(webhooks.c.id == webhook.id).values(changed))
    unit.ring(WEBHOOKS)
    return dataclasses.replace(webhook, **_fields(changed))


def _differs(webhook: Webhook, name: str, value: Any) -> bool:
    if name in _AFRESH:
        return True
    before = getattr(webhook, name)
    return bool(value != (list(before) if isinstance(before, tuple) else before))


def _delete(unit: Unit, webhook_id: str) -> None:
    unit.execute(sa.delete(webhooks).where(webhooks.c.id == webhook_id))
    unit.execute(sa.delete(attempts).where(attempts.c.webhook_id == webhook_id))
    unit.execute(sa.delete(parked).where(parked.c.webhook_id == webhook_id))
    unit.ring(WEBHOOKS)


def _check_limits(unit: Unit, account: str) -> None:
    count = sa.select(sa.func.count()).select_from(webhooks)
    if int(unit.scalar(count.where(webhooks.c.account == account)) or 0) >= MOST_PER_ACCOUNT:
        raise RequestError(f"An account can have {MOST_PER_ACCOUNT} webhooks at most")
    if int(unit.scalar(count) or 0) >= MOST:
        raise RequestError(f"There can be {MOST} webhooks at most")
