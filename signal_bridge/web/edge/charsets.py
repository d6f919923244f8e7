"""The charset of a JSON body, as it shows itself or is declared, and the body as UTF-8.

JSON shows UTF-8, UTF-16 and UTF-32 by a byte order mark, or by the NULs in its first four bytes
(RFC 4627, section 3). Any other charset has to be declared (`Content-Type: …; charset=…`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from itertools import chain
from typing import Final

from signal_bridge.errors import UnreadableBody

UTF_8: Final = "utf-8"

_HEAD_BYTES: Final = 4
# Of a text that is NUL-padded the first two characters are ASCII: NULs say where the others are.
_MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # it begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NULS: Final = (
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0[^\0]"), "utf-16-be"),
    (re.compile(rb"[^\0]\0"), "utf-16-le"),
)
# Those that stand for text and nothing else, by Python's modules. UTF-7 is none of them.
_KNOWN: Final = re.compile(
    r"ascii|utf_8(_sig)?|utf_(16|32)(_[bl]e)?|latin_1|iso8859_\d\d?|cp125\d|koi8_[ru]|mac_roman"
    r"|gb2312|gbk|gb18030|big5|shift_jis|euc_jp|euc_kr"
)
_LONGEST_NAME: Final = 64


class NotInCharsetError(ValueError):
    """A body is not of the charset that it claims to be of; `str` is a sentence."""


def utf8_chunks(chunks: Iterator[bytes], declared: str | None) -> Iterator[bytes]:
    """A JSON body in UTF-8, without a byte order mark, in pieces.

    Bytes that are no UTF-8 stay as they are; those that are not of another charset are a
    NotInCharsetError. Raises UnreadableBody for a charset that is not known.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    charset, mark_bytes = charset_of(head, declared)
    rest = chain([head[mark_bytes:]], chunks)
    return rest if charset == UTF_8 else _transcoded(rest, charset)


def charset_of(head: bytes, declared: str | None) -> tuple[str, int]:
    """The charset of a body that begins with `head`, and how many bytes its mark has.

    What it shows counts more than what is declared. Raises UnreadableBody.
    """
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return charset, len(mark)
    for nuls, charset in _NULS:
        if nuls.match(head):
            return charset, 0
    known = declared_charset(declared)
    # Not one NUL: it is neither UTF-16 nor UTF-32, whatever it says.
    return (UTF_8 if known.startswith("utf-") else known), 0


def declared_charset(name: str | None) -> str:
    """A charset by Python's name, UTF-8 when none is declared. Raises UnreadableBody.

    ASCII is UTF-8 as well, and what is more than ASCII would be wrong as ASCII.
    """
    if not name:
        return UTF_8
    # Python keeps each name that it has looked up in vain, for ever: it is not asked for those.
    plain = normalize_encoding(name[:_LONGEST_NAME]).lower()
    module = aliases.get(plain, plain)
    try:
        found = codecs.lookup(module).name if _KNOWN.fullmatch(module) else ""
    except LookupError:
        found = ""
    if not found:
        raise UnreadableBody("The charset of the body is not known; utf-8 is read")
    return UTF_8 if found == "ascii" else found


def _transcoded(chunks: Iterator[bytes], charset: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(charset)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise NotInCharsetError(f"The body is to be {charset}, and is not all through") from None


def text_of(data: bytes, declared: str | None) -> str:
    """A text of that charset; U+FFFD for what is no UTF-8.

    Raises NotInCharsetError, or UnreadableBody for a charset that is not known, which UTF-16
    without a byte order mark is.
    """
    charset = declared_charset(declared)
    for mark, marked in _MARKS:
        if data.startswith(mark) and marked.startswith(charset):
            return _decoded(data[len(mark) :], marked)
    if charset in ("utf-16", "utf-32"):
        raise UnreadableBody(f"A text in {charset} begins with a byte order mark")
    return _decoded(data, charset)


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace" if charset == UTF_8 else "strict")
    except UnicodeError:
        raise NotInCharsetError(f"The text is to be {charset}, and is not all through") from None
