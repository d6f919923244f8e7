"""Another number for an account (signal-cli.rst 2.8)."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.sandbox.call import Call, Handler

Json = dict[str, Any]


def start_change_number(call: Call) -> Json:
    """`startChangeNumber`: asks for a code, which is not sent; any will do but 000-000. `{}`."""
    call.account.need_primary()
    params = call.params
    params.flag("voice")
    number, captcha = params.needed_text("number"), params.text("captcha")
    call.world.linking.start_change(call.account, number, captcha)
    return {}


def finish_change_number(call: Call) -> Json:
    """`finishChangeNumber`: the account has the new number; its UUID stays. `{}`."""
    call.account.need_primary()
    params = call.params
    number, code = params.needed_text("number"), params.needed_text("verificationCode")
    call.world.linking.finish_change(call.account, number, code, params.text("pin"))
    return {}


METHODS: Final[dict[str, Handler]] = {
    "startChangeNumber": start_change_number,
    "finishChangeNumber": finish_change_number,
}
