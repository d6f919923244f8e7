"""Received files go when a limit is set, while others work in their directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signal_bridge.feed import receivedfiles
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.receivedfiles import ReceivedFiles
from signal_bridge.feed.retention import Retention
from signal_bridge.store.engine import Store
from tests.feed.retained import settings_of

NEVER = threading.Event()
Prune = Callable[..., None]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "attachments"
    directory.mkdir()
    return directory


@pytest.fixture
def prune(tmp_path: Path) -> Prune:
    """Removes received files: `prune(attachment_days=10)`."""
    store = Store(f"sqlite:///{tmp_path}/bridge.db")  # not asked for anything

    def prune(by_age: bool = True, **changes: int) -> None:
        settings = settings_of(tmp_path, **changes)
        Retention(settings, store, Feed(store)).prune_attachments(by_age=by_age)

    return prune


def put(directory: Path, *names: str, size_bytes: int = 100) -> list[Path]:
    """Files written long ago, one after the other."""
    paths = [directory / name for name in names]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * size_bytes)
        os.utime(path, (1000 + number, 1000 + number))
    return paths


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_received_files_stay_unless_a_limit_is_set(directory: Path, prune: Prune) -> None:
    put(directory, "0", "1", "2", "3")
    prune()
    assert left(directory) == ["0", "1", "2", "3"]
    prune(attachment_bytes=250)
    assert left(directory) == ["2", "3"]
    prune(attachment_days=10)
    assert left(directory) == []


def test_a_fresh_file_stays(directory: Path, prune: Prune) -> None:
    put(directory, "old")
    (directory / "fresh").write_bytes(b"x")
    prune(attachment_days=10)
    assert left(directory) == ["fresh"]


def test_while_the_clock_is_not_trusted_files_go_by_size_alone(
    directory: Path, prune: Prune
) -> None:
    put(directory, "0", "1", "2")
    prune(by_age=False, attachment_days=10, attachment_bytes=200)
    assert left(directory) == ["1", "2"]


def test_a_directory_that_is_not_there_yet_holds_nothing(
    prune: Prune, caplog: pytest.LogCaptureFixture
) -> None:
    prune(attachment_days=10)
    assert caplog.text == ""


def test_what_is_no_regular_file_of_the_directory_stays(
    directory: Path, prune: Prune, tmp_path: Path
) -> None:
    put(tmp_path, "elsewhere")
    (directory / "link").symlink_to(tmp_path / "elsewhere")
    (directory / "dangling").symlink_to("nowhere")
    (directory / "below").mkdir()
    put(directory / "below", "kept")
    os.mkfifo(directory / "pipe")
    put(directory, "file")
    prune(attachment_days=10, attachment_bytes=1)
    assert left(directory) == ["below", "dangling", "link", "pipe"]
    assert (tmp_path / "elsewhere").exists()
    assert left(directory / "below") == ["kept"]


class Entry:
    """A directory entry whose file vanishes once it has been listed."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self.name = entry.name
        self._entry = entry

    def is_file(self, *, follow_symlinks: bool) -> bool:
        return self._entry.is_file(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        Path(self._entry.path).unlink()
        raise FileNotFoundError(self.name)


def test_a_file_that_vanishes_while_it_is_looked_at_is_not_there(
    directory: Path, prune: Prune, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(directory, "0", "vanishes", "2")
    scandir = os.scandir

    class Scan:
        def __init__(self, path: Path) -> None:
            self._scan = scandir(path)

        def __enter__(self) -> Iterator[Any]:
            return self.__iter__()

        def __iter__(self) -> Iterator[Any]:
            return (Entry(e) if e.name == "vanishes" else e for e in self._scan)

        def __exit__(self, *_: object) -> None:
            self._scan.close()

    with monkeypatch.context() as patch:
        patch.setattr(receivedfiles.os, "scandir", Scan)
        prune(attachment_bytes=100)
    assert left(directory) == ["2"]


def test_a_file_that_vanishes_before_it_is_removed_is_gone(
    directory: Path, prune: Prune, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(directory, "0", "1")
    files_to_remove = receivedfiles.files_to_remove

    def others_are_faster(*arguments: Any) -> Any:
        going = files_to_remove(*arguments)
        (directory / "0").unlink()
        return going

    monkeypatch.setattr(receivedfiles, "files_to_remove", others_are_faster)
    prune(attachment_days=10)
    assert left(directory) == []
    assert caplog.text == ""


def test_what_cannot_be_listed_is_said_once_until_it_can(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.rmdir()
    directory.write_bytes(b"no directory")
    files = ReceivedFiles(directory)
    for _ in range(3):
        files.prune(1.0, 0, NEVER)
    assert caplog.text.count("cannot be listed") == 1
    directory.unlink()
    files.prune(1.0, 0, NEVER)
    directory.write_bytes(b"no directory")
    files.prune(1.0, 0, NEVER)
    assert caplog.text.count("cannot be listed") == 2


def test_a_file_that_cannot_be_removed_is_said_once_and_the_others_go(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(directory, "0", "1", "2", "3")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name in "02":
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    files = ReceivedFiles(directory)
    for _ in range(2):
        files.prune(9e9, 0, NEVER)
    assert left(directory) == ["0", "2"]
    assert caplog.text.count("cannot be removed: Operation not permitted") == 1


def test_a_stop_leaves_the_rest_to_the_next_run(directory: Path) -> None:
    put(directory, "0", "1")
    stop = threading.Event()
    stop.set()
    ReceivedFiles(directory).prune(9e9, 0, stop)
    assert left(directory) == ["0", "1"]


def test_files_come_and_go_in_thousands_and_the_looks_go_on(directory: Path) -> None:
    stop, files = threading.Event(), ReceivedFiles(directory)

    def come_and_go() -> None:
        while not stop.is_set():
            for path in put(directory, *(f"f{number}" for number in range(50))):
                path.unlink(missing_ok=True)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            files.prune(0.0, 1000, NEVER)
    finally:
        stop.set()
        thread.join(10)
