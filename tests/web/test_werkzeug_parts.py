"""What the edge uses of Werkzeug without its promise is still what it was."""

from __future__ import annotations

import pytest
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.routing.exceptions import WebsocketMismatch
from werkzeug.test import create_environ

from signal_bridge.web.edge.werkzeug_parts import (
    READ_FROM,
    Data,
    Epilogue,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    PathMap,
)
from tests.support.private_parts import PrivateParts

PARTS = PrivateParts("werkzeug", READ_FROM, "signal_bridge/web/edge/werkzeug_parts.py")


def asking_for_an_upgrade(kind: type[Map]) -> MapAdapter:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    return kind([Rule("/path", endpoint="found")]).bind_to_environ(
        create_environ("/path", headers=upgrade)
    )


def test_the_version_that_was_read_is_installed_and_pinned() -> None:
    PARTS.assert_version()


def test_a_path_is_found_whether_or_not_an_upgrade_is_asked_for() -> None:
    adapter = asking_for_an_upgrade(Map)
    PARTS.assert_has(adapter, "websocket")
    with pytest.raises(WebsocketMismatch):
        adapter.match()
    found = asking_for_an_upgrade(PathMap).match()[0]
    PARTS.assert_that(found == "found", "MapAdapter.websocket says which paths are looked for")


def test_a_form_comes_in_pieces() -> None:
    head = '--b\r\nContent-Disposition: form-data; name="n"{}\r\n\r\n'
    text = f"{head.format('')}one\r\n{head.format('; filename=f')}two\r\n--b--\r\n"
    decoder = MultipartDecoder(b"b", max_form_memory_size=1000)
    found = []
    for data in (text[:80].encode(), text[80:].encode(), None):
        decoder.receive_data(data)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            found.append(event)
    kinds = [type(event) for event in found if not isinstance(event, Data)]
    PARTS.assert_that(kinds[1:] == [Field, File], "MultipartDecoder gives a field and a file")
    parts = b"".join(event.data for event in found if isinstance(event, Data))
    PARTS.assert_that(parts == b"onetwo", "MultipartDecoder gives what is in them")
