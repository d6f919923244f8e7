"""Free room is watched on each disk, and files are refused while there is still some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from signal_bridge.spool.disks import Disks, floor

MIB = 2**20


@pytest.mark.parametrize(
    ("size", "chosen", "kept"),
    [
        (2**40, None, 256 * MIB),
        (5 * 2**30, None, 256 * MIB),
        (2**30, None, 2**30 // 20),
        (16 * MIB, None, 16 * MIB // 20),
        (0, None, 0),
        (16 * MIB, 32 * MIB, 32 * MIB),
        (2**40, 0, 0),
    ],
)
def test_how_much_stays_free(size: int, chosen: int | None, kept: int) -> None:
    assert floor(size, chosen) == kept


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How many MiB are free on each disk of 1 GiB, by the name of the place."""
    free: dict[str, int] = {}

    def stat(place: Path) -> SimpleNamespace:
        return SimpleNamespace(st_dev=place.name)

    def statvfs(place: Path) -> SimpleNamespace:
        if place.name not in free:
            raise FileNotFoundError(2, "No such file or directory")
        return SimpleNamespace(f_blocks=1024, f_bavail=free[place.name], f_frsize=MIB)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stat)
        patch.setattr(os, "statvfs", statvfs)
        yield free


DISKS = Disks({"the data directory": Path("/data"), "the runtime directory": Path("/run")}, None)


def test_a_disk_is_warned_of_before_files_are_refused(free: dict[str, int]) -> None:
    free |= {"data": 110, "run": 1000}
    assert DISKS.warning() == ""
    assert DISKS.lacking(0) is None
    free["data"] = 100
    assert DISKS.warning() == (
        "little room is left on the disk of the data directory: 100.0 MiB are free, and files are"
        " refused below 51.2 MiB (BRIDGE_MIN_FREE_BYTES)"
    )
    assert DISKS.lacking(0) is None
    free["data"] = 50
    error = DISKS.lacking(0)
    assert error
    assert error.retryable
    assert "the data directory" in str(error)
    assert "50.0 MiB are free" in str(error)
    free["data"] = 110
    assert DISKS.lacking(0) is None


@pytest.mark.parametrize(("coming", "lacks"), [(20 * MIB, False), (60 * MIB, True)])
def test_what_is_to_come_counts(free: dict[str, int], coming: int, lacks: bool) -> None:
    free |= {"data": 100, "run": 1000}
    assert (DISKS.lacking(coming) is not None) is lacks


def test_each_disk_is_watched(free: dict[str, int]) -> None:
    free |= {"data": 1000, "run": 10}
    assert "the runtime directory" in str(DISKS.lacking(0))
    free["data"] = 20
    assert DISKS.warning().count("little room") == 2


def test_a_disk_that_cannot_be_asked_is_no_trouble(free: dict[str, int]) -> None:
    free["run"] = 1000
    assert DISKS.lacking(0) is None
    assert DISKS.warning() == ""


def test_nothing_is_watched_where_nothing_is_to_stay_free(free: dict[str, int]) -> None:
    free["data"] = 0
    disks = Disks({"the data directory": Path("/data")}, 0)
    assert disks.warning() == ""
    assert disks.lacking(0) is None


def test_two_places_of_one_disk_are_one(tmp_path: Path) -> None:
    disks = Disks({"the data directory": tmp_path, "the database": tmp_path}, 2**50)
    assert disks.warning().count("little room") == 1
    assert "the data directory" in disks.warning()
