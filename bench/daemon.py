"""A daemon that costs nothing: signal-cli's protocol, answers at once or after a fixed delay.

    python -m bench.daemon SOCKET_PATH DELAY_MS [ACCOUNTS]

`send` answers with the number in its message as the timestamp, so that a mixed-up answer shows;
with 0 if it is no number.
Two methods are of the bench only. `push` sends `count` notifications to every subscriber in one
write; `stream` sends each in a write of its own, `every_ms` apart, and answers when all are out.
Both are for the first account, or for as many as `accounts` says, in turn. A message ends with
the moment it was written: nanoseconds of the monotonic clock, which is one for the whole machine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson

_FIRST_ACCOUNT = 12025550100
_subscribers: set[asyncio.StreamWriter] = set()
_listed: list[dict[str, str]] = []


def account(number: int) -> str:
    """The number of account 0, 1, 2 …"""
    return f"+{_FIRST_ACCOUNT + number}"


ACCOUNT = account(0)


def notification(number: int, number_of_account: int = 0) -> bytes:
    envelope = {
        "source": "+12025550101",
        "sourceNumber": "+12025550101",
        "sourceUuid": "11111111-2222-4333-8444-555555555555",
        "sourceName": "Bench",
        "sourceDevice": 1,
        "timestamp": 1_700_000_000_000 + number,
        "serverReceivedTimestamp": 1_700_000_000_001 + number,
        "serverDeliveredTimestamp": 1_700_000_000_002 + number,
        "dataMessage": {
            "timestamp": 1_700_000_000_000 + number,
            "message": f"message number {number} {time.monotonic_ns()}",
            "expiresInSeconds": 0,
            "viewOnce": False,
        },
    }
    params = {
        "subscription": 0,
        "result": {"envelope": envelope, "account": account(number_of_account)},
    }
    return orjson.dumps(
        {"jsonrpc": "2.0", "method": "receive", "params": params},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def notifications(first: int, count: int, accounts: int = 1) -> Iterator[bytes]:
    return (notification(first + n, n % accounts) for n in range(count))


def answer(method: str, params: Any, writer: asyncio.StreamWriter) -> Any:
    if method == "version":
        return {"version": "0.13.19"}
    if method == "listAccounts":
        return _listed
    if method == "subscribeReceive":
        _subscribers.add(writer)
        return 0
    if method == "send":
        text = params["message"]
        return {"timestamp": int(text) if text.isdecimal() else 0, "results": []}
    if method == "push":
        burst = b"".join(notifications(**params))
        for subscriber in _subscribers:
            subscriber.write(burst)
        return len(_subscribers)
    return {}


async def _respond(line: bytes, writer: asyncio.StreamWriter, delay_seconds: float) -> None:
    request = orjson.loads(line)
    if delay_seconds and request["method"] == "send":
        await asyncio.sleep(delay_seconds)
    if request["method"] == "stream":
        await _stream(**request["params"])
    result = answer(request["method"], request.get("params"), writer)
    writer.write(
        orjson.dumps(
            {"jsonrpc": "2.0", "result": result, "id": request["id"]},
            option=orjson.OPT_APPEND_NEWLINE,
        )
    )


async def _stream(every_ms: float, count: int, first: int, accounts: int = 1) -> None:
    """As fast as it is taken when `every_ms` is 0."""
    began = time.monotonic()
    for n in range(count):
        await asyncio.sleep(max(0.0, began + n * every_ms / 1000 - time.monotonic()))
        for subscriber in _subscribers:
            subscriber.write(notification(first + n, n % accounts))
            await subscriber.drain()


async def _serve(path: str, delay_seconds: float) -> None:
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            task = asyncio.create_task(_respond(line, writer, delay_seconds))
            running.add(task)
            task.add_done_callback(running.discard)
        _subscribers.discard(writer)
        writer.close()

    server = await asyncio.start_unix_server(connected, path, limit=2**26)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    accounts = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    _listed += [{"number": account(number)} for number in range(accounts)]
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]) / 1000))
