"""Directories that live as long as their request, whoever sweeps."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signal_bridge.spool.holding import Held, hold_new, sweep
from tests.spool.test_spool import spool_in

ROOT = Path(__file__).parents[2]
# Holds a directory with a file in it, says so, and waits to be killed.
HOLDER = """
import pathlib, sys, time
from signal_bridge.spool.holding import hold_new
held = hold_new(pathlib.Path(sys.argv[1]))
(held.path / "file").touch()
print(held.path, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def holder(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that holds a directory: itself, and the directory."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, parent], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.wait(30)
    process.stdout.close()


def test_a_directory_is_there_until_it_is_removed(parent: Path) -> None:
    held = hold_new(parent)
    (held.path / "file").write_bytes(b"x")
    assert held.path.parent == parent
    assert stat.S_IMODE(held.path.stat().st_mode) == 0o700
    sweep(parent)
    assert (held.path / "file").read_bytes() == b"x"
    held.remove()
    assert list(parent.iterdir()) == []


def test_what_another_process_holds_is_left_alone_until_it_is_gone(
    parent: Path, holder: tuple[subprocess.Popen[str], Path]
) -> None:
    process, path = holder
    sweep(parent)
    assert (path / "file").exists()
    process.kill()
    process.wait(30)
    sweep(parent)
    assert list(parent.iterdir()) == []


def test_everything_of_ours_that_nobody_holds_is_swept(parent: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    deep = parent / str(uuid.uuid4())
    (deep / "deeper").mkdir(parents=True)
    (deep / "deeper" / "file").touch()
    (parent / f"{'0af9' * 4}.{uuid.uuid4()}").mkdir()
    (parent / str(uuid.uuid4())).touch()
    for target in (elsewhere / "file", elsewhere, tmp_path / "nothing"):
        (parent / str(uuid.uuid4())).symlink_to(target)
    os.mkfifo(parent / str(uuid.uuid4()))
    (parent / str(uuid.uuid4())).hardlink_to(elsewhere / "file")
    held = hold_new(parent)
    sweep(parent)
    assert list(parent.iterdir()) == [held.path]
    assert (elsewhere / "file").exists()
    held.remove()


@pytest.mark.parametrize("by_link", [False, True])
def test_what_is_called_otherwise_is_somebodys_and_stays(
    parent: Path, tmp_path: Path, by_link: bool
) -> None:
    """Of a runtime directory in which there was a directory `uploads` before, say."""
    place = tmp_path / "of-a-web-site"
    (place / "pictures").mkdir(parents=True)
    for name in ("index.html", ".env", "pictures/cat.png", f"{uuid.uuid4()}.png"):
        (place / name).touch()
    before = sorted(place.rglob("*"))
    if by_link:
        parent.symlink_to(place)
    else:
        place.rename(parent)
        place = parent
        before = sorted(place.rglob("*"))
    sweep(parent)
    assert sorted(place.rglob("*")) == before


def test_the_first_sweep_makes_the_directory_for_this_user_alone(parent: Path) -> None:
    sweep(parent)
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


def test_what_cannot_be_swept_hinders_nothing(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = (hold_new(parent) for _ in range(3))
    for held in (one, other, third):
        os.close(held.lock_fd)
    usual = os.open

    def refuse(path: Path, *arguments: int, **options: object) -> int:
        if path == other.path:
            raise PermissionError(13, "Permission denied")
        return usual(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        sweep(parent)
    assert list(parent.iterdir()) == [other.path]


# -- swept in the moment in which it is made ---------------------------------------------------


def swept_at_once(path: Path) -> Callable[[], None]:
    """Another process sweeps it whole; nothing is left to do."""
    shutil.rmtree(path)
    return lambda: None


def about_to_be_swept(path: Path) -> Callable[[], None]:
    """Another process has locked it, and removes it when it gets round to it."""
    lock_fd = os.open(path, os.O_RDONLY)
    fcntl.flock(lock_fd, fcntl.LOCK_EX)
    return Held(path, lock_fd).remove


@pytest.mark.parametrize("meet", [swept_at_once, about_to_be_swept])
@pytest.mark.parametrize(("owner", "step"), [(os, "open"), (fcntl, "flock")])
def test_a_directory_that_a_sweep_came_upon_before_it_was_locked_is_not_given_out(
    parent: Path,
    monkeypatch: pytest.MonkeyPatch,
    meet: Callable[[Path], Callable[[], None]],
    owner: object,
    step: str,
) -> None:
    usual, met, finishes = getattr(owner, step), list[Path](), list[Callable[[], None]]()

    def meet_first(*arguments: object) -> object:
        monkeypatch.setattr(owner, step, usual)
        met.extend(parent.iterdir())
        finishes.append(meet(met[0]))
        return usual(*arguments)

    monkeypatch.setattr(owner, step, meet_first)
    held = hold_new(parent)
    for finish in finishes:
        finish()
    assert list(parent.iterdir()) == [held.path]
    assert held.path != met[0]
    held.remove()


def test_whoever_sweeps_and_however_often_what_was_given_out_stays(parent: Path) -> None:
    stop, open_before = threading.Event(), len(os.listdir("/proc/self/fd"))

    def sweep_on() -> None:
        while not stop.is_set():
            sweep(parent)

    def hold(_number: int) -> bool:
        held: Held = hold_new(parent)
        file = held.path / "file"
        file.write_bytes(b"x")
        sweep(parent)
        there = file.read_bytes() == b"x"
        held.remove()
        return there and not held.path.exists()

    with ThreadPoolExecutor(6) as threads:
        sweepers = [threads.submit(sweep_on) for _ in range(2)]
        assert all(threads.map(hold, range(300)))
        stop.set()
        for sweeper in sweepers:
            sweeper.result(30)
    assert list(parent.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) <= open_before


# -- the files of a request --------------------------------------------------------------------


def test_the_files_of_a_request_survive_a_sweep(parent: Path) -> None:
    spool = spool_in(parent)
    saved = spool.write("a.txt", [b"ABC"])
    path, file = spool.open_new("b")
    file.write(b"some")
    sweep(parent)
    file.write(b" more")
    file.close()
    assert saved.read_bytes() == b"ABC"
    assert path.read_bytes() == b"some more"
    spool.remove()
    assert list(parent.iterdir()) == []


def test_a_request_without_files_makes_no_directory(parent: Path) -> None:
    spool_in(parent).remove()
    assert not parent.exists()
