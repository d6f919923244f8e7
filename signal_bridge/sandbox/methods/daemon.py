"""What belongs to the daemon and not to one account: accounts that come and go, subscriptions."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Final

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.params import read_typed

Json = dict[str, Any]

_NO_SUBSCRIPTION: Final = "Missing subscription parameter with subscription id"

# Word for word: the tests that compare the sandbox with signal-cli ask for it.
_NO_ID: Final = (
    'Cannot invoke "com.fasterxml.jackson.databind.JsonNode.asInt()" because the return value of '
    '"com.fasterxml.jackson.databind.node.ObjectNode.get(String)" is null (NullPointerException)'
)


def version(call: Call) -> Json:
    """`version`: of the signal-cli that is imitated. Raises when its params are no object."""
    _ = call.params
    return {"version": call.version.number}


async def list_accounts(call: Call) -> list[Json]:
    """`listAccounts`: the loaded ones, in the order in which they came."""
    return [{"number": each.number} for each in await call.world.loading.loaded()]


async def subscribe_receive(call: Call) -> int:
    """All accounts that are loaded now, or the one named (signal-cli.rst 1.8)."""
    account = call.given_account
    accounts = [account] if account else await call.world.loading.loaded()
    return call.world.deliveries.subscribe(call.client, [each.number for each in accounts])


def unsubscribe_receive(call: Call) -> Json:
    """`unsubscribeReceive`: `{}`. The id comes by name or as the only one of an array."""
    if call.values is None:
        return _unsubscribe_account(call)
    call.world.deliveries.unsubscribe(call.client, subscription_id(call.values))
    return {}


async def receive(call: Call) -> list[Json]:
    """`receive`: what waits and what comes until nothing did for `timeout` seconds (3)."""
    values = read_typed(call.values, "ReceiveCommand$ReceiveParams", ("maxMessages", "timeout"))
    timeout = 3.0 if values.get("timeout") is None else float(values["timeout"])
    limit = -1 if values.get("maxMessages") is None else int(values["maxMessages"])
    return await call.world.deliveries.receive(call.account, timeout, limit)


def start_link(call: Call) -> Json:
    """`startLink`: `{"deviceLinkUri"}`."""
    return {"deviceLinkUri": call.world.linking.start()}


async def finish_link(call: Call) -> Json:
    """`finishLink`: `{"number"}` of the new account, about a second after `startLink`."""
    known = ("deviceName", "deviceLinkUri")
    values = read_typed(call.values, "FinishLinkCommand$FinishLinkParams", known)
    name = values.get("deviceName") or "cli"
    account = await call.world.linking.finish(values.get("deviceLinkUri"), name)
    call.network.sync_from_phone(account)
    return {"number": account.number}


def register(call: Call) -> Json:
    """`register`: `{}`. No code is sent, since any will do but 000-000."""
    known = ("voice", "reregister", "captcha")
    values = read_typed(call.values, "RegisterCommand$RegistrationParams", known)
    anew = bool(values.get("reregister"))
    call.world.linking.register(call.number, values.get("captcha"), anew)
    return {}


def verify(call: Call) -> Json:
    """`verify`: `{}`, and the account is loaded."""
    known = ("verificationCode", "pin")
    values = read_typed(call.values, "VerifyCommand$VerifyParams", known)
    code = values.get("verificationCode")
    if code is None:
        raise errors.missing("verificationCode")
    call.world.linking.verify(call.number, str(code), values.get("pin"))
    return {}


def delete_local_account_data(call: Call) -> Json:
    """Only accounts that are not loaded get here; those that were are let go first."""
    registered = call.network.people.by_number(call.number) is not None
    if registered and not call.params.flag("ignoreRegistered"):
        raise errors.user_error(
            "Not deleting account, it is still registered. Use --ignore-registered to delete it "
            "anyway."
        )
    call.network.asleep.pop(call.number, None)
    return {}


async def get_attachment(call: Call) -> Json:
    """`getAttachment`: `{"data": base64}` of a file that was received."""
    attachment_id = call.params.text("id")
    if attachment_id is None:
        text = "Missing attachment id parameter"
        wants = call.version.wants_attachment_id
        raise errors.user_error(text) if wants else errors.missing("id")
    data = await asyncio.to_thread(call.world.storage.read, attachment_id)
    return {"data": base64.b64encode(data).decode()}


METHODS: Final[dict[str, Handler]] = {
    "version": version,
    "listAccounts": list_accounts,
    "subscribeReceive": subscribe_receive,
    "unsubscribeReceive": unsubscribe_receive,
    "receive": receive,
    "startLink": start_link,
    "finishLink": finish_link,
    "register": register,
    "verify": verify,
    "deleteLocalAccountData": delete_local_account_data,
    "getAttachment": get_attachment,
}


def _unsubscribe_account(call: Call) -> Json:
    """Without parameters only the one account of `-a` can be meant."""
    if call.given_account is None:
        raise errors.user_error(_NO_SUBSCRIPTION)
    call.world.deliveries.unsubscribe_only(call.client, call.given_account.number)
    return {}


def subscription_id(values: Any) -> int:
    """Which subscription is to end: by name or as the only one of an array. Raises RpcError."""
    if values is None:
        raise errors.user_error(_NO_SUBSCRIPTION)
    found = values[0] if isinstance(values, list) and values else None
    if isinstance(values, dict):
        found = values.get("subscription")
    if not isinstance(found, int):
        raise errors.internal_error(_NO_ID)
    return found
