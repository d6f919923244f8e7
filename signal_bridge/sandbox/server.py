"""The daemon: makes the world, listens, and ends at a signal (signal-cli.rst 4.3, 4.4)."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
from typing import Final

from signal_bridge.sandbox import banner, channels, logs
from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.accounts_file import AccountsFile
from signal_bridge.sandbox.attachments import Storage
from signal_bridge.sandbox.call import World
from signal_bridge.sandbox.call_events import CallEvents
from signal_bridge.sandbox.channels import Channel
from signal_bridge.sandbox.connection import Connection
from signal_bridge.sandbox.deliveries import Deliveries
from signal_bridge.sandbox.errors import RpcError, StartFailure
from signal_bridge.sandbox.linking import Linking
from signal_bridge.sandbox.loading import Loading
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.options import Options
from signal_bridge.sandbox.people import ACCOUNT_NUMBERS, Person, e164
from signal_bridge.sandbox.telephone import Telephone

EXIT_CODES: Final = {signal.SIGTERM: 0, signal.SIGINT: 0, signal.SIGHUP: 129}

_sandbox_log = logging.getLogger(logs.BANNER)
_daemon_log = logging.getLogger("DaemonCommand")
_socket_log = logging.getLogger("SocketHandler")


async def run(options: Options) -> int:
    """Serve until a signal comes. The result is the exit code."""
    options = _with_number(options)
    _announce(options)
    mode = "single" if options.account else "multi"
    _daemon_log.info("Starting daemon in %s-account mode", mode)
    server = _Server(options)
    try:
        await server.listen()
        return await server.until_ended()
    finally:
        await server.close()


class _Server:
    """Everything that has to be closed again."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._world = _new_world(options)
        self._file = AccountsFile(options.config)
        self._channels: list[Channel] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Connection, asyncio.Task[None] | None] = {}
        self._accepted = 0
        self._exit_code = 0

    async def listen(self) -> None:
        await self._load_accounts()
        self._channels = channels.open_all(self._options)
        for each in self._channels:
            server = await asyncio.start_server(
                self._accept, sock=each.socket, backlog=channels.BACKLOG
            )
            self._servers.append(server)
            _socket_log.info("Started JSON-RPC server on %s", each.name)

    async def until_ended(self) -> int:
        loop = asyncio.get_running_loop()
        for number, code in EXIT_CODES.items():
            loop.add_signal_handler(number, self._end, code)
        await self._world.ended.wait()
        return self._exit_code

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for each in self._channels:
            if each.remove:
                each.remove.unlink(missing_ok=True)
        for connection in self._connections:
            connection.shut_down()
        serving = filter(None, self._connections.values())
        await asyncio.gather(*serving, return_exceptions=True)
        await self._world.deliveries.stop()

    def _end(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._world.ended.set()

    async def _load_accounts(self) -> None:
        network, file = self._world.network, self._file
        await file.claim()

        def write(_: Account) -> None:
            file.write(network.all_accounts)

        await self._world.loading.start()
        network.on_added.append(write)
        network.on_removed.append(write)
        network.on_renumbered.append(lambda account, _: write(account))
        file.write(network.all_accounts)
        if self._options.account:
            network.on_removed.append(lambda _: self._end(0))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self._accepted = self._accepted, self._accepted + 1
        _socket_log.info("Accepted new client connection %d", number)
        connection = Connection(self._world, reader, writer)
        self._connections[connection] = asyncio.current_task()
        try:
            await connection.serve()
        finally:
            del self._connections[connection]
            _socket_log.info("Connection %d closed", number)


def _new_world(options: Options) -> World:
    network = Network(options)
    loading = Loading(network, options)
    deliveries = Deliveries(network, options)
    call_events = CallEvents(network, deliveries.ids)
    return World(
        options,
        network,
        loading,
        deliveries,
        call_events,
        Linking(network, loading, options.version),
        Telephone(network, call_events),
        Storage(options.config),
        asyncio.Event(),
    )


def _with_number(options: Options) -> Options:
    """The options, `-a` being a number. Raises StartFailure when it names no account."""
    given = options.account
    if given is None or given in ACCOUNT_NUMBERS:
        return options
    by_aci = {Person(number).aci: number for number in ACCOUNT_NUMBERS}
    if options.version.finds_account_by_aci and given in by_aci:
        return dataclasses.replace(options, account=by_aci[given])
    try:
        e164(given)
    except RpcError:
        text = "Invalid account (phone number), make sure you include the country code."
        raise StartFailure(1, text) from None
    raise StartFailure(1, f"User {given} is not registered.")


def _announce(options: Options) -> None:
    _sandbox_log.warning("=" * 72)
    for line in banner.lines():
        _sandbox_log.warning("%s", line)
    _sandbox_log.warning("It acts as signal-cli %s.", options.version.number)
    _sandbox_log.warning("=" * 72)
