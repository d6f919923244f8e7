"""Received files: only regular ones of the directory itself, whatever they are called."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from signal_bridge.errors import NotFound
from signal_bridge.web.routes.attachments import open_regular
from tests.support import Bridge

ODD_NAMES = ["a b.png", "%41", "ü.txt", "日本", "a\nb", "#?&", "..x", "-rf", "x" * 255]


@pytest.fixture
def directory(served: Bridge) -> Iterator[Path]:
    directory = served.config_dir / "attachments"
    directory.mkdir()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def names(served: Bridge) -> list[str]:
    answer = served.get("/v1/attachments")
    assert answer.status_code == 200
    found: list[str] = answer.json()
    return found


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_any_name_is_listed_fetched_and_deleted(
    name: str, served: Bridge, directory: Path
) -> None:
    (directory / name).write_bytes(b"\x00data")
    (directory / "other").write_bytes(b"")
    path = f"/v1/attachments/{quote(name, safe='')}"
    assert names(served) == sorted([name, "other"])
    assert served.get(path).content == b"\x00data"
    deleted = served.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert names(served) == ["other"]
    assert served.delete(path).status_code == 404
    assert served.get(path).status_code == 404


def test_a_name_that_is_no_text_is_not_listed(served: Bridge, directory: Path) -> None:
    Path(os.fsdecode(os.fsencode(directory) + b"/\xff")).write_bytes(b"")
    (directory / "a").write_bytes(b"")
    assert names(served) == ["a"]


@pytest.mark.parametrize("name", ["..", ".", "%2E%2E", "%2e", "sub", "link", "nope"])
def test_nothing_else_can_be_deleted(name: str, served: Bridge, directory: Path) -> None:
    outside = served.home / "outside"
    outside.write_text("secret")
    (directory / "sub").mkdir()
    (directory / "link").symlink_to(outside)
    assert names(served) == []
    # requests would make the dots go away
    answer = served.request("DELETE", f"/v1/attachments/{name.replace('.', '%2E')}")
    assert answer.status_code in (404,)
    assert directory.is_dir()
    assert outside.read_text() == "secret"
    assert (directory / "link").is_symlink()


def test_without_a_directory_there_are_none(served: Bridge) -> None:
    assert names(served) == []


def test_a_directory_that_is_none_is_a_failure_with_a_text(served: Bridge) -> None:
    in_its_place = served.config_dir / "attachments"
    in_its_place.write_text("")
    answer = served.get("/v1/attachments")
    in_its_place.unlink()
    assert answer.status_code == 500
    assert answer.json()["error"] == "Couldn't get list of attachments: Not a directory"


# -- what takes a file's place between two looks -------------------------------------------------


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def a_directory(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("make", [a_pipe, a_link, a_directory, a_socket])
def test_only_a_regular_file_is_opened_and_nothing_is_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "x")
    with pytest.raises(NotFound):
        open_regular(tmp_path / "x")


def test_a_regular_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    with open_regular(tmp_path / "x") as file:
        assert file.read() == b"abc"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "y")
