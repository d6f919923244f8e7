"""What a child finds around it."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from signal_bridge.errors import StartError
from signal_bridge.supervisor import surroundings as module
from signal_bridge.supervisor.surroundings import (
    make_empty,
    media_type_table,
    prepare,
    utf8_locale,
    with_utf8,
)

TYPES = {"heic": "image/heic", "vcf": "text/vcard"}


def test_the_table_of_media_types_lies_where_java_looks_first(tmp_path: Path) -> None:
    made = prepare(tmp_path / "child", TYPES)
    assert (made.home / ".mime.types").read_text() == media_type_table(TYPES)
    assert f"-Duser.home={made.home}" in made.java_properties


def test_its_time_zone_is_not_that_of_the_machine(tmp_path: Path) -> None:
    assert prepare(tmp_path, TYPES).environment({"TZ": "Asia/Tokyo"})["TZ"] == "UTC"


def test_an_extension_is_known_in_capitals_too() -> None:
    assert media_type_table(TYPES) == "image/heic heic HEIC\ntext/vcard vcf VCF\n"


def test_a_table_of_another_version_is_replaced_and_the_same_is_left_alone(tmp_path: Path) -> None:
    table = prepare(tmp_path, TYPES).home / ".mime.types"
    before = table.stat().st_ino
    prepare(tmp_path, TYPES)
    assert table.stat().st_ino == before
    prepare(tmp_path, {"heic": "image/heic"})
    assert table.read_text() == "image/heic heic HEIC\n"


def test_only_this_user_may_look_at_any_of_it(tmp_path: Path) -> None:
    made = prepare(tmp_path / "child", TYPES)
    assert made.temporary
    for place in (tmp_path / "child", made.home, made.temporary):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_what_an_earlier_life_left_in_the_temporary_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "tmp" / "libsignal123").mkdir(parents=True)
    (tmp_path / "tmp" / "libsignal123" / "libsignal_jni.so").write_bytes(b"\x7fELF")
    made = prepare(tmp_path, TYPES)
    assert made.temporary
    assert list(made.temporary.iterdir()) == []
    (made.temporary / "more").touch()
    make_empty(made.temporary)
    assert list(made.temporary.iterdir()) == []


def test_where_no_program_can_be_loaded_the_systems_temporary_directory_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """signal-cli unpacks libraries into it."""
    real = os.statvfs(tmp_path)
    found = os.statvfs_result((*real[:8], real.f_flag | os.ST_NOEXEC, *real[9:]))
    monkeypatch.setattr(module.os, "statvfs", lambda _: found)
    made = prepare(tmp_path, TYPES)
    assert made.temporary is None
    assert made.java_properties == (f"-Duser.home={made.home}",)
    assert made.environment({"TMPDIR": "/tmp/mine"})["TMPDIR"] == "/tmp/mine"


def test_surroundings_that_cannot_be_made_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="is a file where a directory is needed"):
        prepare(tmp_path / "file", TYPES)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
def test_what_another_user_has_left_keeps_nothing_from_starting() -> None:
    with tempfile.TemporaryDirectory(prefix="sb-") as place:
        directory = Path(place)
        (directory / "tmp" / "of-root").mkdir(parents=True, mode=0o700)
        (directory / "tmp" / "of-root" / "library.so").touch()
        (directory / "tmp" / "ours").touch()
        for ours in (directory, directory / "tmp"):
            os.chown(ours, 65534, 65534)
        os.seteuid(65534)
        try:
            prepare(directory, TYPES)
        finally:
            os.seteuid(0)
        assert [left.name for left in (directory / "tmp").iterdir()] == ["of-root"]


# -- the locale ------------------------------------------------------------------------------------


def test_a_locale_without_a_language_is_preferred() -> None:
    """Numbers and letters of a language change what programs write of them."""
    assert utf8_locale({"LANG": "tr_TR.UTF-8"}, lambda _: True) == "C.UTF-8"


@pytest.mark.parametrize("own", ["de_DE.UTF-8", "de_DE.utf8"])
def test_where_that_is_not_installed_it_is_the_operators_own(own: str) -> None:
    assert utf8_locale({"LANG": own}, lambda name: name != "C.UTF-8") == own
    assert utf8_locale({"LC_ALL": own, "LANG": "C"}, lambda name: name != "C.UTF-8") == own


def test_or_one_that_is_often_there() -> None:
    assert utf8_locale({"LANG": "C"}, lambda name: name == "en_US.UTF-8") == "en_US.UTF-8"


def test_a_system_without_any_is_warned_of_and_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_is_installed", lambda _: False)
    assert with_utf8({"LC_ALL": "C"}) == {"LC_ALL": "C"}
    assert "Install the locale C.UTF-8" in caplog.text


def test_the_c_library_knows_what_is_installed() -> None:
    assert module._is_installed("C")
    assert not module._is_installed("xx_YY.UTF-8")
