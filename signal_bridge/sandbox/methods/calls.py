"""Telephone calls, which signal-cli has since 0.14.2 (signal-cli.rst 2.8)."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import PhoneCall
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.methods.daemon import subscription_id
from signal_bridge.sandbox.telephone import signed

Json = dict[str, Any]

_SOUND: Final[Json] = {"codec": "opus", "sampleRate": 48000, "channels": 1, "ptimeMs": 20}


async def start_call(call: Call) -> Json:
    """`startCall`: rings at `recipient`, and answers what the call is like."""
    named = call.params.texts("recipient")
    if not named:
        raise errors.user_error("No recipient given")
    found = call.network.people.find(named[0])
    if found.person is None:
        raise errors.user_error(f"Recipient not registered: Unregistered user: {found.name}")
    return _call_json(await call.world.telephone.start(call.account, found.person))


async def accept_call(call: Call) -> Json:
    """`acceptCall` of one that rings; answers what it is like."""
    return _call_json(await call.world.telephone.accept(call.account, _call_id(call)))


async def reject_call(call: Call) -> Json:
    """`rejectCall`: the other side hears that it is busy here. `{}`."""
    await call.world.telephone.reject(call.account, _call_id(call))
    return {}


async def hangup_call(call: Call) -> Json:
    """`hangupCall`: in whatever state it is. `{}`."""
    await call.world.telephone.hang_up(call.account, _call_id(call))
    return {}


def list_calls(call: Call) -> list[Json]:
    """`listCalls`: those that ring or go on."""
    return [
        {
            "callId": each.id,
            "state": each.state,
            "number": each.other.number,
            "uuid": each.other.aci,
            "isOutgoing": each.is_outgoing,
            **_devices(each),
        }
        for each in call.account.calls.values()
    ]


async def subscribe_call_events(call: Call) -> int:
    """`subscribeCallEvents`: of all accounts, or of the one named."""
    account = call.given_account
    accounts = [account] if account else await call.world.loading.loaded()
    numbers = [each.number for each in accounts]
    return call.world.call_events.subscribe(call.client, numbers)


def unsubscribe_call_events(call: Call) -> Json:
    """`unsubscribeCallEvents`: `{}`."""
    call.world.call_events.unsubscribe(call.client, subscription_id(call.values))
    return {}


METHODS: Final[dict[str, Handler]] = {
    "startCall": start_call,
    "acceptCall": accept_call,
    "rejectCall": reject_call,
    "hangupCall": hangup_call,
    "listCalls": list_calls,
    "subscribeCallEvents": subscribe_call_events,
    "unsubscribeCallEvents": unsubscribe_call_events,
}


def _call_id(call: Call) -> int:
    number = call.params.number("callId")
    if number is None:
        raise errors.user_error("No call ID given")
    return signed(int(number))


def _call_json(call: PhoneCall) -> Json:
    return {"callId": call.id, "state": call.state, **_devices(call), **_SOUND}


def _devices(call: PhoneCall) -> Json:
    names = call.devices or (None, None)
    return dict(zip(("inputDeviceName", "outputDeviceName"), names, strict=True))
