"""What arrives does not depend on the machine: neither on its locale nor on its media types.

Every bridge of the real world runs under the C locale, and without /etc/mime.types (bare.py).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from signal_bridge.signalcli.filetypes import MEDIA_TYPES
from signal_bridge.signalcli.sniffing import sniff_content_type
from tests.e2e import bare
from tests.e2e.real_world import RealWorld
from tests.e2e.world import World
from tests.support import eventually

NAMES = (
    "plain.txt", "r\u00e9sum\u00e9.pdf", "\u6d4b\u8bd5.txt", "\U0001f389.png",
    "\u05e9\u05dc\u05d5\u05dd.md", "e\u0301.txt", "a b.txt",
)  # fmt: skip
# A file of each kind that the bridge knows by its content alone.
FILES = {
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 50,
    "image/avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\0" * 50,
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 50,
    "video/mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 50,
    "video/webm": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x82\x84webm" + b"\0" * 50,
    "audio/amr": b"#!AMR\n" + bytes(range(100)),
    "audio/flac": b"fLaC\0\0\0\x22" + b"\0" * 50,
    "audio/ogg": b"OggS\0\x02" + b"\0" * 20 + b"\x01\x13OpusHead" + b"\0" * 20,
    "text/vcard": b"BEGIN:VCARD\nVERSION:3.0\nFN:Zoe\nEND:VCARD\n",
    "text/calendar": b"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
    "text/csv": b"a,b\n1,2\n",
    "application/json": b'{"a": 1}',
    "application/pdf": b"%PDF-1.7\n",
    "application/zip": b"PK\x05\x06" + b"\0" * 18,
}
GROUP, PROFILE = "\u6d4b\u8bd5\u7ec4 \U0001f389", "Zo\u00eb \u6d4b\u8bd5"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_machine_of_these_tests_is_bare(real: RealWorld) -> None:
    """Otherwise the rest would say nothing."""
    assert real.bridge.environ["LC_ALL"] == "C"
    jvm = real.bridge.child("org.asamk.signal.Main")
    hidden = Path(f"/proc/{jvm.pid}/root{bare.MEDIA_TYPES}")
    if os.environ.get("REQUIRE_REAL_PARTS") or bare._unshare():
        assert not hidden.exists() or hidden.stat().st_size == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_file_arrives_under_its_name(world: World, name: str) -> None:
    file = f"data:text/plain;filename={name};base64,{encoded(b'hello')}"
    world.send(f"named {name}", base64_attachments=[file])
    got = world.friend.hears_text(f"named {name}")
    assert got.files == [b"hello"]
    (attachment,) = got.attachments
    assert name in (attachment.get("fileName"), attachment.get("filename"))


@pytest.mark.parametrize("kind", FILES)
def test_a_file_known_by_its_content_arrives_with_its_media_type(
    real: RealWorld, kind: str
) -> None:
    assert sniff_content_type(FILES[kind]).partition(";")[0] == kind
    real.send(f"a file of {kind}", base64_attachments=[encoded(FILES[kind])])
    (attachment,) = real.friend.hears_text(f"a file of {kind}").attachments
    assert attachment["contentType"] == kind


@pytest.mark.parametrize("extension", sorted(MEDIA_TYPES))
def test_a_name_ends_in_what_the_file_is(real: RealWorld, extension: str) -> None:
    """Whatever is in it: signal-cli goes by the name, in small letters and in capitals."""
    for name in (f"file.{extension}", f"FILE.{extension.upper()}"):
        file = f"data:application/octet-stream;filename={name};base64,{encoded(b'?')}"
        real.send(f"named {name}", base64_attachments=[file])
        (attachment,) = real.friend.hears_text(f"named {name}").attachments
        assert attachment["contentType"] == MEDIA_TYPES[extension]


def test_names_that_are_not_ascii_survive(world: World) -> None:
    group = world.call("POST", "/v1/groups/{}", 201, name=GROUP)["id"]
    assert world.call("GET", f"/v1/groups/{{}}/{group}", 200)["name"] == GROUP
    world.call("PUT", "/v1/profiles/{}", name=PROFILE)
    eventually(lambda: world.call("GET", "/v1/profiles/{}", 200)["name"] == PROFILE, 20)


def test_nothing_of_the_bridge_is_in_the_environment_of_signal_cli(real: RealWorld) -> None:
    jvm = real.bridge.child("org.asamk.signal.Main")
    given = Path(f"/proc/{jvm.pid}/environ").read_bytes().split(b"\0")
    names = {one.partition(b"=")[0] for one in given}
    assert not {name for name in names if name.startswith((b"BRIDGE_", b"RECEIVE_"))}
    assert b"LC_ALL=C.UTF-8" in given
    assert b"TZ=UTC" in given


def test_what_java_unpacks_lies_in_the_bridges_own_directory(real: RealWorld) -> None:
    temporary = real.bridge.config_dir / "bridge" / "signal-cli" / "tmp"
    assert list(temporary.iterdir())
    assert not [one for one in real.bridge.tmp_dir.iterdir() if "libsignal" in one.name]
