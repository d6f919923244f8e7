"""The picture of a code: its modules, in whole pixels, in the middle of white."""

from __future__ import annotations

import struct
import zlib

import pytest
import segno

from signal_bridge.errors import RequestError
from signal_bridge.session.qrcodes import as_png, as_svg

URI = "sgnl://linkdevice?uuid=abc&pub_key=def"
SIZE = 256


def pixels(png: bytes) -> list[str]:
    """The lines of a PNG of one bit a pixel, black as 1; every check of the format is made."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (
            zlib.crc32(name + content),
        )
        chunks[name] = content
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (SIZE, SIZE, 1, 0, 0, 0, 0)
    data = zlib.decompress(chunks[b"IDAT"])
    stride = 1 + SIZE // 8
    assert len(data) == stride * SIZE
    lines = [data[at : at + stride] for at in range(0, len(data), stride)]
    assert {line[0] for line in lines} == {0}
    white = str.maketrans("01", "10")
    return ["".join(f"{byte:08b}" for byte in line[1:]).translate(white) for line in lines]


@pytest.mark.parametrize(("version", "scale"), [(None, 3), (10, 3), (11, 3), (20, 2), (40, 1)])
def test_a_code_stands_in_the_middle_of_256_pixels(version: int | None, scale: int) -> None:
    lines = pixels(as_png(URI, version))
    code = segno.make_qr(URI, version=version or 10, error="h", boost_error=False, mode="byte")
    modules = ["".join(str(module) for module in row) for row in code.matrix]
    size = len(modules) * scale
    before = (SIZE - size) // 2
    assert before >= 4 * scale
    inner = [line[before : before + size] for line in lines[before : before + size]]
    wide = ["".join(module * scale for module in row) for row in modules]
    assert inner == [row for row in wide for _ in range(scale)]
    assert sum(line.count("1") for line in lines) == sum(line.count("1") for line in inner)


def test_a_link_that_fits_into_no_code_is_refused() -> None:
    for draw in (as_png, as_svg):
        with pytest.raises(RequestError, match="too long for any"):
            draw("x" * 2000, None)
