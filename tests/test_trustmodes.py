"""`api-config.yml`: what is written is read again, and what is not in the format is left alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_bridge.errors import RequestError, StoreError
from signal_bridge.trustmodes import MODES, checked_mode, forget_mode, store_mode, stored_mode

NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
ACCOUNTS = NUMBERS | st.text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api-config.yml"


def stored(modes: Mapping[str, str], directory: str) -> Path:
    path = Path(directory) / "api-config.yml"
    for account, mode in modes.items():
        store_mode(path, account, mode)
    return path


@settings(deadline=None)  # it is the disk that takes long
@given(modes=st.dictionaries(ACCOUNTS, st.sampled_from(MODES), max_size=4))
def test_what_is_stored_is_read_again(modes: dict[str, str]) -> None:
    with TemporaryDirectory() as directory:
        path = stored(modes, directory)
        assert {account: stored_mode(path, account) for account in modes} == modes


@settings(deadline=None)  # it is the disk that takes long
@given(modes=st.dictionaries(NUMBERS, st.sampled_from(MODES), min_size=1, max_size=4))
def test_to_every_reader_of_yaml_a_number_is_a_text(modes: dict[str, str]) -> None:
    with TemporaryDirectory() as directory:
        document = yaml.safe_load(stored(modes, directory).read_bytes())
    assert document == {
        "config": {account: {"trust_mode": MODES.index(mode)} for account, mode in modes.items()}
    }


def test_accounts_are_written_in_order_and_quoted(path: Path) -> None:
    store_mode(path, "+4920", "never")
    store_mode(path, "+4915112345", "always")
    assert path.read_text() == (
        "config:\n  '+4915112345':\n    trust_mode: 1\n  '+4920':\n    trust_mode: 2\n"
    )


@pytest.mark.parametrize(
    "text",
    ["", "{}\n", "---\n", "# nothing\n\n", "config:\n", "config: {}\n", "config: # nobody\n"],
)
def test_a_file_may_name_nobody(text: str, path: Path) -> None:
    path.write_text(text)
    assert stored_mode(path, "+49") is None
    store_mode(path, "+49", "never")
    assert stored_mode(path, "+49") == "never"


@pytest.mark.parametrize(
    ("text", "account", "mode"),
    [
        ('config:\n    "+49":\n        trust_mode: 0\n', "+49", "on-first-use"),
        ("config:\r\n  '+49':\r\n    trust_mode: 1\r\n", "+49", "always"),
        ("config:\n  +12025550100:\n    trust_mode: 2\n", "+12025550100", "never"),
        ("config:\n  <multi-account>:\n    trust_mode: 2\n", "<multi-account>", "never"),
        ("config: {'+49': {trust_mode: 1}} # as YAML too\n", "+49", "always"),
    ],
)
def test_yaml_of_other_hands_is_read(text: str, account: str, mode: str, path: Path) -> None:
    path.write_bytes(text.encode())
    assert stored_mode(path, account) == mode
    assert stored_mode(path, "nobody") is None


@pytest.mark.parametrize(
    "text",
    [
        "other:\n",
        "config: [1, 2]\n",
        "config: text\n",
        "- config\n",
        "config: {}\nother: 1\n",
        "config:\n  +49:\n",
        "config:\n  +49: 1\n",
        'config:\n  "a\\"b": # x\n',
        "config:\n  +49:\n    trust_mode: x\n",
        "config:\n  +49:\n    trust_mode: -1\n",
        "config:\n  +49:\n    trust_mode: [1]\n",
        "config:\n  +49:\n    trust_mode: " + "9" * 5000,
        "config:\n  +49:\n    trust_mode: 1\n    other: 1\n",
        "config:\n\t+49:\n",
        "config: *nothing\n",
        "config: &a\n  +49: *a\n",
        "? [a]\n: b\n",
        "config: {\n",
        "\0",
        "\udcff",
        "[" * sys.getrecursionlimit(),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_not_in_the_format_is_a_sentence_and_left_as_it_is(text: str, path: Path) -> None:
    written = text.encode(errors="surrogateescape")
    path.write_bytes(written)
    sentence = "api-config.yml cannot be understood; it is left as it is"
    with pytest.raises(StoreError, match=sentence):
        stored_mode(path, "+49")
    with pytest.raises(StoreError, match=sentence):
        store_mode(path, "+49", "never")
    assert path.read_bytes() == written


def test_a_mode_that_is_none_is_told_and_kept(path: Path) -> None:
    path.write_text("config:\n  '+49':\n    trust_mode: 7\n")
    store_mode(path, "+50", "always")
    with pytest.raises(RequestError, match="Invalid trust mode"):
        stored_mode(path, "+49")
    with pytest.raises(RequestError, match="Invalid trust mode"):
        checked_mode("sometimes")


def test_a_file_that_cannot_be_read_or_written_is_a_sentence(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"api-config\.yml cannot be read: Is a directory"):
        stored_mode(path, "+49")
    with pytest.raises(StoreError, match="nowhere cannot be opened: No such file"):
        store_mode(tmp_path / "nowhere/api-config.yml", "+49", "never")


def test_there_are_only_so_many_and_those_can_be_changed(path: Path) -> None:
    for number in range(3):
        store_mode(path, f"+4{number}", "never", most=3)
    with pytest.raises(RequestError, match="trust modes of 3 accounts"):
        store_mode(path, "+49", "never", most=3)
    store_mode(path, "+41", "always", most=3)
    assert stored_mode(path, "+41") == "always"


def test_a_mode_that_is_forgotten_leaves_the_others(path: Path) -> None:
    forget_mode(path, "+49")
    assert not path.exists()
    for account in ("+49", "+50"):
        store_mode(path, account, "never")
    forget_mode(path, "+49")
    forget_mode(path, "+49")
    assert (stored_mode(path, "+49"), stored_mode(path, "+50")) == (None, "never")
