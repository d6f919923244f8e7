"""The rooms as they are drawn, and the imports that the drawing forbids.

setup.cfg says the same to import-linter. It is said here once more, so that a line which goes
missing there is missed.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Final

from tests.rooms.linting import PACKAGE, Import, module_of

# ">": may import anything to the right; "|" parts rooms that do not know each other.
ROOMS: Final = """
    cli | gunicorn_conf
    > daemon | wsgi | sandbox
    > compose
    > web | duty | serving
    > delivery | session | access | hooks
    > signalcli | supervisor | rpc | feed | spool
    > store
    > threads
    > clock | settings | logs | trustmodes | gunicorn_parts | clientaddress | jsonlimits
    > settingtexts | peersettings
    > errors
"""
ROOMS_OF_WEB: Final = """
    app > surface > routes | operations > streams > edge > description > route > schemas > bridge
"""

ONE_WAY: Final = "Imports go one way, from room to room"
ONE_WAY_IN_WEB: Final = "Imports go one way within web"
APPLICATION: Final = "Only wsgi makes the application"
PACKAGE_ITSELF: Final = "The package itself imports none of its rooms"
WORKERS: Final = "A web worker runs neither the daemon nor the sandbox"
GUNICORN: Final = "Only the web workers know Gunicorn"
FLASK: Final = "Only web knows Flask and marshmallow"
DAEMON: Final = "The process of the daemon loads no Flask"
SQL_IS_RUN: Final = "Only the store knows how SQL is run"
SQL_IS_WRITTEN: Final = "Only rooms that keep rows write SQL"
NO_ROWS: Final = "signalcli, supervisor, rpc and spool know no database"
WEB_IO: Final = "Web starts no process and opens no socket of its own"
PURE: Final = "Pure modules touch no socket, thread, process, clock or database"
SANDBOX: Final = "The sandbox uses the pure halves of rpc, the media types, and nothing else"

_WORKERS: Final = ("gunicorn_conf", "web")
_WITH_GUNICORN: Final = (*_WORKERS, "gunicorn_parts", "serving")
_FLASK: Final = ("flask", "werkzeug", "marshmallow")
_IN_DAEMON: Final = ("cli", "daemon", "compose", "duty", "web")
_PURE: Final = (
    "errors",
    "settingtexts",
    "clientaddress",
    "jsonlimits",
    "spool.filenames",
    "signalcli",
    "signalcli.newcomer",
    "supervisor.states",
    "supervisor.command",
    "rpc.framing",
    "rpc.jsonrpc",
    "rpc.lines",
    "rpc.requests",
    "feed.envelope",
    "feed.event",
    "feed.filters",
    "feed.keeping",
    "feed.formats",
    "session.loading",
    "delivery.webhooks.addresses",
    "delivery.webhooks.schedule",
    "delivery.webhooks.signature",
)
_IMPURE: Final = ("time", "threading", "socket", "subprocess", "sqlalchemy")
_ALSO_IMPURE: Final = (
    "asyncio", "concurrent", "datetime", "multiprocessing", "requests", "select", "selectors",
    "sqlite3",
)  # fmt: skip
_WITHOUT_ROWS: Final = ("signalcli", "supervisor", "rpc", "spool")
# What is on its right, and still not for it.
_STRICTER: Final = {
    "cli": ("wsgi",),
    "gunicorn_conf": ("daemon", "sandbox"),
    "web": ("supervisor",),
    "signalcli": ("store", "threads", "clock"),
    "supervisor": ("store",),
    "rpc": ("store",),
    "spool": ("store",),
}


@dataclasses.dataclass(frozen=True)
class Breach:
    """An import that is forbidden, and the contract that forbids it."""

    one: Import
    contract: str

    def __str__(self) -> str:
        return f"{self.contract}: {self.one}".replace(f"{PACKAGE}.", "")


def breach(importer: str, imported: str, contract: str) -> Breach:
    """`importer` is a module of ours; `imported` too, if it begins with a dot."""
    target = f"{PACKAGE}{imported}" if imported.startswith(".") else imported
    return Breach(Import(f"{PACKAGE}.{importer}".removesuffix("."), target), contract)


def breaches() -> list[Breach]:
    """Every pair of rooms that the drawing parts, and every "only" for every room."""
    return [
        *_one_way(ROOMS, "", ONE_WAY),
        *_one_way(ROOMS_OF_WEB, "web.", ONE_WAY_IN_WEB),
        *(breach(f"{room}.newcomer", ".store.newcomer", NO_ROWS) for room in _WITHOUT_ROWS),
        *_known_to(_WITH_GUNICORN, ("gunicorn", f"{PACKAGE}.gunicorn_parts"), GUNICORN),
        *_known_to(("web",), _FLASK, FLASK),
        *_known_to(("store",), ("sqlite3", "psycopg", "alembic"), SQL_IS_RUN),
        *_known_to(("store", "feed", "delivery"), ("sqlalchemy",), SQL_IS_WRITTEN),
        *(breach(room, flask, DAEMON) for room in _IN_DAEMON for flask in _FLASK),
        *(breach(pure, impure, PURE) for pure in _PURE for impure in _IMPURE),
        *(breach("signalcli.newcomer", impure, PURE) for impure in _ALSO_IMPURE),
        *_of_the_sandbox(),
    ]


def allowed() -> list[Import]:
    """From each room to every one on its right, where no stricter rule says otherwise."""
    return [
        Import(module_of(importer), module_of(imported))
        for higher, lower in itertools.combinations(_rows(ROOMS), 2)
        for importer, imported in itertools.product(higher, lower)
        if importer != "sandbox" and imported not in _STRICTER.get(importer, ())
        if imported != "gunicorn_parts" or importer in _WORKERS
    ]


def _rows(drawing: str) -> list[list[str]]:
    """From the top: the rooms of each row."""
    return [[room.strip() for room in row.split("|")] for row in drawing.split(">")]


def rooms() -> list[str]:
    return list(itertools.chain.from_iterable(_rows(ROOMS)))


def _one_way(drawing: str, within: str, contract: str) -> Iterator[Breach]:
    rows = _rows(drawing)
    upwards = (
        (importer, imported)
        for higher, lower in itertools.combinations(rows, 2)
        for importer in lower
        for imported in higher
    )
    sideways = (pair for row in rows for pair in itertools.permutations(row, 2))
    for importer, imported in (*upwards, *sideways):
        one = Import(module_of(within + importer), module_of(within + imported))
        yield Breach(one, contract)


def _known_to(few: tuple[str, ...], libraries: tuple[str, ...], contract: str) -> Iterator[Breach]:
    for room in rooms():
        if room not in few:
            yield from (Breach(Import(module_of(room), one), contract) for one in libraries)


def _of_the_sandbox() -> Iterator[Breach]:
    for room in rooms():
        if room != "sandbox":
            yield Breach(Import(module_of("sandbox"), module_of(room)), SANDBOX)
    yield breach("sandbox.newcomer", ".rpc.client", SANDBOX)
    yield breach("sandbox.newcomer", ".rpc.pending", SANDBOX)
