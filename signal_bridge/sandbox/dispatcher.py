"""From a line to its answer: validation, method, account, and run (signal-cli.rst 1.3 to 1.6)."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from typing import Any, Final

from signal_bridge.rpc.requests import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Invalid,
    Request,
    error_reply,
    is_batch,
    read_request,
    result_reply,
)
from signal_bridge.sandbox import errors, jackson
from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.call import Call, World
from signal_bridge.sandbox.deliveries import Client
from signal_bridge.sandbox.errors import RpcError
from signal_bridge.sandbox.methods import METHODS, Method, Needs
from signal_bridge.sandbox.protocol import encode_line, parse_line

MAX_DELAY_SECONDS: Final = 0.001
BATCH_CHUNK: Final = 500
"""So many entries of a batch run at the same time."""

_log = logging.getLogger("SignalJsonRpcDispatcherHandler")


class Dispatcher:
    """Answers the requests of one connection."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client

    async def answer(self, line: bytes) -> bytes | None:
        """The reply to a line, if it gets one. `Hopeless` ends the connection."""
        try:
            value = parse_line(line)
        except RpcError as error:
            return encode_line(error_reply(None, error.as_json()))
        reply = await (self._batch(value) if is_batch(value) else self._one(value))
        return encode_line(reply) if reply else None

    async def _batch(self, entries: list[Any]) -> list[dict[str, Any]]:
        """One array of replies, in the order in which they are ready."""
        replies: list[dict[str, Any]] = []

        async def add(entry: Any) -> None:
            reply = await self._member(entry)
            if reply:
                replies.append(reply)

        for start in range(0, len(entries), BATCH_CHUNK):
            await asyncio.gather(*map(add, entries[start : start + BATCH_CHUNK]))
        return replies

    async def _member(self, entry: Any) -> dict[str, Any] | None:
        if type(entry) is int:  # alone it is refused in other words
            return _refusal(Invalid(jackson.number_for_request(entry)))
        return await self._one(entry)

    async def _one(self, value: Any) -> dict[str, Any] | None:
        found = read_request(value, jackson.WORDING)
        if found is None:
            return None
        if isinstance(found, Invalid):
            return _refusal(found)
        reply = await self._reply(found)
        return reply if found.wants_reply else None

    async def _reply(self, request: Request) -> dict[str, Any]:
        try:
            return result_reply(request.id, await self._run(request))
        except RpcError as error:
            return error_reply(request.id, error.as_json())
        except Exception as error:  # noqa: BLE001 - the daemon, too, answers -32603 and lives on
            _log.error("%s failed: %s", request.method, type(error).__name__, exc_info=True)
            failure = errors.internal_error("The sandbox failed; its log says why")
            return error_reply(request.id, failure.as_json())

    async def _run(self, request: Request) -> Any:
        await asyncio.sleep(random.uniform(0, MAX_DELAY_SECONDS))  # noqa: S311 - not a secret
        method = METHODS.get(request.method)
        single = self._world.options.account is not None
        unknown = method is None or request.method in self._world.options.version.lacks
        if method is None or unknown or (single and method.multi_only):
            raise RpcError(METHOD_NOT_FOUND, "Method not implemented")
        result = method.run(await self._call(method, request))
        return await result if inspect.isawaitable(result) else result

    async def _call(self, method: Method, request: Request) -> Call:
        """Find the account, and take `account` out of the parameters where the daemon does."""
        if self._world.options.account is not None:
            (account,) = await self._world.loading.loaded()
            return Call(self._world, self._client, request.params, account)
        if method.needs is Needs.IGNORED:
            return Call(self._world, self._client, request.params)
        given, values = _split_account(request.params)
        if method.needs is Needs.NEW:
            new = self._number_to_register(given)
            return Call(self._world, self._client, values, given_number=new)
        chosen = await self._account_for(given, method)
        return Call(self._world, self._client, values, chosen)

    async def _account_for(self, given: str | None, method: Method) -> Account | None:
        if given is not None:
            return await self._account(given)
        if method.needs is Needs.OPTIONAL:
            return None
        accounts = await self._world.loading.loaded()
        if len(accounts) == 1:
            return accounts[0]
        raise errors.no_account()

    async def _account(self, name: str) -> Account:
        account = await self._world.loading.find(name)
        if account is None:
            raise RpcError(INVALID_PARAMS, "Specified account does not exist")
        return account

    def _number_to_register(self, given: str | None) -> str:
        """What a registration is about: no loaded account, or one that is let go for it."""
        version, network = self._world.options.version, self._world.network
        loaded = network.accounts.get(given or "")
        if given is None or (loaded and not version.reregisters_loaded):
            raise RpcError(INVALID_PARAMS, version.registers_nobody)
        if loaded:
            network.let_go(loaded)
        elif self._world.loading.is_unloadable(given):
            raise RpcError(INVALID_PARAMS, "Failed to load the given account")
        return given


def _split_account(params: Any) -> tuple[str | None, Any]:
    if not isinstance(params, dict) or "account" not in params:
        return None, params
    rest = {key: value for key, value in params.items() if key != "account"}
    given = params["account"]
    return None if given is None else str(given), rest


def _refusal(invalid: Invalid) -> dict[str, Any]:
    return error_reply(invalid.id, errors.invalid_request(invalid.why).as_json())
