"""The data directory at start: whose it is, and of which kind."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from signal_bridge.errors import StartError
from signal_bridge.sandbox.accounts_file import AccountsFile
from signal_bridge.settings import read_settings
from signal_bridge.supervisor.places import (
    SANDBOX_MARK,
    kind_of_accounts,
    prepare_data_directory,
    trouble_with,
    user_text,
)

NOBODY = 65534
is_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can be somebody else for a moment"
)


def prepare(directory: Path, **settings: str) -> None:
    prepare_data_directory(
        read_settings({"SIGNAL_CLI_CONFIG_DIR": str(directory), "MODE": "normal", **settings})
    )


def complaint(directory: Path, **settings: str) -> str:
    with pytest.raises(StartError) as caught:
        prepare(directory, **settings)
    return str(caught.value)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may enter."""
    made = Path(tempfile.mkdtemp(prefix="sb-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# -- whose it is -----------------------------------------------------------------------------------


def test_a_directory_of_ours_is_made_with_all_that_is_above_it(tmp_path: Path) -> None:
    prepare(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "bridge").is_dir()


@is_root
def test_a_directory_of_another_user_is_named_with_both_users_and_the_command(place: Path) -> None:
    data = place / "data"
    prepare(data)
    data.chmod(0o755)
    with as_nobody():
        sentence = complaint(data)
    assert f'"{data}" belongs to root (uid 0)' in sentence
    assert f"the bridge runs as {user_text(NOBODY)}" in sentence
    assert f"chown -R {NOBODY}:{os.getegid()} {data}" in sentence


@is_root
@pytest.mark.parametrize(
    "name",
    ["bridge", "bridge/bridge.db", "bridge/bridge.db-wal", "bridge/lock", "bridge/node",
     "bridge/uploads", "data/accounts.json", "data/123", "data/123.d", "data/123.d/account.db"],
)  # fmt: skip
def test_one_file_of_another_user_is_named(place: Path, name: str) -> None:
    """As somebody leaves it who ran signal-cli once as root."""
    data = place / "data"
    for directory in ("bridge/uploads", "data/123.d"):
        (data / directory).mkdir(parents=True)
    entry = {"accounts": [{"path": "123", "number": "+1"}]}
    for file in ("bridge/bridge.db", "bridge/bridge.db-wal", "bridge/lock", "bridge/node",
                 "data/123", "data/123.d/account.db"):  # fmt: skip
        (data / file).touch(mode=0o600)
    (data / "data" / "accounts.json").write_text(json.dumps(entry))
    subprocess.run(["chown", "-R", f"{NOBODY}", data], check=True)
    with as_nobody():
        prepare(data)
    os.chown(data / name, 0, 0)
    with as_nobody():
        sentence = complaint(data)
    assert f'"{data / name}" belongs to root (uid 0)' in sentence
    assert f"chown -R {NOBODY}:{os.getegid()} {data}" in sentence


@is_root
def test_what_the_bridge_does_not_write_may_be_anybodys(place: Path) -> None:
    for name in ("lost+found", "bridge/bridge.db.copy", "data/old"):
        (place / name).mkdir(parents=True, mode=0o700)
    for name in ("", "bridge", "data"):
        os.chown(place / name, NOBODY, NOBODY)
    with as_nobody():
        prepare(place)


@is_root
def test_what_is_replaced_as_a_whole_may_be_anybodys(place: Path) -> None:
    for name in ("", "bridge"):
        (place / name).mkdir(exist_ok=True)
        os.chown(place / name, NOBODY, NOBODY)
    for name in ("api-config.yml", "bridge/signal-cli.sock"):
        (place / name).touch(mode=0o600)
    with as_nobody():
        prepare(place)


@is_root
def test_a_database_that_is_not_used_may_be_anybodys(place: Path) -> None:
    (place / "bridge").mkdir()
    (place / "bridge" / "bridge.db").touch(mode=0o600)
    for name in ("", "bridge"):
        os.chown(place / name, NOBODY, NOBODY)
    with as_nobody():
        prepare(place, BRIDGE_DATABASE_URL="postgresql://host/db")
        assert "bridge.db" in complaint(place)


@is_root
def test_the_data_of_a_daemon_of_somebody_else_may_be_its_alone(place: Path) -> None:
    entry = {"accounts": [{"path": "123", "number": "+1"}]}
    for name in ("data", "attachments", "bridge"):
        (place / name).mkdir()
    (place / "data" / "123").touch(mode=0o600)
    (place / "data" / "accounts.json").write_text(json.dumps(entry))
    os.chown(place / "bridge", NOBODY, NOBODY)
    with as_nobody():
        prepare(place, BRIDGE_SIGNAL_CLI_RPC="tcp:127.0.0.1:7583")
        assert f'"{place}" belongs to root (uid 0)' in complaint(place)


@is_root
def test_a_directory_that_cannot_be_made_is_told_with_whose_the_one_above_is(place: Path) -> None:
    with as_nobody():
        sentence = complaint(place / "new" / "data")
    assert f'"{place}" belongs to root (uid 0)' in sentence
    assert f"install -d -o {NOBODY}" in sentence


@is_root
def test_a_directory_below_one_that_nobody_may_enter_cannot_be_reached(place: Path) -> None:
    place.chmod(0o700)
    with as_nobody():
        sentence = complaint(place / "data")
    assert f'"{place}" belongs to root (uid 0) and lets nobody else in' in sentence


@is_root
def test_its_own_owner_may_have_taken_the_right_to_write_away(place: Path) -> None:
    os.chown(place, NOBODY, NOBODY)
    place.chmod(0o555)
    with as_nobody():
        assert f"chmod -R u+rwX {place}" in complaint(place)


def test_a_file_where_the_directory_belongs_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert f'"{tmp_path / "file"}" is a file' in complaint(place)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "mounted read-only"),
        (errno.ENOSPC, "no room is left"),
        (errno.EDQUOT, "no room is left"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_whatever_the_system_says_is_a_sentence(tmp_path: Path, number: int, words: str) -> None:
    sentence = trouble_with(tmp_path / "new", OSError(number, os.strerror(number)))
    assert words in sentence
    assert str(tmp_path) in sentence


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_text(0) == "root (uid 0)"
    assert user_text(3_999_999_999) == "uid 3999999999"


# -- real or pretended -----------------------------------------------------------------------------


def list_accounts(directory: Path, *paths: str) -> None:
    (directory / "data").mkdir(parents=True, exist_ok=True)
    entries = [{"path": path, "number": "+1", "environment": "LIVE"} for path in paths]
    text = json.dumps({"accounts": entries, "version": 2})
    (directory / "data" / "accounts.json").write_text(text)


@pytest.fixture
def pretended(tmp_path: Path) -> Path:
    list_accounts(tmp_path, "100001")
    (tmp_path / "data" / SANDBOX_MARK).touch()
    return tmp_path


@pytest.fixture
def real(tmp_path: Path) -> Path:
    list_accounts(tmp_path, "100001")
    (tmp_path / "data" / "100001").write_text("{}")
    return tmp_path


@pytest.mark.parametrize("mode", ["normal", "native", "json-rpc", "json-rpc-native"])
def test_pretended_accounts_are_not_mixed_with_real_ones(pretended: Path, mode: str) -> None:
    sentence = complaint(pretended, MODE=mode)
    assert str(pretended) in sentence
    assert f"MODE={mode}" in sentence
    assert "SIGNAL_CLI_CONFIG_DIR" in sentence
    prepare(pretended, MODE="sandbox")


def test_real_accounts_are_not_mixed_with_pretended_ones(real: Path) -> None:
    sentence = complaint(real, MODE="sandbox")
    assert "holds real accounts" in sentence
    assert "SIGNAL_CLI_CONFIG_DIR" in sentence
    prepare(real)


def test_a_list_without_any_data_is_real_until_the_sandbox_says_it_is_its_own(
    tmp_path: Path,
) -> None:
    list_accounts(tmp_path, "100001")
    assert kind_of_accounts(tmp_path) == "real"


@pytest.mark.parametrize("mode", ["normal", "sandbox"])
def test_an_empty_directory_takes_either(tmp_path: Path, mode: str) -> None:
    prepare(tmp_path, MODE=mode)
    list_accounts(tmp_path)
    prepare(tmp_path, MODE=mode)


def test_real_accounts_among_pretended_ones_are_still_used(pretended: Path) -> None:
    """As an earlier version let them be mixed."""
    (pretended / "data" / "100001").write_text("{}")
    prepare(pretended)
    assert "holds real accounts" in complaint(pretended, MODE="sandbox")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"accounts": 5}', "\xff", '{"accounts": [7]}'])
def test_a_list_that_cannot_be_read_is_left_to_signal_cli(tmp_path: Path, text: str) -> None:
    list_accounts(tmp_path)
    (tmp_path / "data" / "accounts.json").write_text(text, encoding="latin-1")
    prepare(tmp_path)


def test_a_daemon_of_somebody_elses_keeps_its_accounts_elsewhere(pretended: Path) -> None:
    prepare(pretended, BRIDGE_SIGNAL_CLI_RPC="tcp:127.0.0.1:1")


def test_the_mark_is_the_one_that_the_sandbox_makes(tmp_path: Path) -> None:
    assert AccountsFile(tmp_path)._mark.name == SANDBOX_MARK
