"""The steps that a database lacks, run by Alembic on our connection, in our transaction.

Alembic's usual alembic.ini and environment script are there to open a connection; we have one.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from signal_bridge.errors import StartError
from signal_bridge.store.engine import Store, Unit

log = logging.getLogger(__name__)

# Where versions/ is, as Alembic names a place in a package.
SCRIPTS: Final = "signal_bridge.store:migrations"
# One statement of a step: an index of millions of events takes a minute, and who comes second
# waits until all is done.
_STATEMENT_SECONDS: Final = 600.0
_LOCK: Final = 0x5B_7AB1E5
# What 0.1.0 made, which kept its own note of it.
_OF_0_1_0: Final = "0001"


def bring(store: Store, revision: str) -> None:
    """Bring the database to `revision`, wholly or not at all. Raises StoreError, StartError."""
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    scripts = ScriptDirectory.from_config(config)

    def missing(heads: Any, _context: MigrationContext) -> Iterable[Any]:
        return scripts._upgrade_revs(revision, heads)

    with store.write() as unit, store.patient(unit, _STATEMENT_SECONDS):
        _take_turns(store, unit)
        # From here alone: Alembic's `op` is a global of the process.
        with EnvironmentContext(config, scripts, fn=missing) as environment:
            environment.configure(
                connection=unit.connection, on_version_apply=functools.partial(_note, unit)
            )
            _take_over(unit, scripts, environment.get_context())
            _refuse_newer(scripts, environment.get_context())
            environment.run_migrations()


def _take_turns(store: Store, unit: Unit) -> None:
    """Wait until nobody else is at it; what they made is seen from then on.

    PostgreSQL lets go of the lock with the transaction. SQLite has one writer anyway.
    """
    if store.is_postgres:
        unit.execute(sa.text("SET LOCAL lock_timeout = 0"))  # the statement's own limit holds
        unit.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _take_over(unit: Unit, scripts: ScriptDirectory, context: MigrationContext) -> None:
    """Let a database of 0.1.0 count as what it is."""
    if context.get_current_heads() or not sa.inspect(unit.connection).has_table("schema_version"):
        return
    if unit.scalar(sa.text("SELECT max(version) FROM schema_version")) is None:
        # It ended before it had made any other table.
        unit.execute(sa.text("DROP TABLE schema_version"))
        return
    context.stamp(scripts, _OF_0_1_0)


def _refuse_newer(scripts: ScriptDirectory, context: MigrationContext) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if not known.issuperset(context.get_current_heads()):
        raise StartError("A newer Signal Bridge has used this database; install that version")


def _note(unit: Unit, *, step: Any, **_rest: Any) -> None:
    """Called by Alembic after each step. Whether it stands is known when all are committed."""
    unit.after_commit(
        functools.partial(log.info, "database brought to revision %s", step.up_revision_id)
    )
