"""One recipient in all its spellings, and what is given to signal-cli for each of them."""

from __future__ import annotations

import base64
from typing import Final

NUMBER: Final = "+4915112345"
NUMBER_SPELLINGS: Final = (
    NUMBER,
    "+49 151 12345",
    "+49-151-12345",
    "+49 (151) 123.45",
    "+49 (0)151/12345",
    "(+49) 151 12345",
    "+49\N{NO-BREAK SPACE}151\N{NARROW NO-BREAK SPACE}12345",
    "+49\N{NON-BREAKING HYPHEN}151\N{EN DASH}123\N{MINUS SIGN}45",
    " +4915112345",
    "+4915112345\n",
    "\t+49151\r\n12345 ",
    "\N{LEFT-TO-RIGHT MARK}+4915112345\N{RIGHT-TO-LEFT MARK}",
    "\N{LEFT-TO-RIGHT EMBEDDING}+49 151 12345\N{POP DIRECTIONAL FORMATTING}",
    "\N{LEFT-TO-RIGHT ISOLATE}+4915112345\N{POP DIRECTIONAL ISOLATE}",
    "+49\N{ZERO WIDTH SPACE}151\N{WORD JOINER}12345",
    "\N{ZERO WIDTH NO-BREAK SPACE}+4915112345",
    "\N{FULLWIDTH PLUS SIGN}４９１５１１２３４５",
    "+٤٩١٥١١٢٣٤٥",
    "004915112345",
    "00 49 (151) 12345",
    "tel:+49-151-12345",
    "TEL:+4915112345;ext=7",
    "https://signal.me/#p/+4915112345",
    "sgnl://signal.me/#p/+4915112345",
)

UUID: Final = "abcdef01-2345-6789-abcd-ef0123456789"
UUID_SPELLINGS: Final = (
    UUID,
    UUID.upper(),
    f"{{{UUID}}}",
    f"urn:uuid:{UUID}",
    f"URN:UUID:{UUID.upper()}",
    UUID.replace("-", ""),
    f" {UUID}\n",
    f"\N{LEFT-TO-RIGHT MARK}{UUID}",
)

PNI: Final = f"PNI:{UUID}"
PNI_SPELLINGS: Final = (PNI, f"PNI:{UUID.upper()}", f"pni:{UUID.replace('-', '')}", f" {PNI}")

USERNAME: Final = "name.01"
USERNAME_SPELLINGS: Final = (USERNAME, "u:name.01", "U:name.01", " name.01\n", "u: name.01")

LINK: Final = "https://signal.me/#eu/" + "Ab-_" * 16
LINK_SPELLINGS: Final = (
    LINK,
    f"u:{LINK}",
    LINK.removeprefix("https://"),
    LINK.replace("https://", "sgnl://"),
    LINK.replace("https://", "http://"),
    LINK.replace("https://signal.me", "HTTPS://Signal.Me"),
    LINK.replace("-", "+").replace("_", "/"),
    f"{LINK}\n",
)

_GROUP: Final = b"\xfb\xff\xfe" + bytes(range(29))
GROUP: Final = base64.b64encode(_GROUP).decode()
_LEGACY_GROUP: Final = b"\xfb\xff\xfe" + bytes(range(13))
LEGACY_GROUP: Final = base64.b64encode(_LEGACY_GROUP).decode()


def _group_spellings(internal_id: str) -> tuple[str, ...]:
    url_safe = internal_id.replace("+", "-").replace("/", "_")
    within = base64.b64encode(internal_id.encode()).decode()
    return (
        internal_id,
        url_safe,
        f"group.{within}",
        f"group.{within.rstrip('=')}",
        within,
        f"group.{internal_id}",
        f"group.{url_safe}",
        f"group.{base64.b64encode(url_safe.encode()).decode()}",
        f" group.{within}\n",
        f"\N{ZERO WIDTH SPACE}group.{within}",
    )


GROUP_SPELLINGS: Final = (*_group_spellings(GROUP), GROUP.rstrip("="))
LEGACY_GROUP_SPELLINGS: Final = _group_spellings(LEGACY_GROUP)

NO_NUMBERS: Final = (
    "4915112345",
    "015112345",
    "151 12345",
    "+",
    "+0151",
    "000151",
    "00",
    "+49+151",
    "+49x",
    "+1234567890123456",
    "1" * 31,
    "49\N{NO-BREAK SPACE}151",
)
"""Whoever wrote these meant a number, and signal-cli would make one of them."""

NOBODY: Final = (
    "-",
    "--help",
    "...",
    "%",
    "bob@example.org",
    "Max Mustermann",
    "1name.01",
    "name.",
    "name.x",
    "u:",
    "u:+4915112345",
    "PNI:x",
    f"{{{UUID}",
    f"{UUID}0",
    "https://signal.me/#eu/xx",
    "https://signal.group/#abc",
    "a\0b",
    "\N{LEFT-TO-RIGHT MARK}-",
)
