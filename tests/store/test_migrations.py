"""From an empty database, or that of an earlier bridge, to the newest tables."""

from __future__ import annotations

import ast
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from signal_bridge.clock import now_ms
from signal_bridge.errors import StartError, StoreUnavailable
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.filters import FIRST_SIGNAL_KINDS, OWN_KINDS
from signal_bridge.store import migrations
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import HEAD, migrate, upgrade
from signal_bridge.store.tables import metadata
from tests.feed.envelopes import EVERY_KIND, FILE
from tests.store import tables_of_0_1_0
from tests.support.databases import SQLITE, Database
from tests.support.postgres import EMPTY

PLACE = Path(migrations.__file__).parent
REVISIONS = [script.revision for script in ScriptDirectory(str(PLACE)).walk_revisions()][::-1]
OLD = tables_of_0_1_0.metadata.tables
BOB, EVE = "+4915112345", "+12025550100"


@pytest.fixture
def store(empty_database: Database) -> Iterator[Store]:
    store = Store(empty_database.url)
    yield store
    store.close()


@pytest.fixture
def described(
    empty_database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Store]:
    """Another database of the same kind, with the tables as tables.py describes them."""
    if empty_database.kind == SQLITE:
        yield from _made(f"sqlite:///{tmp_path}/described.db", metadata)
        return
    server = request.getfixturevalue("postgres_server")
    with server.database(EMPTY) as name:
        yield from _made(server.url(name), metadata)


def _made(url: str, tables: sa.MetaData) -> Iterator[Store]:
    store = Store(url)
    with store.write() as unit:
        tables.create_all(unit.connection)
    yield store
    store.close()


def start_0_1_0(store: Store) -> None:
    """What 0.1.0 did when it started on an empty database."""
    with store.write() as unit:
        tables_of_0_1_0.metadata.create_all(unit.connection)
        unit.execute(sa.insert(OLD["schema_version"]).values(version=1))


def start_at_0001(store: Store) -> None:
    upgrade.bring(store, "0001")


STARTS: dict[str, Callable[[Store], None]] = {
    "empty": lambda _store: None,
    "0.1.0": start_0_1_0,
    "0001": start_at_0001,
}


def shape(store: Store) -> dict[str, Any]:
    """Everything the database knows of our tables."""
    with store.read() as connection:
        found = sa.inspect(connection)
        names = set(found.get_table_names()) - {"alembic_version", "sqlite_sequence"}
        shape: dict[str, Any] = {name: _shape_of(found, name) for name in names}
        if not store.is_postgres:  # AUTOINCREMENT, say, is told nowhere else
            query = "SELECT name, sql FROM sqlite_master WHERE tbl_name != 'alembic_version'"
            shape["as written"] = {row.name: row.sql for row in connection.execute(sa.text(query))}
        return shape


def _shape_of(found: sa.Inspector, table: str) -> dict[str, Any]:
    return {
        "columns": [
            {**column, "type": repr(column["type"])} for column in found.get_columns(table)
        ],
        "primary key": found.get_pk_constraint(table),
        "unique": sorted(found.get_unique_constraints(table), key=str),
        "indexes": sorted(found.get_indexes(table), key=str),
        "others": [found.get_foreign_keys(table), found.get_check_constraints(table)],
    }


def revision(store: Store) -> str:
    with store.read() as connection:
        return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def table_names(store: Store) -> set[str]:
    with store.read() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"sqlite_sequence"}


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    query = sa.select(table).order_by(*table.primary_key)
    with store.read() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


# -- the steps -------------------------------------------------------------------------------------


def test_the_last_step_is_the_one_that_most_starts_look_for() -> None:
    assert ScriptDirectory(str(PLACE)).get_heads() == [HEAD]
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


@pytest.mark.parametrize("step", sorted(PLACE.glob("versions/*.py")), ids=lambda step: step.stem)
def test_a_step_depends_on_nothing_that_changes_with_the_product(step: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(step.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module if not node.level else ".")
    assert imported <= {
        "__future__", "collections.abc", "typing", "orjson", "sqlalchemy", "alembic",
    }  # fmt: skip


def test_the_first_step_makes_what_0_1_0_made(store: Store, described: Store) -> None:
    start_at_0001(store)
    with described.write() as unit:
        metadata.drop_all(unit.connection)
        tables_of_0_1_0.metadata.create_all(unit.connection)
    assert shape(store) == shape(described)


# -- the shape afterwards --------------------------------------------------------------------------


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_every_database_gets_the_tables_as_they_are_described(
    store: Store, described: Store, start: Callable[[Store], None]
) -> None:
    start(store)
    if start is not STARTS["empty"]:
        fill_as_0_1_0_did(store)
    migrate(store)
    assert revision(store) == HEAD
    assert shape(store) == shape(described)


def test_an_empty_database_gets_the_totals_of_an_empty_feed(store: Store) -> None:
    migrate(store)
    contents = {name: rows(store, table) for name, table in metadata.tables.items()}
    assert contents.pop("feed_totals") == [{"id": 1, "events": 0, "size_bytes": 0}]
    assert not any(contents.values())


# -- the rows afterwards ---------------------------------------------------------------------------

EVENTS = [
    {
        "seq": seq,
        "account": account,
        "kind": kind,
        "sender_uuid": "",
        "sender_number": EVE,
        "dedup_key": f"key {seq}",
        "received_at_ms": 1_700_000_000_000 + seq,
        "payload": payload,
    }
    for seq, account, kind, payload in [
        (11, BOB, "message", b'{"envelope":{}}'),
        (12, EVE, "receipt", '{"name":"Zoë"}'.encode()),
        (13, "", "daemon.restarted", b"\x00\xff"),
    ]
]
WEBHOOK = {
    "id": "w1",
    "account": "*",
    "name": "",
    "url": "https://example.org/",
    "types": ["message", "rea*"],
    "senders": [],
    "format": "signal-cli",
    "headers": {"X-Ë": "%s :x"},
    "secret": "s",
    "old_secret": "o",
    "old_secret_ends_ms": 9,
    "state": "active",
    "detail": "",
    "created_ms": 1_700_000_000_000,
    "position": 11,
    "attempt": 2,
    "next_attempt_ms": 1_800_000_000_000,
    "failing_since_ms": 1,
}
CURSORS = {
    f"poll:{BOB}": BOB,
    f"websocket:{EVE}": EVE,
    "sse:*": "*",
    f"events:{BOB}": BOB,
    "consumer:archive": "",
    f"consumer:poll:{BOB}": "",
}
# These tables are as they were.
SAME = {
    "events": EVENTS,
    "accounts": [{"number": BOB, "state": "registered", "detail": "", "since_ms": 5}],
    "parked": [
        {"webhook_id": "w1", "seq": 11, "parked_ms": 6, "reason": "410", "wanted": True},
        {"webhook_id": "w1", "seq": 12, "parked_ms": 7, "reason": "404", "wanted": False},
    ],
    "attempts": [
        {
            "id": 4,
            "webhook_id": "w1",
            "seq": 11,
            "attempt": 1,
            "at_ms": 8,
            "duration_ms": 9,
            "status": 0,
            "error": "no answer",
            "answer": "",
        }
    ],
    "links": [
        {
            "id": "l1",
            "uri": "sgnl://linkdevice",
            "device_name": "d",
            "started_ms": 3,
            "state": "linked",
            "account": BOB,
            "reason": "",
        }
    ],
    "status": [{"name": "daemon", "state": "ready", "detail": "", "since_ms": 1, "beat_ms": 2}],
}


def fill_as_0_1_0_did(store: Store) -> None:
    """Rows in every table."""
    contents = {
        **SAME,
        "webhooks": [WEBHOOK],
        "cursors": [
            {"name": name, "position": 11, "lease": "x", "lease_ends_at_ms": 10**12}
            for name in CURSORS
        ],
        "pruned": [{"account": BOB, "through_seq": 10}, {"account": "", "through_seq": 9}],
    }
    with store.write() as unit:
        for name, content in contents.items():
            unit.execute(sa.insert(OLD[name]), content)
        number_on_from(unit.connection, 20)


def number_on_from(connection: sa.Connection, seq: int) -> None:
    """As if there had been events up to `seq`, of which the last ones are gone."""
    if connection.dialect.name == "sqlite":
        statement = "UPDATE sqlite_sequence SET seq = :seq WHERE name = 'events'"
    else:
        statement = "SELECT setval(pg_get_serial_sequence('events', 'seq'), :seq)"
    connection.execute(sa.text(statement), {"seq": seq})


@pytest.fixture(params=["0.1.0", "0001"])
def upgraded(store: Store, request: pytest.FixtureRequest) -> Store:
    """A database of 0.1.0 with rows in every table, brought to the newest revision."""
    STARTS[request.param](store)
    fill_as_0_1_0_did(store)
    migrate(store)
    return store


@pytest.mark.parametrize("name", SAME)
def test_rows_stay(upgraded: Store, name: str) -> None:
    assert rows(upgraded, metadata.tables[name]) == SAME[name]


def test_numbers_of_events_go_on_where_they_were(upgraded: Store) -> None:
    new = {**EVENTS[0], "dedup_key": "new"}
    del new["seq"]
    with upgraded.write() as unit:
        unit.execute(sa.insert(metadata.tables["events"]), new)
    assert rows(upgraded, metadata.tables["events"])[-1]["seq"] == 21


def test_cursors_know_whose_events_they_read(upgraded: Store) -> None:
    found = rows(upgraded, metadata.tables["cursors"])
    assert {row["name"]: row["account"] for row in found} == CURSORS
    assert {row["position"] for row in found} == {11}
    assert {abs(now_ms() - row["used_ms"]) < 3_600_000 for row in found} == {True}
    assert rows(upgraded, metadata.tables["leases"]) == []


def test_the_feed_is_totalled(upgraded: Store) -> None:
    size_bytes = sum(len(bytes(event["payload"])) for event in EVENTS)  # type: ignore[call-overload]
    found = rows(upgraded, metadata.tables["feed_totals"])
    assert found == [{"id": 1, "events": len(EVENTS), "size_bytes": size_bytes}]


def test_a_gap_of_an_account_is_one_of_every_kind(upgraded: Store) -> None:
    found = rows(upgraded, metadata.tables["pruned"])
    gaps = {(row["account"], row["kind"]): row["through_seq"] for row in found}
    of_bob = {(BOB, kind): 10 for kind in (*FIRST_SIGNAL_KINDS, *OWN_KINDS)}
    of_nobody = {("", kind): 9 for kind in OWN_KINDS}
    assert gaps == of_bob | of_nobody
    assert not any(row["removed"] or row["unread"] or row["parked"] for row in found)


def test_webhooks_start_at_revision_0(upgraded: Store) -> None:
    assert rows(upgraded, metadata.tables["webhooks"]) == [{**WEBHOOK, "revision": 0, "rewound": 0}]


# -- payloads afterwards ---------------------------------------------------------------------------


def kept_and_migrated(store: Store, payloads: list[bytes]) -> list[bytes]:
    """What the newest revision makes of events that were stored under the one before it."""
    upgrade.bring(store, "0002")
    new = [
        {**EVENTS[0], "seq": seq, "dedup_key": f"key {seq}", "payload": payload}
        for seq, payload in enumerate(payloads, 1)
    ]
    size_bytes = sum(map(len, payloads))
    with store.write() as unit:
        unit.execute(sa.insert(metadata.tables["events"]), new)
        unit.execute(sa.update(metadata.tables["feed_totals"]).values(size_bytes=size_bytes))
    migrate(store)
    found = rows(store, metadata.tables["events"])
    assert [{**row, "payload": b""} for row in found] == [{**row, "payload": b""} for row in new]
    return [row["payload"] for row in found]


def total_bytes(store: Store) -> int:
    return int(rows(store, metadata.tables["feed_totals"])[0]["size_bytes"])


def test_what_arrived_before_is_as_if_it_had_arrived_now(store: Store) -> None:
    params = [params for _kind, params in EVERY_KIND.values()]
    now = [arrival_of(one).payload for one in params]
    before = [orjson.dumps(one) for one in params]
    assert now != before
    assert kept_and_migrated(store, before) == now
    assert total_bytes(store) == sum(map(len, now))


def test_only_attachments_that_do_not_say_what_they_are_change(store: Store) -> None:
    others = [
        {"envelope": {"dataMessage": {"attachments": [{**FILE, "isVoiceNote": True}]}}},
        {"envelope": {"dataMessage": {"attachments": [{"contentType": "without an id"}]}}},
        {"envelope": {"dataMessage": {"message": '{"contentType":"x","id":"y"}'}}},
        {"event": "account.linked", "attachments": [FILE]},
        [{"envelope": {"attachments": [FILE]}}],
    ]
    payloads = [*map(orjson.dumps, others), b'{"contentType":', b"\x00\xff"]
    assert kept_and_migrated(store, payloads) == payloads
    assert total_bytes(store) == sum(map(len, payloads))


def test_a_long_feed_is_brought_over_to_its_end(store: Store) -> None:
    payload = orjson.dumps({"envelope": {"dataMessage": {"attachments": [FILE]}}})
    migrated = kept_and_migrated(store, [payload] * 450)
    assert {b'"isVoiceNote":false' in one for one in migrated} == {True}
    assert len(migrated) == 450


# -- runs ------------------------------------------------------------------------------------------


def test_each_step_is_told_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    migrate(store)
    migrate(store)
    assert caplog.messages == [f"database brought to revision {one}" for one in REVISIONS]


def test_a_database_of_0_1_0_is_taken_over(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    start_0_1_0(store)
    migrate(store)
    assert caplog.messages == [f"database brought to revision {one}" for one in REVISIONS[1:]]
    assert table_names(store) == {*metadata.tables, "alembic_version"}


def test_a_first_start_of_0_1_0_that_came_to_nothing_is_no_obstacle(store: Store) -> None:
    with store.write() as unit:
        OLD["schema_version"].create(unit.connection)
    migrate(store)
    assert table_names(store) == {*metadata.tables, "alembic_version"}


def test_a_database_of_a_newer_bridge_is_refused_and_left_alone(store: Store) -> None:
    migrate(store)
    with store.write() as unit:
        unit.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    before = shape(store)
    with pytest.raises(StartError, match="A newer Signal Bridge has used this database"):
        migrate(store)
    assert (revision(store), shape(store)) == ("later", before)


def test_threads_that_start_at_once_all_succeed(empty_database: Database) -> None:
    stores = [Store(empty_database.url) for _ in range(6)]
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(migrate, stores))  # raises what they raise
    assert revision(stores[0]) == HEAD
    for store in stores:
        store.close()


NEXT = """
from alembic import op

revision = "next"
down_revision = "{head}"

def upgrade():
    op.execute("CREATE TABLE half (x INTEGER)")
    op.execute("{second}")
"""


@pytest.mark.parametrize("start", [*STARTS.values(), migrate], ids=[*STARTS, "newest"])
def test_steps_are_undone_when_one_fails_and_run_again(
    store: Store,
    start: Callable[[Store], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start(store)
    before = shape(store)
    shutil.copytree(PLACE / "versions", tmp_path / "versions")
    step = tmp_path / "versions" / "next.py"
    step.write_text(NEXT.format(head=HEAD, second="CREATE TABLE half (x INTEGER)"))
    monkeypatch.setattr(upgrade, "SCRIPTS", str(tmp_path))
    monkeypatch.setattr(migrations, "HEAD", "next")
    caplog.set_level(logging.INFO)
    caplog.clear()

    with pytest.raises(StoreUnavailable):
        migrate(store)
    assert shape(store) == before
    assert caplog.messages == []  # nothing was brought anywhere

    step.write_text(NEXT.format(head=HEAD, second="SELECT 1"))
    migrate(store)
    assert revision(store) == "next"
    assert table_names(store) == {*metadata.tables, "alembic_version", "half"}


# -- processes -------------------------------------------------------------------------------------

START = """
import logging, sys
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
print("loaded", flush=True)
sys.stdin.readline()
migrate(Store(sys.argv[1]))
print("alembic" in sys.modules)
"""


def start_process(url: str) -> subprocess.Popen[str]:
    """One that migrates the database when it reads a line."""
    return subprocess.Popen(
        [sys.executable, "-c", START, url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def outputs(url: str, number: int) -> list[list[str]]:
    """What so many printed that did it at the same time."""
    processes = [start_process(url) for _ in range(number)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].splitlines() for process in processes]


def test_alembic_is_loaded_only_where_a_step_is_to_be_taken(empty_database: Database) -> None:
    steps = [f"database brought to revision {one}" for one in REVISIONS]
    assert outputs(empty_database.url, 1) == [[*steps, "True"]]
    assert outputs(empty_database.url, 1) == [["False"]]


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_bridges_that_start_at_once_take_each_step_once(
    store: Store, empty_database: Database, start: Callable[[Store], None]
) -> None:
    start(store)
    store.close()
    printed = [line for lines in outputs(empty_database.url, 3) for line in lines]
    steps = [line for line in printed if line not in ("True", "False")]
    missing = REVISIONS if start is STARTS["empty"] else REVISIONS[1:]
    assert steps == [f"database brought to revision {one}" for one in missing]
    assert revision(store) == HEAD
