"""One daemon for each database: the others wait, and take over when it is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signal_bridge.errors import StartError
from signal_bridge.store import tenure as module
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease
from signal_bridge.store.tenure import Tenure, node_name, read_node_name
from tests.rpc.far_end import InThread
from tests.support import eventually


class Bridge:
    """One of several on a database: its tenure, and what it was told of its loss."""

    def __init__(self, url: str, node: str) -> None:
        self.store = Store(url)
        self.lost: list[str] = []
        self.stop = threading.Event()
        self.tenure = Tenure(self.store, node, self.lost.append)

    def wait(self) -> bool:
        return self.tenure.wait(self.stop)

    def close(self) -> None:
        self.stop.set()
        self.tenure.end()
        self.store.close()


@pytest.fixture
def bridges(store: Store, database_url: str) -> Iterator[list[Bridge]]:
    bridges = [Bridge(database_url, "first"), Bridge(database_url, "second")]
    yield bridges
    for bridge in bridges:
        bridge.close()


def test_the_second_waits_until_the_first_has_ended(
    bridges: list[Bridge], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = bridges
    assert first.tenure.take()
    assert not second.tenure.take()
    waiting = InThread(second.wait)
    eventually(lambda: "another Signal Bridge (first)" in caplog.text, what="a word of the first")
    assert not waiting.is_over()
    first.tenure.end()
    assert waiting.result(30) is True
    assert second.tenure.lease.holder == "second"


def test_a_wait_ends_with_a_stop(
    bridges: list[Bridge], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not with the lease, which the first may renew for ever."""
    monkeypatch.setattr(module, "LEASE_SECONDS", 3600.0)
    first, second = bridges
    assert first.tenure.take()
    waiting = InThread(second.wait)
    eventually(lambda: "another Signal Bridge (first)" in caplog.text, what="a word of the first")
    second.stop.set()
    assert waiting.result(30) is False


def test_a_bridge_that_comes_back_after_a_crash_does_not_wait_for_itself(
    bridges: list[Bridge], database_url: str
) -> None:
    assert bridges[0].tenure.take()
    again = Bridge(database_url, "first")
    assert again.tenure.take()
    again.close()


def test_one_that_has_lost_it_is_told_who_has_it(
    bridges: list[Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lease, "renew_seconds", 0.01)
    first, second = bridges
    assert first.tenure.take()
    with second.store.write() as unit:
        second.tenure._leases.release(unit, first.tenure.lease)
        assert second.tenure._leases.take(unit, module.DAEMON, "second")
    eventually(lambda: first.lost, what="the first to notice")
    assert "(second)" in first.lost[0]


def test_a_node_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "node"
    assert read_node_name(path) == ""
    name = node_name(path)
    assert name
    assert node_name(path) == read_node_name(path) == name
    assert node_name(tmp_path / "other") != name


def test_a_directory_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be written"):
        node_name(tmp_path / "missing" / "node")
