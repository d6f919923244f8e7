"""One client connection: lines in, each answered by a task of its own, lines out in any order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from signal_bridge.rpc.framing import LineBuffer, Overlong
from signal_bridge.sandbox.call import World
from signal_bridge.sandbox.dispatcher import Dispatcher
from signal_bridge.sandbox.protocol import Hopeless

MAX_RUNNING: Final = 1000
"""So many requests of one connection run at once; more wait unread in the socket."""

CHUNK_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 128 * 2**20
"""A longer line is what exhausts the daemon's heap; here its end ends the connection."""

_log = logging.getLogger("SocketHandler")


class Connection:
    """Serves one client until it leaves, or sends what ends the connection."""

    def __init__(
        self, world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._world = world
        self._reader = reader
        self._writer = writer
        self._dispatcher = Dispatcher(world, self)
        self._places = asyncio.Semaphore(MAX_RUNNING)
        self._running: set[asyncio.Task[None]] = set()
        self._write_lock = asyncio.Lock()  # one line at a time, and at most one waits in memory

    async def serve(self) -> None:
        """Answer until the client leaves or breaks a limit; then wait for what still runs."""
        self._world.deliveries.add_client(self)
        try:
            await self._read()
        except (ConnectionError, Hopeless) as error:
            _log.debug("Connection ended: %s", error)
            self.abort()
        finally:
            self._world.deliveries.remove_client(self)
            self._world.call_events.remove_client(self)
            await asyncio.gather(*self._running, return_exceptions=True)
            self._writer.close()

    async def send(self, line: bytes) -> None:
        """Write a line and wait until the client took most of it, or left."""
        async with self._write_lock:
            with contextlib.suppress(ConnectionError):
                self._writer.write(line)
                await self._writer.drain()

    def abort(self) -> None:
        """Close at once. What was not written yet is lost."""
        self._writer.transport.abort()

    def shut_down(self) -> None:
        """The daemon ends: running requests lose their replies (signal-cli.rst 4.4)."""
        self.abort()
        for task in self._running:
            task.cancel()

    async def _read(self) -> None:
        lines = LineBuffer(MAX_LINE_BYTES)
        while chunk := await self._reader.read(CHUNK_BYTES):
            for line in lines.feed(chunk):
                await self._start(line)
        (last,) = lines.feed(b"\n")  # it may end with the stream
        if last:
            await self._start(last)

    async def _start(self, line: bytes | Overlong) -> None:
        if isinstance(line, Overlong):
            raise Hopeless("a line is too long")
        await self._places.acquire()
        task = asyncio.create_task(self._handle(line))
        self._running.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._places.release()

    async def _handle(self, line: bytes) -> None:
        try:
            reply = await self._dispatcher.answer(line)
        except Hopeless as error:
            _log.debug("Connection ended: %s", error)
            self.abort()
            return
        if reply:
            await self.send(reply)
