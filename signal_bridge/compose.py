"""Puts the parts of a bridge together: once for the daemon, once for each web worker.

    web_bridge ── what the routes work with            (wsgi.py)
    duty       ── what only one daemon may do          (daemon.py)

Nothing happens here but building: no part is started, and no rule decided.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.couriers import Couriers
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.delivery.webhooks.trials import Trials
from signal_bridge.duty import SIGNAL_CLI_POLICY, Duty, Reports
from signal_bridge.feed.account_book import AccountBook
from signal_bridge.feed.cursors import Cursors
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.intake import Intake
from signal_bridge.feed.retention import Retention
from signal_bridge.session.account_watch import AccountWatch, Remedies
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.link_book import LinkBook
from signal_bridge.session.linker import Linker
from signal_bridge.session.listing import Listing
from signal_bridge.session.lives import note_loss
from signal_bridge.session.missing_accounts import MissingAccounts
from signal_bridge.session.rate_limits import RateLimitNotice
from signal_bridge.session.subscription import Subscription
from signal_bridge.settings import Settings
from signal_bridge.settingtexts import sqlite_path
from signal_bridge.signalcli import loading
from signal_bridge.signalcli.filetypes import MEDIA_TYPES
from signal_bridge.signalcli.reasons import outdated
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.room import Room
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease, Leases
from signal_bridge.store.status import StatusBoard
from signal_bridge.store.tenure import read_node_name
from signal_bridge.supervisor.command import Command, signal_cli_command
from signal_bridge.supervisor.listening import listen_unix
from signal_bridge.supervisor.supervisor import Supervisor
from signal_bridge.supervisor.surroundings import prepare
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.streams import StreamPlaces


def web_bridge(settings: Settings) -> Bridge:
    """What the routes of one worker work with. Opens no connection and starts no thread."""
    store = Store(settings.database_url)
    board = StatusBoard(store)
    feed = Feed(store)
    book = AccountBook(store, feed)
    gateway = Gateway(
        settings,
        board,
        on_refusal=RateLimitNotice(feed).on_refusal,
        missing=MissingAccounts(book, board, settings.config_dir),
        on_lost=partial(note_loss, board),
    )
    return Bridge(
        settings=settings,
        gateway=gateway,
        links=LinkBook(store, Linker(gateway)),
        listing=Listing(gateway),
        feed=feed,
        accounts=book,
        cursors=Cursors(store),
        board=board,
        leases=Leases(store),
        node=read_node_name(settings.node_path),
        room=Room(settings.uploads_dir, settings.spool_bytes, _disks(settings)),
        streams=StreamPlaces(settings.threads),
        webhooks=Registry(store, _rules(settings)),
        trials=Trials(_rules(settings)),
    )


def signal_cli(settings: Settings) -> Command | None:
    """How signal-cli is started; None for a daemon of somebody else's. Raises StartError."""
    if not settings.supervised:
        return None
    return signal_cli_command(settings, prepare(settings.surroundings_dir, MEDIA_TYPES))


def duty(
    settings: Settings,
    store: Store,
    command: Command | None,
    lease: Lease,
    stop: threading.Event,
    failed: Callable[[str], None],
) -> Duty:
    """What the daemon that holds `lease` does.

    `command` starts signal-cli, None for somebody else's; `failed(sentence)` is called when it
    cannot work with this configuration. Raises StartError when its socket cannot be made.
    """
    feed = Feed(store)
    reports = Reports(store, feed, settings.supervised, failed)
    gateway = Gateway(settings, reports.board, name="probe")
    signal_cli = _signal_cli(settings, command, gateway, reports)
    book = AccountBook(store, feed)
    watch = AccountWatch(
        book,
        settings.config_dir,
        _remedies(gateway, signal_cli),
        Linker(gateway),
    )

    def look(version: str, listed: frozenset[str] | None) -> bool:
        reports.put("version", version)
        if listed is None:
            book.add(receiving.named)
            hurry = False
        else:
            hurry = watch.look(listed)
        reports.accounts_known(listed is not None)
        return hurry

    receiving = Subscription(
        settings.daemon_address,
        accept=Intake(feed, stop, reports.storing).accept,
        report=reports.receiving,
        on_accounts=look,
        stop=stop,
    )
    rules = _rules(settings)
    return Duty(
        reports=reports,
        feed=feed,
        gateway=gateway,
        signal_cli=signal_cli,
        receiving=receiving,
        retention=Retention(settings, store, feed).loop(stop, reports.trouble),
        registry=Registry(store, rules),
        receive_webhook_url=settings.receive_webhook_url,
        couriers=Couriers(store, feed, rules, settings.webhook_retry_seconds, lease),
    )


def _signal_cli(
    settings: Settings, command: Command | None, gateway: Gateway, reports: Reports
) -> Supervisor | None:
    """None for a daemon of somebody else's."""
    if command is None:
        return None
    return Supervisor(
        "signal-cli",
        command,
        reports.signal_cli,
        probe=gateway.ping,
        on_answer=reports.signal_cli_answers,
        diagnose=outdated,
        policy=SIGNAL_CLI_POLICY,
        stdin=listen_unix(settings.socket_path).detach(),  # open as long as this process lives
    )


def _remedies(gateway: Gateway, signal_cli: Supervisor | None) -> Remedies:
    return Remedies(
        load=lambda number: gateway.run(loading.load(number)),
        restart=signal_cli.restart if signal_cli is not None else None,
        why=lambda: loading.why_not_loaded(signal_cli.complaints() if signal_cli else []),
    )


def _disks(settings: Settings) -> Disks:
    places = {
        "the data directory": settings.config_dir,
        "the runtime directory": settings.runtime_dir,
    }
    if (database := sqlite_path(settings.database_url)) is not None:
        places["the database"] = database.parent
    return Disks(places, settings.min_free_bytes)


def _rules(settings: Settings) -> Rules:
    return Rules(
        settings.webhook_allow,
        settings.webhook_deny,
        own_port=settings.port,
        shows_answers=settings.webhook_show_answers,
    )
