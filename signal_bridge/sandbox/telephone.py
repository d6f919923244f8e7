"""Telephone calls without a sound: offered, accepted or refused, and ended, on both sides.

What is heard of them is what signal-cli 0.14.6 tells: a `callMessage` for each step that comes
from the other side, and a `callEvent` for each state. An account rings only while somebody has
subscribed to its calls. The robot picks up after a moment; nobody else who is played here does.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account, PhoneCall
from signal_bridge.sandbox.call_events import CallEvents
from signal_bridge.sandbox.envelopes import CallMessage
from signal_bridge.sandbox.network import SUCCESS, Network, Parcel
from signal_bridge.sandbox.people import Person

RING_SECONDS: Final = 60.0
PICK_UP_SECONDS: Final = 0.2
CONNECT_SECONDS: Final = 0.1

INCOMING: Final = "RINGING_INCOMING"
OUTGOING: Final = "RINGING_OUTGOING"
CONNECTING: Final = "CONNECTING"
CONNECTED: Final = "CONNECTED"
ENDED: Final = "ENDED"

_OPAQUE: Final = base64.b64encode(b"there is no sound in the sandbox").decode()


class Telephone:
    """Calls between the accounts of this daemon, and to others."""

    def __init__(self, network: Network, events: CallEvents) -> None:
        self._network = network
        self._events = events
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, caller: Account, to: Person) -> PhoneCall:
        """Ring at somebody. Whether that is heard is not known here, as with any telephone."""
        call = PhoneCall(_new_id(), to, True, OUTGOING)
        await self._begin(caller, call)
        offer = {"type": "AUDIO_CALL", "opaque": _OPAQUE}
        if await self._say(caller, call, "offerMessage", offer):
            await self._ring(caller, call)
        return call

    async def accept(self, account: Account, call_id: int) -> PhoneCall:
        """Raises RpcError (-3) for a call that does not ring here."""
        call = _active(account, call_id, "accept")
        if call.state != INCOMING:
            text = f"Call {call.id} is not in {INCOMING} state (current: {call.state})"
            raise errors.io_error(f"Failed to accept call: {text}")
        await self._change(account, call, CONNECTING)
        await self._say(account, call, "answerMessage", {"opaque": _OPAQUE})
        await self._answered(call)
        self._later(CONNECT_SECONDS, lambda: self._connected(account, call))
        return call

    async def reject(self, account: Account, call_id: int) -> None:
        """Raises RpcError (-3) for no call."""
        call = _active(account, call_id, "reject")
        await self._say(account, call, "busyMessage", {})
        await self._end(account, call, "rejected", "remote_busy")

    async def hang_up(self, account: Account, call_id: int) -> None:
        """Raises RpcError (-3) for no call."""
        await self._hang_up(account, _active(account, call_id, "hang up"), "local_hangup")

    async def _begin(self, account: Account, call: PhoneCall) -> None:
        account.calls[call.id] = call
        await self._events.tell(account, call)
        self._later(RING_SECONDS, lambda: self._ring_out(account, call))

    async def _ring(self, caller: Account, call: PhoneCall) -> None:
        callee = self._network.account_of(call.other)
        if callee is None:
            if call.other.is_robot:
                self._later(PICK_UP_SECONDS, lambda: self._robot_answers(caller, call))
        elif self._events.is_heard(callee) and not callee.blocks(caller.person):
            await self._begin(callee, PhoneCall(call.id, caller.person, False, INCOMING))

    async def _robot_answers(self, caller: Account, call: PhoneCall) -> None:
        if call.state != OUTGOING:
            return
        answer = CallMessage(
            call.other.ticker.next_ms(), "answerMessage", _body(call, {"opaque": _OPAQUE})
        )
        self._network.carry(Parcel(call.other, 1, answer), caller.person)
        await self._change(caller, call, CONNECTING)
        self._later(CONNECT_SECONDS, lambda: self._connected(caller, call))

    async def _answered(self, call: PhoneCall) -> None:
        """The side that called hears that the other picked up."""
        caller, theirs = self._other_side(call)
        if caller and theirs:
            await self._change(caller, theirs, CONNECTING)
            self._later(CONNECT_SECONDS, lambda: self._connected(caller, theirs))

    async def _connected(self, account: Account, call: PhoneCall) -> None:
        if call.state == CONNECTING:
            call.devices = ("sandbox microphone", "sandbox loudspeaker")
            await self._change(account, call, CONNECTED)

    async def _ring_out(self, account: Account, call: PhoneCall) -> None:
        if call.state in (INCOMING, OUTGOING):
            await self._hang_up(account, call, "ring_timeout")

    async def _hang_up(self, account: Account, call: PhoneCall, reason: str) -> None:
        await self._say(account, call, "hangupMessage", {"type": "NORMAL", "deviceId": 0})
        await self._end(account, call, reason, "remote_hangup")

    async def _end(self, account: Account, call: PhoneCall, here: str, there: str) -> None:
        other, theirs = self._other_side(call)
        await self._forget(account, call, here)
        if other and theirs:
            await self._forget(other, theirs, there)

    async def _forget(self, account: Account, call: PhoneCall, reason: str) -> None:
        account.calls.pop(call.id, None)
        await self._change(account, call, ENDED, reason)

    async def _change(
        self, account: Account, call: PhoneCall, state: str, reason: str | None = None
    ) -> None:
        call.state = state
        await self._events.tell(account, call, reason)

    def _other_side(self, call: PhoneCall) -> tuple[Account | None, PhoneCall | None]:
        account = self._network.account_of(call.other)
        return account, account.calls.get(call.id) if account else None

    async def _say(self, account: Account, call: PhoneCall, kind: str, more: Any) -> bool:
        """A step for the other side. A failure is not told to the caller of the method."""
        message = CallMessage(account.person.ticker.next_ms(), kind, _body(call, more))
        return await self._network.post(account, call.other, message) is SUCCESS

    def _later(self, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        def start() -> None:
            task = asyncio.create_task(action())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

        asyncio.get_running_loop().call_later(seconds, start)


def signed(number: int) -> int:
    """The 64 bits of an id as Java's `long` has them."""
    return (number + 2**63) % 2**64 - 2**63


def _new_id() -> int:
    return signed(secrets.randbits(64))


def _body(call: PhoneCall, more: dict[str, Any]) -> dict[str, Any]:
    """`id` comes without a sign here (signal-cli.rst 3.6)."""
    return {"id": call.id % 2**64, **more}


def _active(account: Account, call_id: int, doing: str) -> PhoneCall:
    call = account.calls.get(call_id)
    if call is None:
        text = f"Failed to {doing} call: No active call with id {call_id % 2**64}"
        raise errors.io_error(text)
    return call
