"""Files of a request on their way into its spool."""

from __future__ import annotations

from pathlib import Path

from signal_bridge.web.edge.uploads import attachment_file, avatar_file


def test_what_is_on_the_disk_already_stays_there(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    assert attachment_file(path) == avatar_file(path) == path
