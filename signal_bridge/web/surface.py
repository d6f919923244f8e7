"""The whole REST surface, one line a route: the method, the path, its view and its operation.

A view stands in `routes/`, in the module of its resource; what the description says of it beside
its docstring, in `operations/`, in the module of the same name.
"""

from __future__ import annotations

from typing import Final

from signal_bridge.web import operations as op
from signal_bridge.web.route import Route
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
    invite_links,
    linking,
    member_labels,
    messages,
    polls,
    profiles,
    raw,
    receive,
    search,
    status,
    sticker_packs,
    stories,
    webhooks,
)

_GROUP: Final = "/v1/groups/<maybe:number>/<group_id>"
_IN_GROUP: Final = "/v1/groups/<maybe:number>/<maybe:group_id>"
_ACCOUNT: Final = "/v1/accounts/<maybe:number>"
_CHALLENGE: Final = f"{_ACCOUNT}/rate-limit-challenge"
_CONTACTS: Final = "/v1/contacts/<maybe:number>"
_CONSUMER: Final = "/v1/events/consumers/<consumer>"
_DEVICES: Final = "/v1/devices/<maybe:number>"
_IDENTITY: Final = "/v1/identities/<maybe:number>/trust/<number_to_trust>"
_LOCAL_DATA: Final = f"{_DEVICES}/local-data"
_TRUST_MODE: Final = "/v1/configuration/<maybe:number>/settings"
_VERIFY: Final = "/v1/register/<maybe:number>/verify/<token>"
_WEBHOOK: Final = "/v1/webhooks/<maybe:number>/<webhook_id>"

SURFACE: Final = (
    # the bridge itself
    Route("GET", "/livez", health.live, op.health.LIVE),
    Route("GET", "/readyz", health.ready, op.health.READY),
    Route("GET", "/v1/health", health.peer_health, op.health.PEER_HEALTH),
    Route("GET", "/v1/about", health.about, op.health.ABOUT),
    Route("GET", "/v1/status", health.status, op.health.STATUS),
    Route("GET", "/v1/configuration", configuration.get, op.configuration.GET),
    Route("POST", "/v1/configuration", configuration.change, op.configuration.CHANGE),
    Route("GET", _TRUST_MODE, configuration.get_trust_mode, op.configuration.GET_TRUST_MODE),
    Route("POST", _TRUST_MODE, configuration.store_trust_mode, op.configuration.STORE_TRUST_MODE),
    # its description
    Route("GET", "/", documentation.home, op.documentation.HOME),
    Route("GET", "/openapi.json", documentation.openapi, op.documentation.OPENAPI),
    Route("GET", "/docs", documentation.docs, op.documentation.DOCS),
    Route("GET", "/docs/<name>", documentation.viewer_file),
    Route("GET", "/swagger/<maybe:name>", documentation.swagger),
    # accounts and devices
    Route("GET", "/v1/accounts", accounts.list_all, op.accounts.LIST_ALL),
    Route("GET", f"{_ACCOUNT}/status", status.account, op.status.ACCOUNT),
    Route("POST", "/v1/register/<number>", accounts.register, op.accounts.REGISTER),
    Route("POST", _VERIFY, accounts.verify, op.accounts.VERIFY),
    Route("POST", "/v1/unregister/<number>", accounts.unregister, op.accounts.UNREGISTER),
    Route("POST", _CHALLENGE, accounts.lift_rate_limit, op.accounts.LIFT_RATE_LIMIT),
    Route("PUT", f"{_ACCOUNT}/settings", accounts.update_settings, op.accounts.UPDATE_SETTINGS),
    Route("POST", f"{_ACCOUNT}/username", accounts.set_username, op.accounts.SET_USERNAME),
    Route("DELETE", f"{_ACCOUNT}/username", accounts.delete_username, op.accounts.DELETE_USERNAME),
    Route("POST", f"{_ACCOUNT}/pin", accounts.set_pin, op.accounts.SET_PIN),
    Route("DELETE", f"{_ACCOUNT}/pin", accounts.remove_pin, op.accounts.REMOVE_PIN),
    Route("GET", "/v1/qrcodelink", linking.new_qr_code, op.linking.NEW_QR_CODE),
    Route("GET", "/v1/qrcodelink/raw", linking.new_uri, op.linking.NEW_URI),
    Route("POST", "/v1/link", linking.start, op.linking.START),
    Route("GET", "/v1/link/<link_id>", linking.watch, op.linking.WATCH),
    Route("GET", "/v1/link/<link_id>/qr", linking.qr_code, op.linking.QR_CODE),
    Route("GET", "/v1/devices/<number>", devices.list_all, op.devices.LIST_ALL),
    Route("POST", "/v1/devices/<number>", devices.add, op.devices.ADD),
    Route("DELETE", f"{_DEVICES}/<device_id>", devices.remove, op.devices.REMOVE),
    Route("PUT", f"{_DEVICES}/<device_id>", devices.rename, op.devices.RENAME),
    Route("DELETE", _LOCAL_DATA, devices.delete_local_data, op.devices.DELETE_LOCAL_DATA),
    # messages
    Route("POST", "/v2/send", messages.send, op.messages.SEND),
    Route("POST", "/v1/send", messages.send_v1, op.messages.SEND_V1),
    Route("POST", "/v1/stories/<number>", stories.post, op.stories.POST),
    Route("GET", "/v1/receive/<number>", receive.receive, op.receive.RECEIVE),
    Route("GET", "/v1/events", events.read, op.events.READ),
    Route("POST", "/v1/events/ack", events.acknowledge, op.events.ACKNOWLEDGE),
    Route("GET", "/v1/events/consumers", events.consumers, op.events.CONSUMERS),
    Route("DELETE", _CONSUMER, events.forget_consumer, op.events.FORGET_CONSUMER),
    Route("PUT", "/v1/typing-indicator/<number>", chat.start_typing, op.chat.START_TYPING),
    Route("DELETE", "/v1/typing-indicator/<number>", chat.stop_typing, op.chat.STOP_TYPING),
    Route("POST", "/v1/reactions/<number>", chat.react, op.chat.REACT),
    Route("DELETE", "/v1/reactions/<number>", chat.take_reaction_back, op.chat.TAKE_REACTION_BACK),
    Route("POST", "/v1/receipts/<number>", chat.send_receipt, op.chat.SEND_RECEIPT),
    Route("DELETE", "/v1/remote-delete/<number>", chat.remote_delete, op.chat.REMOTE_DELETE),
    Route("POST", "/v1/pin-message/<number>", chat.pin_message, op.chat.PIN_MESSAGE),
    Route("DELETE", "/v1/pin-message/<number>", chat.unpin_message, op.chat.UNPIN_MESSAGE),
    Route("DELETE", f"{_IN_GROUP}/messages", chat.admin_delete, op.chat.ADMIN_DELETE),
    Route("POST", "/v1/polls/<number>", polls.create, op.polls.CREATE),
    Route("POST", "/v1/polls/<maybe:number>/vote", polls.vote, op.polls.VOTE),
    Route("DELETE", "/v1/polls/<number>", polls.close, op.polls.CLOSE),
    Route("GET", "/v1/attachments", attachments.list_all, op.attachments.LIST_ALL),
    Route("GET", "/v1/attachments/<attachment>", attachments.get, op.attachments.GET),
    Route("DELETE", "/v1/attachments/<attachment>", attachments.delete, op.attachments.DELETE),
    # webhooks
    Route("POST", "/v1/receive/<number>", webhooks.create, op.webhooks.CREATE),
    Route("POST", "/v1/webhooks/<number>", webhooks.create, op.webhooks.CREATE),
    Route("GET", "/v1/webhooks/<number>", webhooks.list_all, op.webhooks.LIST_ALL),
    Route("GET", _WEBHOOK, webhooks.get, op.webhooks.GET),
    Route("PUT", _WEBHOOK, webhooks.change, op.webhooks.CHANGE),
    Route("DELETE", _WEBHOOK, webhooks.delete, op.webhooks.DELETE),
    Route("POST", f"{_WEBHOOK}/test", webhooks.test, op.webhooks.TEST),
    Route("GET", f"{_WEBHOOK}/attempts", webhooks.list_attempts, op.webhooks.LIST_ATTEMPTS),
    Route("GET", f"{_WEBHOOK}/parked", webhooks.list_parked, op.webhooks.LIST_PARKED),
    Route("POST", f"{_WEBHOOK}/replay", webhooks.replay, op.webhooks.REPLAY),
    # groups
    Route("GET", "/v1/groups/<number>", groups.list_all, op.groups.LIST_ALL),
    Route("POST", "/v1/groups/<number>", groups.create, op.groups.CREATE),
    Route("GET", _GROUP, groups.get, op.groups.GET),
    Route("PUT", _GROUP, groups.update, op.groups.UPDATE),
    Route("DELETE", _GROUP, groups.leave, op.groups.LEAVE),
    Route("POST", f"{_IN_GROUP}/join", groups.join, op.groups.JOIN),
    Route("POST", f"{_IN_GROUP}/quit", groups.leave_with_204, op.groups.LEAVE_WITH_204),
    Route("POST", f"{_IN_GROUP}/block", groups.block, op.groups.BLOCK),
    Route("POST", f"{_IN_GROUP}/members", groups.add_members, op.groups.ADD_MEMBERS),
    Route("DELETE", f"{_IN_GROUP}/members", groups.remove_members, op.groups.REMOVE_MEMBERS),
    Route("POST", f"{_IN_GROUP}/admins", groups.add_admins, op.groups.ADD_ADMINS),
    Route("DELETE", f"{_IN_GROUP}/admins", groups.remove_admins, op.groups.REMOVE_ADMINS),
    Route("GET", f"{_IN_GROUP}/avatar", groups.get_avatar, op.groups.GET_AVATAR),
    Route("POST", f"{_IN_GROUP}/pin-message", groups.pin_message, op.groups.PIN_MESSAGE),
    Route("DELETE", f"{_IN_GROUP}/pin-message", groups.unpin_message, op.groups.UNPIN_MESSAGE),
    Route("POST", "/v1/groups/<maybe:number>/join", invite_links.join, op.invite_links.JOIN),
    Route("POST", f"{_IN_GROUP}/reset-link", invite_links.reset, op.invite_links.RESET),
    Route("PUT", f"{_IN_GROUP}/member-label", member_labels.change, op.member_labels.CHANGE),
    # people
    Route("GET", "/v1/profiles/<number>", profiles.get, op.profiles.GET),
    Route("POST", "/v1/profiles/<number>", profiles.update, op.profiles.UPDATE),
    Route("PUT", "/v1/profiles/<number>", profiles.update, op.profiles.UPDATE),
    Route("GET", "/v1/contacts/<number>", contacts.list_all, op.contacts.LIST_ALL),
    Route("PUT", "/v1/contacts/<number>", contacts.update, op.contacts.UPDATE),
    Route("POST", f"{_CONTACTS}/sync", contacts.sync, op.contacts.SYNC),
    Route("GET", f"{_CONTACTS}/<uuid>", contacts.get, op.contacts.GET),
    Route("GET", f"{_CONTACTS}/<maybe:uuid>/avatar", contacts.get_avatar, op.contacts.GET_AVATAR),
    Route("GET", "/v1/search", search.search_by_any, op.search.SEARCH_BY_ANY),
    Route("GET", "/v1/search/<number>", search.search, op.search.SEARCH),
    Route("GET", "/v1/identities/<number>", identities.list_all, op.identities.LIST_ALL),
    Route("PUT", _IDENTITY, identities.trust, op.identities.TRUST),
    Route("GET", "/v1/sticker-packs/<number>", sticker_packs.list_all, op.sticker_packs.LIST_ALL),
    Route("POST", "/v1/sticker-packs/<number>", sticker_packs.add, op.sticker_packs.ADD),
)

# signal-cli's own HTTP dialect
RAW_DIALECT: Final = (
    Route("GET", f"{raw.ROOT}check", raw.check, op.raw.CHECK),
    Route("POST", f"{raw.ROOT}rpc", raw.rpc, op.raw.RPC),
    Route("GET", f"{raw.ROOT}events", raw.events, op.raw.EVENTS),
)


def surface(mode: str) -> tuple[Route, ...]:
    """Every route that a bridge in that `MODE` serves."""
    return SURFACE + RAW_DIALECT if mode in raw.MODES else SURFACE
