"""Dedup keys as databases have them: recorded, never to be made anew."""

from __future__ import annotations

from typing import Any

import orjson

from tests.feed.envelopes import EVERY_KIND

ODD: dict[str, Any] = {
    "nothing": None,
    "no envelope": {"envelope": 5},
    "odd parts": {
        "envelope": {"sourceDevice": {"a": True}, "timestamp": 1.5, "source": "x\0"},
        "account": "a\0",
    },
    "a top level of its own": {
        "envelope": {"sourceUuid": "u", "dataMessage": {}},
        "seq": 5,
        "id": "x",
        "account": "+1",
    },
    "only an exception": {
        "envelope": {},
        "account": "+1",
        "exception": {"type": "X", "message": "m"},
    },
}


def _nested(levels: int) -> Any:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    return orjson.loads(b'{"envelope":{"timestamp":1,"dataMessage":' + deep + b'},"account":"+1"}')


PARAMS: dict[str, Any] = {
    "deep": _nested(100),
    "too deep to be kept whole": _nested(300),
    **{name: params for name, (_kind, params) in EVERY_KIND.items()},
    **ODD,
}

ME = "+15550001111"
BY_ALICE = f"{ME}:11111111-2222-4333-8444-555555555555"
BY_PNI = "PNI:33333333-2222-4333-8444-555555555555"
# The account, sender, device and time that most of them have.
HEAD = f"{BY_ALICE}:1:1700000000123"
KEYS = {
    "deep": "+1:None:None:1:message:52b408206be286b0",
    "too deep to be kept whole": "+1:None:None:1:message:669aa030ef904c68",
    "text": f"{HEAD}:message:8f336fdcf7b8e3bb",
    "no number": f"{HEAD}:message:097143351a3f8000",
    "PNI only": f"{ME}:{BY_PNI}:1:1700000000123:message:cc8dc9ce961fcb94",
    "group": f"{HEAD}:message:615ae7fc1743a7dd",
    "group update": f"{HEAD}:message:744da9d2f31cd271",
    "mentions": f"{HEAD}:message:caa6458ecd197fad",
    "quote": f"{HEAD}:message:9a3b87e97a127daf",
    "attachment": f"{HEAD}:message:f189cca5cac18cb8",
    "view once": f"{HEAD}:message:8a2acab50402f157",
    "sticker": f"{HEAD}:message:fa92f382fa5aa6a7",
    "reaction": f"{HEAD}:reaction:8b53ce9cd748a0ba",
    "reaction taken back": f"{HEAD}:reaction:1844bc3eb3ae5346",
    "delete": f"{HEAD}:delete:8c158b93fba06908",
    "timer": f"{HEAD}:message:6ab4cd24abfb86c5",
    "payment": f"{HEAD}:message:6c15404b6f8fc1a5",
    "preview": f"{HEAD}:message:ea2202d353c3e691",
    "contacts": f"{HEAD}:message:eb0de9f24cbc0c6c",
    "story reply": f"{HEAD}:message:5d9e8996354d1209",
    "poll": f"{HEAD}:message:4a7eb302b09dd7fa",
    "vote": f"{HEAD}:message:a0a718eabb3fdf46",
    "poll end": f"{HEAD}:message:177ce412c32e623d",
    "pin": f"{HEAD}:message:f88bb4bc5b15ef8b",
    "unpin": f"{HEAD}:message:915558fd76c1e98e",
    "admin delete": f"{HEAD}:message:8a6c3b37aa6f9342",
    "group call": f"{HEAD}:message:c31b35005430061a",
    "end of a session": f"{HEAD}:message:87fac93d474af31d",
    "profile key": f"{HEAD}:message:4b72c12246b743c0",
    "data that nobody has heard of": f"{HEAD}:message:10eb132b7d9f3c36",
    "edit": f"{HEAD}:edit:254500e7905becef",
    "receipt": f"{HEAD}:receipt:04959cd46bb4dba7",
    "typing": f"{HEAD}:typing:c33208fb65513b3b",
    "typing in a group": f"{HEAD}:typing:14ca24abbe8677ed",
    "sync sent": f"{HEAD}:sync:8b3bb9c4cae6c12f",
    "sync reaction": f"{HEAD}:sync:f2e91fd568a6941a",
    "sync edit": f"{HEAD}:sync:bf0b3d9cfd5d62aa",
    "sync story": f"{HEAD}:sync:4455a3d1423debef",
    "sync read": f"{HEAD}:sync:9ee94d2acc6fa1a8",
    "sync block": f"{HEAD}:sync:e774f462405d7aaa",
    "sync type": f"{HEAD}:sync:aeec64d023acce65",
    "sync of another kind": f"{HEAD}:sync:fab09b77f666e291",
    "call": f"{HEAD}:call:ccf6ab0b28358049",
    "hangup": f"{HEAD}:call:5014dc6056f167ad",
    "story": f"{HEAD}:story:7a63320fd585dc92",
    "story text": f"{HEAD}:story:a903612ff8eb0164",
    "no content": f"{HEAD}:other:b9b34c450c6144e3",
    "a kind nobody has heard of": f"{HEAD}:other:cba94b891a04143a",
    "exception": f"{BY_ALICE}:3:1700000000123:error:d445a0160397b0cd",
    "exception from an unknown sender": f"{ME}:None:None:1700000000123:error:72c8302981d0d613",
    "nothing": ":None:None:None:other:f430e673d93ac3f8",
    "no envelope": ":None:None:None:other:f430e673d93ac3f8",
    "odd parts": "a\ufffd:x\ufffd:{'a': True}:1.5:other:e06c4711ad2fe0de",
    "a top level of its own": "+1:u:None:None:message:a0d63bf6ae8906fe",
    "only an exception": "+1:None:None:None:error:2a3eb6fcc178e0e4",
}
