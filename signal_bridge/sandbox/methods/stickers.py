"""Sticker packs (signal-cli.rst 2.8)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Sticker, StickerPack
from signal_bridge.sandbox.call import Call, Handler

Json = dict[str, Any]

_LINK: Final = re.compile(
    r"https://signal\.art/addstickers/#pack_id=((?:[0-9a-f]{2})+)&pack_key=((?:[0-9a-f]{2})+)"
)
_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAAACAAAB4iG8MwAAAABJRU5ErkJggg=="
)


def list_sticker_packs(call: Call) -> list[Json]:
    """`listStickerPacks`: those added or uploaded; all count as installed."""
    return [_pack_json(each) for each in call.account.sticker_packs.values()]


def add_sticker_pack(call: Call) -> Json:
    """Every well-formed link leads to a pack here, of one sticker."""
    links = [_LINK.fullmatch(uri) for uri in call.params.texts("uri")]
    if not all(links):
        raise errors.user_error("Invalid sticker pack link")
    for link in filter(None, links):
        sticker = Sticker(0, "🙂", "image/png", _PIXEL)
        pack = StickerPack(link[1], link[2], "Sandbox pack", "Nobody", [sticker], sticker)
        call.account.sticker_packs[pack.id] = pack
    return {}


async def upload_sticker_pack(call: Call) -> Json:
    """`uploadStickerPack`: `{"url"}` of the pack in a folder, a manifest or a zip file."""
    path = call.params.needed_text("path")
    pack = await asyncio.to_thread(_read_pack, Path(path))
    call.account.sticker_packs[pack.id] = pack
    return {"url": pack.url}


def get_sticker(call: Call) -> Json:
    """`getSticker`: `{"data": base64}`; -1 if the account has no such one."""
    pack_id = call.params.needed_text("packId")
    sticker_id = call.params.needed_integer("stickerId")
    pack = call.account.sticker_packs.get(pack_id.lower())
    found = next((each for each in pack.stickers if each.id == sticker_id), None) if pack else None
    if found is None:
        text = f"Could not find sticker with ID: {sticker_id} in pack {pack_id}"
        raise errors.user_error(text)
    return {"data": base64.b64encode(found.data).decode()}


METHODS: Final[dict[str, Handler]] = {
    "listStickerPacks": list_sticker_packs,
    "addStickerPack": add_sticker_pack,
    "uploadStickerPack": upload_sticker_pack,
    "getSticker": get_sticker,
}


def _pack_json(pack: StickerPack) -> Json:
    return {
        "packId": pack.id,
        "url": pack.url,
        "installed": True,
        "title": pack.title,
        "author": pack.author,
        "cover": _sticker_json(pack.cover) if pack.cover else None,
        "stickers": [_sticker_json(each) for each in pack.stickers],
    }


def _sticker_json(sticker: Sticker) -> Json:
    return {"id": sticker.id, "emoji": sticker.emoji, "contentType": sticker.content_type}


def _read_pack(path: Path) -> StickerPack:
    try:
        return _parse_pack(_reader(path))
    except (OSError, KeyError, zipfile.BadZipFile):
        raise errors.user_error("Invalid sticker pack: Could not find manifest.json") from None
    except (ValueError, TypeError, AttributeError):
        raise errors.user_error("Invalid sticker pack: Manifest is not valid") from None


def _reader(path: Path) -> Callable[[str], bytes]:
    """Reads a file of the pack by name: from a zip, or from beside the manifest."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        return files.__getitem__
    directory = path.parent if path.name == "manifest.json" else path
    return lambda name: (directory / name).read_bytes()


def _parse_pack(read: Callable[[str], bytes]) -> StickerPack:
    manifest = json.loads(read("manifest.json"))
    stickers = [
        _parse_sticker(number, entry, read)
        for number, entry in enumerate(manifest.get("stickers", []))
    ]
    if not stickers:
        raise ValueError("no stickers")
    title, author = manifest.get("title", ""), manifest.get("author", "")
    key = secrets.token_hex(32)
    return StickerPack(secrets.token_hex(16), key, title, author, stickers, stickers[0])


def _parse_sticker(number: int, entry: Json, read: Callable[[str], bytes]) -> Sticker:
    kind = entry.get("contentType") or "image/webp"
    return Sticker(number, entry.get("emoji", ""), kind, read(entry["file"]))
