"""A proxy before a server, with moods: what a network between the two may do to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from tests.support.waiting import free_port

PASS, HOLE, REFUSE, SLOW = "pass", "hole", "refuse", "slow"
_CHUNK_BYTES = 65_536
_WAIT_SECONDS = 10.0
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset


class Proxy:
    """Listens on `port` of 127.0.0.1 and forwards to the server's UNIX socket, as its mood is.

        PASS     at once
        HOLE     accepts, forwards nothing, not even an end; all that was held passes afterwards
        REFUSE   does not listen, and resets every connection
        SLOW     each piece after `slow_seconds`, in either direction

    As a context manager it is there from the beginning to the end of the block. Everything but
    the mood belongs to the thread of its event loop.
    """

    def __init__(self, server: Path, slow_seconds: float = 0.02) -> None:
        self.port = free_port()
        self.slow_seconds = slow_seconds
        self._path = server
        self._mood = REFUSE
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._passable = asyncio.Event()
        self._listening: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.mood = PASS
        return self

    def __exit__(self, *_: object) -> None:
        self.mood = REFUSE
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT_SECONDS)
        self._loop.close()

    @property
    def mood(self) -> str:
        return self._mood

    @mood.setter
    def mood(self, mood: str) -> None:
        self._do(self._change(mood))

    @contextlib.contextmanager
    def being(self, mood: str) -> Iterator[None]:
        """In that mood for the block, and PASS after it."""
        self.mood = mood
        try:
            yield
        finally:
            self.mood = PASS

    @property
    def connections(self) -> int:
        """How many there are at this moment."""
        return len(self._clients)

    def drop_connections(self) -> None:
        """Reset every connection there is; new ones are accepted."""
        self._do(self._reset_all())

    # -- on the loop ---------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT_SECONDS)

    async def _change(self, mood: str) -> None:
        self._mood = mood
        if mood == HOLE:
            self._passable.clear()
        else:
            self._passable.set()
        if mood == REFUSE:
            if self._listening is not None:
                self._listening.close()
                self._listening = None
            await self._reset_all()
        elif self._listening is None:
            self._listening = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, backlog=256
            )

    async def _reset_all(self) -> None:
        for client in list(self._clients):
            client.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE
            )
            client.transport.abort()
        for task in list(self._tasks):
            task.cancel()

    async def _end(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._clients.add(writer)
        try:
            await self._hold()
            with contextlib.suppress(OSError):
                await self._forward(reader, writer)
        except asyncio.CancelledError:
            pass  # its connection was reset
        finally:
            self._tasks.discard(task)
            self._clients.discard(writer)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side is at its end."""
        server_reader, server_writer = await asyncio.open_unix_connection(self._path)
        pumps = [
            asyncio.ensure_future(self._pump(reader, server_writer)),
            asyncio.ensure_future(self._pump(server_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            server_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            data = b""
            with contextlib.suppress(OSError):  # a reset is an end
                data = await reader.read(_CHUNK_BYTES)
            await self._hold()
            if not data:
                return
            writer.write(data)
            await writer.drain()

    async def _hold(self) -> None:
        if self._mood == SLOW:
            await asyncio.sleep(self.slow_seconds)
        await self._passable.wait()
