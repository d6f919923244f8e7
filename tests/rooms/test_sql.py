"""Only the store knows how SQL is run: others write statements, and hand them to its blocks.

import-linter sees that a module imports SQLAlchemy, not what of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import pytest
import sqlalchemy

from tests.rooms.linting import PACKAGE, ROOT

# What the store's blocks give, named in annotations.
GIVEN: Final = ("Connection", "CursorResult", "Row")
# Ways past SQLAlchemy, to the driver.
PAST: Final = ("exec_driver_sql", "raw_connection", "dbapi_connection", "driver_connection")


def beyond_statements(source: str) -> list[str]:
    """What a module names of SQLAlchemy that is neither a part of a statement nor given to it."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    names = [*_imported(nodes), *_attributes(nodes)]
    return [name for name in names if not _is_of_a_statement(name)]


def _imported(nodes: list[ast.AST]) -> Iterator[str]:
    """The dotted name of whatever is imported."""
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)


def _attributes(nodes: list[ast.AST]) -> Iterator[str]:
    """What is read of SQLAlchemy by whatever name it has in the module, and what leads past it."""
    own_names = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "sqlalchemy"
    }
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in own_names:
                yield f"sqlalchemy.{attribute}"
            case ast.Attribute(attr=attribute) if attribute in PAST:
                yield f"sqlalchemy.{attribute}"


def _is_of_a_statement(name: str) -> bool:
    library, _, rest = name.partition(".")
    if library != "sqlalchemy" or not rest or rest in GIVEN or rest.split(".")[0] == "sql":
        return True
    found = getattr(sqlalchemy, rest, None)
    return getattr(found, "__module__", "").startswith("sqlalchemy.sql.")


def test_only_the_store_makes_engines_and_connections() -> None:
    found = {
        str(module.relative_to(ROOT)): names
        for module in (ROOT / PACKAGE).rglob("*.py")
        if not module.is_relative_to(ROOT / PACKAGE / "store")
        and (names := beyond_statements(module.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import sqlalchemy as sa\nsa.create_engine('sqlite://')",
        "import sqlalchemy\nsqlalchemy.create_engine('sqlite://')",
        "import sqlalchemy as sa\ndef run(engine: sa.Engine) -> None: ...",
        "import sqlalchemy as sa\nsa.event.listen(engine, 'connect', print)",
        "from sqlalchemy import create_engine",
        "from sqlalchemy import exc",
        "from sqlalchemy import *",
        "from sqlalchemy.engine import Connection",
        "from sqlalchemy.dialects import sqlite",
        "import sqlalchemy.pool",
        "def run():\n    from sqlalchemy.orm import Session",
        "connection.exec_driver_sql('VACUUM')",
        "unit.connection.connection.driver_connection.execute('VACUUM')",
    ],
)
def test_it_is_seen_when_a_module_runs_sql_itself(source: str) -> None:
    assert beyond_statements(source) != []


def test_statements_are_written_where_rows_are_kept() -> None:
    source = """
import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.sql import Select

def last(connection: sa.Connection) -> sa.Row:
    return connection.execute(sa.select(sa.func.max(column)).where(sa.or_(sa.null()))).one()
"""
    assert beyond_statements(source) == []
