"""What the description says of the views, a module per resource and a constant per view.

Each says what the view's signature cannot: the schema of its body, its query, its answer and the
ways in which it fails.
"""

from signal_bridge.web.operations import (
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

__all__ = [
    "accounts",
    "attachments",
    "chat",
    "configuration",
    "contacts",
    "devices",
    "documentation",
    "events",
    "groups",
    "health",
    "identities",
    "invite_links",
    "linking",
    "member_labels",
    "messages",
    "polls",
    "profiles",
    "raw",
    "receive",
    "search",
    "status",
    "sticker_packs",
    "stories",
    "webhooks",
]
