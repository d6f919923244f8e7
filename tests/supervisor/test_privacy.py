"""What others could read is closed at start, and what is not ours to close is named."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from signal_bridge.settings import Settings, read_settings
from signal_bridge.supervisor.places import prepare_data_directory
from signal_bridge.supervisor.privacy import close_to_others
from tests.supervisor.test_places import NOBODY, as_nobody, is_root, list_accounts, place

__all__ = ["place"]

FILES = (
    "api-config.yml", "data/accounts.json", "data/123", "data/123.d/account.db", "bridge/lock",
    "bridge/node", "bridge/bridge.db", "bridge/bridge.db-wal", "bridge/bridge.db-bells/feed",
    "bridge/signal-cli/home/.mime.types",
)  # fmt: skip
DIRECTORIES = (
    "", "data", "data/123.d", "attachments", "avatars", "stickers", "bridge", "bridge/uploads",
    "bridge/signal-cli", "bridge/signal-cli/home", "bridge/bridge.db-bells",
)  # fmt: skip


def settings_for(data: Path, **settings: str) -> Settings:
    return read_settings({"SIGNAL_CLI_CONFIG_DIR": str(data), "MODE": "normal", **settings})


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory as an umask of 000 has left it."""
    data = tmp_path / "data"
    for name in DIRECTORIES:
        (data / name).mkdir(parents=True, exist_ok=True)
    list_accounts(data, "123")
    for name in FILES:
        (data / name).touch()
    for path in (data, *data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return data


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def test_all_that_is_ours_is_closed_and_one_line_says_so(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    close_to_others(settings_for(data))
    assert {name: oct(mode_of(data / name)) for name in FILES} == dict.fromkeys(FILES, "0o600")
    assert {name: oct(mode_of(data / name)) for name in DIRECTORIES} == dict.fromkeys(
        DIRECTORIES, "0o700"
    )
    (line,) = caplog.messages
    assert f'"{data}" (0777), "bridge" (0777)' in line
    assert line.endswith(" more")


def test_what_is_closed_already_gives_no_line(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    close_to_others(settings_for(data))
    caplog.clear()
    close_to_others(settings_for(data))
    assert caplog.messages == []


def test_a_new_directory_gives_no_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_for(tmp_path / "new")
    prepare_data_directory(settings)
    close_to_others(settings)
    assert caplog.messages == []


def test_what_somebody_laid_beside_it_stays_as_it_is(data: Path) -> None:
    (data / "my-notes").touch()
    (data / "my-notes").chmod(0o644)
    close_to_others(settings_for(data))
    assert mode_of(data / "my-notes") == 0o644


@pytest.mark.parametrize("name", ["attachments", "bridge/uploads", "data/accounts.json"])
def test_nothing_is_closed_that_a_link_leads_to(data: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    if (data / name).is_dir():
        shutil.rmtree(data / name)
    else:
        (data / name).unlink()
    (data / name).symlink_to(elsewhere)
    close_to_others(settings_for(data))
    assert mode_of(elsewhere) == 0o755


def test_a_data_directory_that_is_a_link_is_closed_where_it_leads(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(data)
    close_to_others(settings_for(tmp_path / "link"))
    assert mode_of(data) == 0o700


def test_the_database_elsewhere_is_closed_and_not_its_directory(data: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "events.db").touch()
    (tmp_path / "events.db").chmod(0o644)
    close_to_others(
        settings_for(data, BRIDGE_DATABASE_URL=f"sqlite:///{tmp_path}/events.db?timeout=3")
    )
    assert mode_of(tmp_path / "events.db") == 0o600
    assert mode_of(tmp_path) == 0o755
    assert mode_of(data / "bridge" / "bridge.db") == 0o666, "which is not used"


def test_a_runtime_directory_of_our_own_is_closed(data: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    (runtime / "uploads").mkdir(parents=True)
    runtime.chmod(0o755)
    (runtime / "uploads").chmod(0o755)
    close_to_others(settings_for(data, BRIDGE_RUNTIME_DIR=str(runtime)))
    assert mode_of(runtime) == mode_of(runtime / "uploads") == 0o700


@pytest.mark.parametrize(("mode", "beside"), [(0o755, "postgresql"), (0o1777, "uploads")])
def test_a_runtime_directory_for_others_as_well_stays_open_and_is_named(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, beside: str
) -> None:
    """Such as /run and /tmp."""
    runtime = tmp_path / "run"
    for name in {beside, "uploads"}:
        (runtime / name).mkdir(parents=True)
    runtime.chmod(mode)
    (runtime / "uploads").chmod(0o755)
    close_to_others(settings_for(data, BRIDGE_RUNTIME_DIR=str(runtime)))
    assert mode_of(runtime) == mode
    assert mode_of(runtime / "uploads") == 0o700
    left = f'"{runtime}" ({mode:04o}) is for others as well'
    assert caplog.messages[-1] == f"other users may read this: {left}"


def test_an_operator_who_looks_after_it_decides_who_reads(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A group, say, that reads what was received."""
    data.chmod(0o750)
    close_to_others(settings_for(data, SIGNAL_CLI_CHOWN_ON_STARTUP="false"))
    assert mode_of(data) == 0o750
    (line,) = caplog.messages
    assert f'"{data}" (0750) is left so by SIGNAL_CLI_CHOWN_ON_STARTUP' in line


def test_the_data_of_somebody_elses_signal_cli_is_its_own_business(data: Path) -> None:
    close_to_others(settings_for(data, BRIDGE_SIGNAL_CLI_RPC="tcp:127.0.0.1:7583"))
    for name in ("", "data", "data/accounts.json", "attachments"):
        assert mode_of(data / name) & 0o066 == 0o066, name
    for name in ("bridge", "bridge/uploads", "bridge/lock", "bridge/bridge.db"):
        assert not mode_of(data / name) & 0o077, name


@is_root
def test_what_belongs_to_another_user_is_left_and_named(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a volume whose mount point is root's, with the group of the bridge."""
    place.chmod(0o777)
    settings = settings_for(place)
    with as_nobody():
        prepare_data_directory(settings)
        (place / "bridge").chmod(0o755)
        close_to_others(settings)
    assert mode_of(place) == 0o777
    assert mode_of(place / "bridge") == 0o700
    assert caplog.messages == [
        'closed to other users, who could read it: "bridge" (0755)',
        f'other users may read this: "{place}" (0777) belongs to root (uid 0)',
    ]


@is_root
def test_root_leaves_what_is_anothers_too(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.chown(data / "attachments", NOBODY, NOBODY)
    close_to_others(settings_for(data))
    assert mode_of(data / "attachments") == 0o777
    assert '"attachments" (0777) belongs to' in caplog.messages[-1]


def test_what_may_not_be_changed_is_named_and_hinders_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usual = Path.chmod

    def refuse(path: Path, mode: int) -> None:
        if path == data:
            raise PermissionError(1, "Operation not permitted")
        usual(path, mode)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", refuse)
        close_to_others(settings_for(data))
    assert mode_of(data / "bridge") == 0o700
    assert f'"{data}" (0777) cannot be closed: Operation not permitted' in caplog.messages[-1]
