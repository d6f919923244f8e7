"""What the views answer: one example each, which is the schema as well (shapes.py)."""

from __future__ import annotations

from typing import Final

from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS
from signal_bridge.web.description.shapes import Either, Free, Named, Nullable, Words

ANN: Final = "+12025550100"
BOB: Final = "+12025550101"
UUID: Final = "a0a0a0a0-1111-4222-8333-444444444444"
# The ids of one group, the REST one and signal-cli's own.
GROUP: Final = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
INTERNAL_GROUP: Final = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
MS: Final = 1700000000123

_RETRY: Final = {"retryable": False, "request_id": "4f2a9c0d1e5b6a77"}

_UNREACHED: Final = Named(
    "Unreached",
    {
        "number?": BOB,
        "uuid?": UUID,
        "username?": "bob.01",
        "reason": "UNREGISTERED_FAILURE",
    },
)
_ERRORS: Final = {"recipients": [_UNREACHED]}

PROBLEM: Final = Named(
    "Problem",
    {
        "error": "Couldn't process request - invalid request",
        "code": "bad_request",
        **_RETRY,
        "outcome?": Words("unknown", "not_sent"),
        "errors?": _ERRORS,
    },
)
RATE_LIMIT: Final = Named(
    "RateLimit",
    {
        "error": "Failed to send message due to rate limiting. Use the attached challenge tokens"
        " to lift the rate limit restrictions via the"
        " '/v1/accounts/{number}/rate-limit-challenge' endpoint.",
        "challenge_tokens?": ["1f0c…"],
        "account": ANN,
        "errors?": _ERRORS,
        "code": "rate_limited",
        **_RETRY,
    },
)

# the bridge itself
ALIVE: Final = {"status": "alive"}
READY: Final = {"status": "ready", "accounts": Free({ANN: "linked"})}
NOT_READY: Final = Named(
    "NotReady",
    {
        "status": "not ready",
        "error": "signal-cli: it is starting",
        "code": "not_ready",
        "retryable": True,
        "reasons": Free({"signal-cli": "it is starting"}),
    },
)
ABOUT: Final = Named(
    "About",
    {
        "versions": ["v1", "v2"],
        "build": 2,
        "mode": Words("json-rpc", "normal", "native"),
        "version": "0.101.0",
        "capabilities": {"v2/send": ["quotes", "mentions"]},
        "signal-cli": Nullable("0.14.6"),
        "signal-bridge": "1.0.0",
        "sandbox?": "This is the Signal Bridge sandbox. Nothing here reaches Signal.",
    },
)
LOGGING: Final = {"logging": {"Level": Words("info", "debug", "warn", "")}}
TRUST_MODE: Final = {"trust_mode": Words("on-first-use", "always", "never")}

RPC_REPLY: Final = Either(
    Free({"jsonrpc": "2.0", "id": "1", "result": []}), [Free({"jsonrpc": "2.0", "id": "1"})]
)
OPENAPI: Final = Free({"openapi": "3.1.0"})

# accounts and devices
NUMBERS: Final = [ANN]
ACCOUNT: Final = Named(
    "Account",
    {
        "number": ANN,
        "state": Words("linked", "missing", "unlinked"),
        "detail": "",
        "since": MS,
        "receiving": True,
        "last_event_at": Nullable(MS),
    },
)
USERNAME: Final = {"username": "ann.42", "username_link": "https://signal.me/#eu/…"}
LINK_URI: Final = {"device_link_uri": "sgnl://linkdevice?uuid=…&pub_key=…"}
_QR: Final = "/v1/link/lnk_5c1f…/qr?format="
LINK: Final = Named(
    "Link",
    {
        "id": "lnk_5c1f…",
        "state": Words("pending", "linked", "expired", "failed"),
        "device_name": "bridge",
        "device_link_uri": "sgnl://linkdevice?uuid=…&pub_key=…",
        "expires_at": MS,
        "qr?": {"png": f"{_QR}png", "svg": f"{_QR}svg", "text": f"{_QR}text"},
        "account?": ANN,
        "reason?": "",
    },
)
DEVICES: Final = [
    Named(
        "Device",
        {"id": 1, "name": "phone", "last_seen_timestamp": MS, "creation_timestamp": MS},
    )
]

# messages
TIMESTAMP: Final = {"timestamp": str(MS)}
SENT: Final = Named("Sent", {"timestamp": str(MS), "errors?": _ERRORS})
SENT_SINCE_0_101: Final = Either([SENT], SENT)

_ENVELOPE: Final = Free(
    {
        "source": BOB,
        "sourceNumber": BOB,
        "sourceUuid": UUID,
        "sourceName": "Bob",
        "sourceDevice": 1,
        "timestamp": MS,
        "dataMessage": {"timestamp": MS, "message": "hello", "expiresInSeconds": 0},
    }
)
# An event of the bridge itself has no envelope; one that signal-cli could not read has an error.
RECEIVED: Final = Named("Received", {"envelope?": _ENVELOPE, "account?": ANN})
EVENT: Final = Named(
    "Event",
    {
        "envelope?": _ENVELOPE,
        "account?": ANN,
        "seq": 17,
        "type": Words(*SIGNAL_KINDS, *OWN_KINDS),
        "id": "evt_5c1f…",
        "received_at": MS,
    },
)
EVENTS: Final = {"events": [EVENT], "next": 17, "lag": 0, "gap?": {"from": 3, "to": 9}}
CONSUMERS: Final = [Named("Consumer", {"consumer": "archive", "seq": 17, "lag": 0})]
ATTACHMENTS: Final = ["6QZ2kqX0Jr8.png"]

# webhooks
_WEBHOOK: Final = {
    "id": "whk_5c1f…",
    "account": ANN,
    "name": "",
    "url": "https://example.org/hook",
    "types": ["message"],
    "from": [BOB],
    "format": Words("standard", "jsonrpc"),
    "headers": Free({"Authorization": "***"}),
    "state": Words("active", "paused", "disabled"),
    "detail": "",
    "created_at": MS,
    "position": 17,
    "failed_attempts": 0,
    "next_attempt_at": Nullable(MS),
    "failing_since": Nullable(MS),
}
WEBHOOK: Final = Named("Webhook", _WEBHOOK)
WEBHOOK_CREATED: Final = Named("WebhookCreated", {**_WEBHOOK, "secret": "whsec_…"})
WEBHOOK_WHOLE: Final = Named("WebhookWhole", {**_WEBHOOK, "waiting": 0, "parked": 0})
_ANSWERED: Final = {"status": 200, "error": "", "duration_ms": 12, "answer": "ok"}
WEBHOOK_TRIED: Final = {"delivered": True, **_ANSWERED}
WEBHOOK_ATTEMPTS: Final = [{"seq": 17, "attempt": 1, "at": MS, **_ANSWERED}]
WEBHOOK_PARKED: Final = [{"seq": 17, "parked_at": MS, "reason": "410", "replaying": False}]
WEBHOOK_REPLAYED: Final = {"events": 3}

# groups
_PERMISSION: Final = Words("every-member", "only-admins", "")
_PEOPLE: Final = Either([ANN], Nullable([{"number": ANN, "uuid": UUID}]))
GROUP_SHOWN: Final = Named(
    "Group",
    {
        "name": "Friends",
        "description": "",
        "id": GROUP,
        "internal_id": INTERNAL_GROUP,
        "members": _PEOPLE,
        "blocked": False,
        "member": True,
        "pending_invites": _PEOPLE,
        "pending_requests": _PEOPLE,
        "invite_link": "",
        "admins": _PEOPLE,
        "permissions": {
            "add_members": _PERMISSION,
            "edit_group": _PERMISSION,
            "send_messages": _PERMISSION,
        },
    },
)
GROUP_CREATED: Final = {"id": GROUP}

# people
PROFILE: Final = Named(
    "Profile",
    {
        "number": ANN,
        "uuid": UUID,
        "username": "ann.42",
        "given_name": "Ann",
        "lastname": "",
        "name": "Ann",
        "about": "",
        "about_emoji": "",
        "has_avatar": False,
        "last_updated_timestamp": MS,
    },
)
CONTACT: Final = Named(
    "Contact",
    {
        "number": BOB,
        "uuid": UUID,
        "name": "Bob",
        "profile_name": "Bob",
        "username": "",
        "color": "",
        "blocked": False,
        "message_expiration": "0",
        "note": "",
        "profile": {
            "given_name": "Bob",
            "lastname": "",
            "about": "",
            "has_avatar": False,
            "last_updated_timestamp": MS,
        },
        "given_name": "",
        "nickname": {"name": "", "given_name": "", "family_name": ""},
    },
)
FOUND: Final = [Named("Found", {"number": BOB, "registered": True})]
IDENTITIES: Final = [
    Named(
        "Identity",
        {
            "number": BOB,
            "status": "TRUSTED_UNVERIFIED",
            "fingerprint": "05 a1 …",
            "added": str(MS),
            "safety_number": "123450678901234",
            "uuid": UUID,
        },
    )
]
STICKER_PACKS: Final = [
    Named(
        "StickerPack",
        {"pack_id": "fb53…", "url": "", "installed": True, "title": "", "author": ""},
    )
]
