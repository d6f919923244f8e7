"""Files on their way to signal-cli: written as they arrive, removed when they were sent."""

from __future__ import annotations

import base64
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signal_bridge.errors import BodyTooLarge, RequestError, StoreError, StoreFull
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.room import Room
from signal_bridge.spool.spool import Spool
from signal_bridge.web.edge.uploads import save_base64
from tests.support.parts import part_missing

LIMIT_BYTES = 10_000
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def spool(directory: Path) -> Spool:
    return spool_in(directory)


def spool_in(directory: Path, max_file_bytes: int = LIMIT_BYTES) -> Spool:
    return Spool(Room(directory, 2**30, Disks({}, 0)), "192.0.2.1", max_file_bytes)


def encoded(data: bytes, size: int = 1000) -> Iterator[bytes]:
    """As base64, in pieces."""
    text = base64.b64encode(data)
    return (text[at : at + size] for at in range(0, len(text), size))


def left_in(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.binary(min_size=1, max_size=LIMIT_BYTES), st.integers(1, 5000))
def test_base64_in_any_pieces_is_written_byte_for_byte(
    directory: Path, data: bytes, size: int
) -> None:
    path = save_base64(spool_in(directory), encoded(data, size), "a.bin")
    assert path.read_bytes() == data
    assert path.name == "a.bin"


def test_a_file_without_a_name_gets_one_by_what_it_holds(spool: Spool) -> None:
    first, second = (save_base64(spool, encoded(PNG)) for _ in range(2))
    assert first.suffix == ".png"
    assert first.name != second.name


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "attachment"),
        ("a\x00b\n.txt", "ab.txt"),
        ("ü😀.txt", "ü😀.txt"),
    ],
)
def test_no_name_leaves_its_directory(
    spool: Spool, directory: Path, name: str, stored: str
) -> None:
    path, file = spool.open_new(name)
    file.close()
    saved = save_base64(spool, encoded(b"x"), name)
    assert path.name == saved.name == stored
    for one in (path, saved):
        assert one.parent.parent.parent == directory
        assert one.resolve() == one


def test_a_file_of_a_form_without_a_name_is_an_attachment(spool: Spool) -> None:
    path, file = spool.open_new("")
    file.close()
    assert path.name == "attachment"


def test_files_of_one_name_do_not_meet(spool: Spool) -> None:
    paths = [save_base64(spool, encoded(bytes([n])), "same.txt") for n in range(3)]
    assert [path.read_bytes() for path in paths] == [b"\x00", b"\x01", b"\x02"]


def test_nobody_else_may_look(spool: Spool) -> None:
    path = save_base64(spool, encoded(b"x"), "a")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_has_the_name_its_receiver_sees(spool: Spool) -> None:
    path = spool.write("a/b/photo.png", [PNG[:8], PNG[8:]])
    assert path.name == "photo.png"
    assert path.read_bytes() == PNG


def test_everything_is_removed_at_the_end(spool: Spool, directory: Path) -> None:
    save_base64(spool, encoded(b"x"), "a")
    spool.write("a.png", [PNG])
    path, file = spool.open_new("b")
    file.write(b"unfinished")
    assert path.exists()
    spool.remove()
    file.close()
    assert left_in(directory) == []
    spool.remove()


def test_files_that_are_gone_already_are_no_trouble(spool: Spool, directory: Path) -> None:
    path = save_base64(spool, encoded(b"x"), "a")
    path.unlink()
    path.parent.rmdir()
    spool.remove()
    assert left_in(directory) == []


def test_requests_do_not_remove_each_others_files(directory: Path) -> None:
    one, other = spool_in(directory, 100), spool_in(directory, 100)
    path = save_base64(one, encoded(b"x"), "a")
    save_base64(other, encoded(b"x"), "a")
    other.remove()
    assert path.exists()


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b"\r\n"]])
def test_base64_that_holds_nothing_is_refused(spool: Spool, chunks: list[bytes]) -> None:
    with pytest.raises(RequestError, match="does not exist"):
        save_base64(spool, chunks, "a")


@pytest.mark.parametrize("text", [b"!!!!", b"QUJ", b"QUJD=", b"QUJD" * 2000 + b"?"])
def test_what_is_not_base64_is_refused_and_leaves_nothing(
    spool: Spool, directory: Path, text: bytes
) -> None:
    with pytest.raises(RequestError, match="illegal base64 data"):
        save_base64(spool, [text], "a")
    spool.remove()
    assert left_in(directory) == []


def test_a_file_of_exactly_the_limit_is_taken(spool: Spool) -> None:
    assert save_base64(spool, encoded(b"x" * LIMIT_BYTES), "a").stat().st_size == LIMIT_BYTES


def test_a_larger_file_is_refused_before_all_of_it_is_written(
    spool: Spool, directory: Path
) -> None:
    taken: list[bytes] = []

    def endless() -> Iterator[bytes]:
        while len(taken) < 1000:
            taken.append(b"QUJD" * 1000)
            yield taken[-1]

    with pytest.raises(BodyTooLarge) as caught:
        save_base64(spool, endless(), "a")
    assert caught.value.limit_bytes == LIMIT_BYTES
    assert len(taken) < 10
    spool.remove()
    assert left_in(directory) == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EROFS, StoreError),
     (errno.EACCES, StoreError)],
)  # fmt: skip
def test_trouble_with_the_disk_is_told_as_such(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", fail)
        with pytest.raises(StoreError) as caught:
            save_base64(spool, encoded(b"x"), "a")
        assert type(caught.value) is kind
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        with pytest.raises(StoreError) as caught:
            spool.open_new("a")
        assert type(caught.value) is kind


def test_a_disk_that_fills_up_half_way_is_told_as_such(spool: Spool) -> None:
    if not Path("/dev/full").exists():
        part_missing("there is no /dev/full here")
    path = spool._new_place() / "a"
    path.symlink_to("/dev/full")
    spool._new_place = lambda: path.parent  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        save_base64(spool, encoded(b"x" * 9000), "a")
