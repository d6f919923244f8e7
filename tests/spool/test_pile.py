"""Bytes that arrive in pieces are there as a whole, and in memory only while they are few."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from signal_bridge.spool.pile import IN_MEMORY_BYTES, Pile


@pytest.fixture
def pile(tmp_path: Path) -> Pile:
    def new_file() -> tuple[Path, IO[bytes]]:
        path = tmp_path / "pile"
        return path, path.open("w+b")

    return Pile(new_file)


def test_a_few_bytes_make_no_file(pile: Pile, tmp_path: Path) -> None:
    pile.add(b"ab")
    pile.add(bytearray(b"c" * (IN_MEMORY_BYTES - 2)))
    assert (pile.whole(), pile.size_bytes) == (b"ab" + b"c" * 65_534, IN_MEMORY_BYTES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("piece_bytes", [1000, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, 300_000])
def test_many_bytes_come_back_in_their_order(pile: Pile, tmp_path: Path, piece_bytes: int) -> None:
    wanted = bytes(range(256)) * 1300
    for at in range(0, len(wanted), piece_bytes):
        pile.add(wanted[at : at + piece_bytes])
    assert (pile.whole(), pile.size_bytes) == (wanted, len(wanted))
    pile.close()
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_pile_is_empty(pile: Pile) -> None:
    pile.add(b"")
    assert (pile.whole(), pile.size_bytes) == (b"", 0)
    pile.close()
