"""From an empty database, or an older one, to the newest version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.errors import StartError, StoreUnavailable
from signal_bridge.store import migrations
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import STEPS, migrate
from signal_bridge.store.tables import metadata, schema_version


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'bridge.db'}")
    yield store
    store.close()


def versions(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(schema_version.c.version)))


def test_an_empty_database_gets_every_table_as_it_is_described(store: Store) -> None:
    migrate(store)
    assert versions(store) == list(range(1, len(STEPS) + 1))
    with store.read() as connection:
        found = sa.inspect(connection)
        columns = {
            table: {column["name"] for column in found.get_columns(table)}
            for table in found.get_table_names()
            if table != "sqlite_sequence"
        }
    assert columns == {
        name: {column.name for column in table.columns} for name, table in metadata.tables.items()
    }


def test_a_second_run_changes_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    migrate(store)
    migrate(store)
    assert versions(store) == list(range(1, len(STEPS) + 1))
    assert len(caplog.records) == len(STEPS)


def test_only_the_steps_that_are_missing_are_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(store)
    ran: list[str] = []
    monkeypatch.setattr(
        migrations, "STEPS", (*STEPS, lambda _: ran.append("next"), lambda _: ran.append("last"))
    )
    migrate(store)
    migrate(store)
    assert ran == ["next", "last"]


def test_a_step_that_fails_is_undone_and_run_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")
        if failing:
            connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")

    failing = True
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, step))
    with pytest.raises(StoreUnavailable):
        migrate(store)
    failing = False
    migrate(store)
    assert max(versions(store)) == len(STEPS) + 1


def test_a_database_of_a_newer_bridge_is_refused(store: Store) -> None:
    migrate(store)
    with store.write() as connection:
        connection.execute(sa.insert(schema_version).values(version=len(STEPS) + 1))
    with pytest.raises(StartError, match="A newer Signal Bridge has used this database"):
        migrate(store)


def test_many_who_start_at_once_run_each_step_once(tmp_path: Path) -> None:
    stores = [Store(f"sqlite:///{tmp_path / 'bridge.db'}") for _ in range(8)]
    failed: list[BaseException] = []

    def start(store: Store) -> None:
        try:
            migrate(store)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)

    threads = [threading.Thread(target=start, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    assert versions(stores[0]) == list(range(1, len(STEPS) + 1))
    for store in stores:
        store.close()
