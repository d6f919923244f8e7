"""Streams while the database takes over from another: who is connected stays so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from tests.journeys.reading import text_of as text_in
from tests.journeys.reading import wait_for_a_reader
from tests.rpc.far_end import InThread
from tests.streams.conftest import Stage, a_stage
from tests.streams.test_sse import opened, text_of
from tests.streams.test_websocket import texts
from tests.support import postgres
from tests.support.databases import POSTGRESQL, Database

ACCOUNT = "+49160"


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    with postgres.own_server() as server:
        yield server


@pytest.fixture
def stage(server: postgres.Server) -> Iterator[Stage]:
    url = server.url()
    with a_stage(Database(POSTGRESQL, url, {"BRIDGE_DATABASE_URL": url})) as stage:
        yield stage


def test_a_short_outage_of_the_database_ends_no_stream(
    server: postgres.Server, stage: Stage
) -> None:
    path = f"/v1/receive/{ACCOUNT}"
    with connect(stage.websocket(ACCOUNT)) as client, opened(stage, path) as events:
        stage.receive(ACCOUNT, "before")
        assert (texts(client, 1), text_of(next(events))) == (["before"], "before")
        server.restart("immediate")
        stage.bridge.wait_ready()
        stage.receive(ACCOUNT, "after")
        assert (texts(client, 1), text_of(next(events))) == (["after"], "after")
    assert "is closed, since" not in stage.bridge.log


def test_a_poll_that_meets_an_outage_loses_nothing(server: postgres.Server, stage: Stage) -> None:
    """It waits on, unless it was just asking: then it is told to come again."""
    path = f"/v1/receive/{ACCOUNT}?timeout=60"
    poll = InThread(lambda: stage.bridge.get(path, timeout=90))
    wait_for_a_reader(stage.bridge)
    server.restart("immediate")
    stage.bridge.wait_ready()
    stage.receive(ACCOUNT, "after")
    answer = poll.result(60)
    if answer.status_code == 503:
        assert answer.headers["Retry-After"]
        answer = stage.bridge.get(path)
    assert [text_in(element) for element in answer.json()] == ["after"]
