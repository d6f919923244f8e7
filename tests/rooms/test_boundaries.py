"""Who may import whom: what setup.cfg allows is allowed, and each boundary holds."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Final

import pytest

import signal_bridge
from tests.rooms.drawing import (
    APPLICATION,
    DAEMON,
    FLASK,
    NO_ROWS,
    ONE_WAY,
    ONE_WAY_IN_WEB,
    PACKAGE_ITSELF,
    PURE,
    ROOMS,
    ROOMS_OF_WEB,
    SANDBOX,
    SQL_IS_RUN,
    SQL_IS_WRITTEN,
    WEB_IO,
    WORKERS,
    Breach,
    allowed,
    breach,
    breaches,
)
from tests.rooms.linting import PACKAGE, ROOT, Import, Report, copy, lint

# Between modules that there are: what somebody might write tomorrow.
DELIBERATE: Final = [
    breach("rpc.client", ".feed.feed", ONE_WAY),
    breach("rpc.client", ".store.engine", NO_ROWS),
    breach("supervisor.supervisor", ".rpc.client", ONE_WAY),
    breach("signalcli.accounts", ".rpc.jsonrpc", ONE_WAY),
    breach("feed.feed", ".rpc.client", ONE_WAY),
    breach("spool.holding", ".feed.feed", ONE_WAY),
    breach("store.engine", ".feed.feed", ONE_WAY),
    breach("settings", ".store.engine", ONE_WAY),
    breach("errors", ".clock", ONE_WAY),
    breach("delivery.webhooks.courier", ".session.gateway", ONE_WAY),
    breach("session.gateway", ".delivery.webhooks.registry", ONE_WAY),
    breach("wsgi", ".daemon", ONE_WAY),
    breach("daemon", ".wsgi", ONE_WAY),
    breach("gunicorn_conf", ".daemon", WORKERS),
    breach("gunicorn_conf", ".sandbox.server", WORKERS),
    breach("", ".web.bridge", PACKAGE_ITSELF),
    breach("", ".errors", PACKAGE_ITSELF),
    breach("web.edge.problems", ".web.routes", ONE_WAY_IN_WEB),
    breach("web.edge.problems", ".web.routes.status", ONE_WAY_IN_WEB),
    breach("web.description.document", ".web.routes.health", ONE_WAY_IN_WEB),
    breach("web.description.document", ".web.operations.health", ONE_WAY_IN_WEB),
    breach("web.description.document", ".web.surface", ONE_WAY_IN_WEB),
    breach("web.routes.documentation", ".web.surface", ONE_WAY_IN_WEB),
    breach("web.schemas.messages", ".web.routes.messages", ONE_WAY_IN_WEB),
    breach("web.schemas.messages", ".web.edge.inputs", ONE_WAY_IN_WEB),
    breach("web.streams.sse", ".web.routes.events", ONE_WAY_IN_WEB),
    breach("web.bridge", ".web.streams.sse", ONE_WAY_IN_WEB),
    breach("web.routes.health", ".web.app", APPLICATION),
    breach("compose", ".web.app", APPLICATION),
    breach("trustmodes", "flask", FLASK),
    breach("wsgi", "flask", FLASK),
    breach("daemon", "flask", FLASK),
    breach("compose", "flask", FLASK),
    breach("", "flask", FLASK),
    breach("feed.feed", "sqlite3", SQL_IS_RUN),
    breach("session.link_book", "sqlite3", SQL_IS_RUN),
    breach("delivery.webhooks.ledger", "psycopg", SQL_IS_RUN),
    breach("compose", "alembic", SQL_IS_RUN),
    breach("web.routes.status", "sqlalchemy", SQL_IS_WRITTEN),
    breach("session.gateway", "sqlalchemy", SQL_IS_WRITTEN),
    breach("signalcli.messages", "sqlalchemy", SQL_IS_WRITTEN),
    breach("signalcli.messages", "sqlalchemy", PURE),
    breach("signalcli.messages", "time", PURE),
    breach("signalcli.groups", "datetime", PURE),
    breach("web.routes.status", "socket", WEB_IO),
    breach("web.routes.status", "subprocess", WEB_IO),
    breach("web.app", "requests", WEB_IO),
    breach("web.routes.status", ".supervisor.supervisor", WEB_IO),
    breach("sandbox.server", ".errors", SANDBOX),
    breach("sandbox.server", ".rpc.client", SANDBOX),
]
# Whoever imports a module loads what that one imports.
THROUGH_OTHERS: Final = [
    breach("web.bridge", "flask", DAEMON),
    breach("web.streams", "marshmallow", DAEMON),
    breach("signalcli.newcomer", ".clock", PURE),
    breach("rpc.framing", ".threads", PURE),
]
NEW_ROOMS: Final = {
    f"{PACKAGE}.newroom": ONE_WAY,
    f"{PACKAGE}.newmodule": ONE_WAY,
    f"{PACKAGE}.web.newroom": ONE_WAY_IN_WEB,
}
# Besides what stands on the right.
ALLOWED: Final = [
    Import(f"{PACKAGE}.sandbox.newcomer", f"{PACKAGE}.rpc.framing"),
    Import(f"{PACKAGE}.sandbox.newcomer", f"{PACKAGE}.rpc.jsonrpc"),
    Import(f"{PACKAGE}.web.edge.newcomer", "flask"),
    Import(f"{PACKAGE}.feed.newcomer", "sqlalchemy"),
    Import(f"{PACKAGE}.store.newcomer", "sqlite3"),
]


@pytest.mark.parametrize(
    ("contract", "drawing"), [("rooms", ROOMS), ("rooms-of-web", ROOMS_OF_WEB)]
)
def test_the_rule_the_docstring_and_the_drawing_are_one(contract: str, drawing: str) -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    layers = config[f"importlinter:contract:{contract}"]["layers"]
    rule = " > ".join(layers.replace("(", "").replace(")", "").strip().splitlines())
    assert rule.split() == drawing.split()
    assert " ".join(drawing.split()) in " ".join((signal_bridge.__doc__ or "").split())


def test_imports_go_one_way() -> None:
    report = lint(ROOT)
    assert report.exit_code == 0, report.text


def test_whatever_is_on_the_right_may_be_imported(tmp_path: Path) -> None:
    report = lint(copy(tmp_path, [*allowed(), *ALLOWED]))
    assert report.exit_code == 0, report.text


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """All at once, which takes seconds: each complaint is about one import, and is looked for."""
    every = dict.fromkeys(forbidden.one for forbidden in (*DELIBERATE, *breaches()))
    return lint(copy(tmp_path_factory.mktemp("direct"), every))


@pytest.mark.parametrize("forbidden", DELIBERATE, ids=str)
def test_what_somebody_might_write_breaks_the_rule(direct: Report, forbidden: Breach) -> None:
    assert direct.exit_code != 0
    assert direct.complains(forbidden.contract, forbidden.one), direct.excerpt(forbidden.one)


@pytest.mark.parametrize("forbidden", breaches(), ids=str)
def test_every_boundary_of_the_drawing_holds(direct: Report, forbidden: Breach) -> None:
    assert direct.exit_code != 0
    assert direct.complains(forbidden.contract, forbidden.one), direct.excerpt(forbidden.one)


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Report:
    every = [forbidden.one for forbidden in THROUGH_OTHERS]
    return lint(copy(tmp_path_factory.mktemp("chains"), every))


@pytest.mark.parametrize("forbidden", THROUGH_OTHERS, ids=str)
def test_a_boundary_holds_through_other_modules(chains: Report, forbidden: Breach) -> None:
    assert chains.exit_code != 0
    assert chains.complains_of_chain(forbidden.contract, forbidden.one), chains.text


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return lint(copy(tmp_path_factory.mktemp("extended"), [Import(one, "os") for one in NEW_ROOMS]))


@pytest.mark.parametrize(("room", "contract"), NEW_ROOMS.items())
def test_a_new_room_needs_a_place_in_the_drawing(
    extended: Report, room: str, contract: str
) -> None:
    assert extended.exit_code != 0
    assert f"\n- {room}\n" in extended.complaints[contract]
