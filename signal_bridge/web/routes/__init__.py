"""The whole REST surface, one line a route. Each module beside this one holds one resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from signal_bridge.web.routes import (
    accounts,
    attachments,
    chat,
    configuration,
    contacts,
    devices,
    documentation,
    events,
    groups,
    health,
    identities,
    linking,
    messages,
    polls,
    profiles,
    raw,
    receive,
    search,
    status,
    sticker_packs,
    webhooks,
)


class Route(NamedTuple):
    """A method and a path, and the view that serves them. `<maybe:…>` may be empty (1.1)."""

    method: str
    path: str
    view: Callable[..., Any]


_GROUP: Final = "/v1/groups/<maybe:number>/<group_id>"
_IN_GROUP: Final = "/v1/groups/<maybe:number>/<maybe:group_id>"
_ACCOUNT: Final = "/v1/accounts/<maybe:number>"
_WEBHOOK: Final = "/v1/webhooks/<maybe:number>/<webhook_id>"

SURFACE: Final = (
    # the bridge itself
    Route("GET", "/livez", health.live),
    Route("GET", "/readyz", health.ready),
    Route("GET", "/v1/health", health.peer_health),
    Route("GET", "/v1/about", health.about),
    Route("GET", "/v1/configuration", configuration.get),
    Route("POST", "/v1/configuration", configuration.change),
    Route("GET", "/v1/configuration/<maybe:number>/settings", configuration.get_trust_mode),
    Route("POST", "/v1/configuration/<maybe:number>/settings", configuration.store_trust_mode),
    # its description
    Route("GET", "/openapi.json", documentation.openapi),
    Route("GET", "/docs", documentation.docs),
    Route("GET", "/docs/<name>", documentation.viewer_file),
    Route("GET", "/swagger/<maybe:name>", documentation.swagger),
    # accounts and devices
    Route("GET", "/v1/accounts", accounts.list_all),
    Route("GET", f"{_ACCOUNT}/status", status.account),
    Route("POST", "/v1/register/<number>", accounts.register),
    Route("POST", "/v1/register/<maybe:number>/verify/<token>", accounts.verify),
    Route("POST", "/v1/unregister/<number>", accounts.unregister),
    Route("POST", f"{_ACCOUNT}/rate-limit-challenge", accounts.lift_rate_limit),
    Route("PUT", f"{_ACCOUNT}/settings", accounts.update_settings),
    Route("POST", f"{_ACCOUNT}/username", accounts.set_username),
    Route("DELETE", f"{_ACCOUNT}/username", accounts.delete_username),
    Route("POST", f"{_ACCOUNT}/pin", accounts.set_pin),
    Route("DELETE", f"{_ACCOUNT}/pin", accounts.remove_pin),
    Route("GET", "/v1/qrcodelink", linking.new_qr_code),
    Route("GET", "/v1/qrcodelink/raw", linking.new_uri),
    Route("POST", "/v1/link", linking.start),
    Route("GET", "/v1/link/<link_id>", linking.watch),
    Route("GET", "/v1/link/<link_id>/qr", linking.qr_code),
    Route("GET", "/v1/devices/<number>", devices.list_all),
    Route("POST", "/v1/devices/<number>", devices.add),
    Route("DELETE", "/v1/devices/<maybe:number>/<device_id>", devices.remove),
    Route("DELETE", "/v1/devices/<maybe:number>/local-data", devices.delete_local_data),
    # messages
    Route("POST", "/v2/send", messages.send),
    Route("POST", "/v1/send", messages.send_v1),
    Route("GET", "/v1/receive/<number>", receive.receive),
    Route("GET", "/v1/events", events.read),
    Route("POST", "/v1/events/ack", events.acknowledge),
    Route("GET", "/v1/events/consumers", events.consumers),
    Route("PUT", "/v1/typing-indicator/<number>", chat.start_typing),
    Route("DELETE", "/v1/typing-indicator/<number>", chat.stop_typing),
    Route("POST", "/v1/reactions/<number>", chat.react),
    Route("DELETE", "/v1/reactions/<number>", chat.take_reaction_back),
    Route("POST", "/v1/receipts/<number>", chat.send_receipt),
    Route("DELETE", "/v1/remote-delete/<number>", chat.remote_delete),
    Route("POST", "/v1/polls/<number>", polls.create),
    Route("POST", "/v1/polls/<maybe:number>/vote", polls.vote),
    Route("DELETE", "/v1/polls/<number>", polls.close),
    Route("GET", "/v1/attachments", attachments.list_all),
    Route("GET", "/v1/attachments/<attachment>", attachments.get),
    Route("DELETE", "/v1/attachments/<attachment>", attachments.delete),
    # webhooks
    Route("POST", "/v1/receive/<number>", webhooks.create),
    Route("POST", "/v1/webhooks/<number>", webhooks.create),
    Route("GET", "/v1/webhooks/<number>", webhooks.list_all),
    Route("GET", _WEBHOOK, webhooks.get),
    Route("PUT", _WEBHOOK, webhooks.change),
    Route("DELETE", _WEBHOOK, webhooks.delete),
    Route("POST", f"{_WEBHOOK}/test", webhooks.test),
    Route("GET", f"{_WEBHOOK}/attempts", webhooks.list_attempts),
    Route("GET", f"{_WEBHOOK}/parked", webhooks.list_parked),
    Route("POST", f"{_WEBHOOK}/replay", webhooks.replay),
    # groups
    Route("GET", "/v1/groups/<number>", groups.list_all),
    Route("POST", "/v1/groups/<number>", groups.create),
    Route("GET", _GROUP, groups.get),
    Route("PUT", _GROUP, groups.update),
    Route("DELETE", _GROUP, groups.leave),
    Route("POST", f"{_IN_GROUP}/join", groups.join),
    Route("POST", f"{_IN_GROUP}/quit", groups.leave_with_204),
    Route("POST", f"{_IN_GROUP}/block", groups.block),
    Route("POST", f"{_IN_GROUP}/members", groups.add_members),
    Route("DELETE", f"{_IN_GROUP}/members", groups.remove_members),
    Route("POST", f"{_IN_GROUP}/admins", groups.add_admins),
    Route("DELETE", f"{_IN_GROUP}/admins", groups.remove_admins),
    Route("GET", f"{_IN_GROUP}/avatar", groups.get_avatar),
    Route("POST", f"{_IN_GROUP}/pin-message", groups.pin_message),
    Route("DELETE", f"{_IN_GROUP}/pin-message", groups.unpin_message),
    # people
    Route("GET", "/v1/profiles/<number>", profiles.get),
    Route("POST", "/v1/profiles/<number>", profiles.update),
    Route("PUT", "/v1/profiles/<number>", profiles.update),
    Route("GET", "/v1/contacts/<number>", contacts.list_all),
    Route("PUT", "/v1/contacts/<number>", contacts.update),
    Route("POST", "/v1/contacts/<maybe:number>/sync", contacts.sync),
    Route("GET", "/v1/contacts/<maybe:number>/<uuid>", contacts.get),
    Route("GET", "/v1/contacts/<maybe:number>/<maybe:uuid>/avatar", contacts.get_avatar),
    Route("GET", "/v1/search", search.search_by_any),
    Route("GET", "/v1/search/<number>", search.search),
    Route("GET", "/v1/identities/<number>", identities.list_all),
    Route("PUT", "/v1/identities/<maybe:number>/trust/<number_to_trust>", identities.trust),
    Route("GET", "/v1/sticker-packs/<number>", sticker_packs.list_all),
    Route("POST", "/v1/sticker-packs/<number>", sticker_packs.add),
)

# signal-cli's own HTTP dialect, in the modes that speak it (raw.MODES)
RAW_DIALECT: Final = (
    Route("GET", f"{raw.ROOT}check", raw.check),
    Route("POST", f"{raw.ROOT}rpc", raw.rpc),
    Route("GET", f"{raw.ROOT}events", raw.events),
)
