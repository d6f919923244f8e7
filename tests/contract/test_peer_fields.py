"""Every field of a body or an answer that the peer describes is described here, by that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from signal_bridge.web.description.document import document
from signal_bridge.web.surface import SURFACE

# As the peer's description of August 2026 has them; what is below a key has a dot in front.
BODIES = {
    "POST /v1/accounts/{number}/pin": "pin",
    "POST /v1/accounts/{number}/rate-limit-challenge": "captcha challenge_token",
    "PUT /v1/accounts/{number}/settings": "discoverable_by_number share_number",
    "POST /v1/accounts/{number}/username": "username",
    "POST /v1/configuration": "logging.Level",
    "POST /v1/configuration/{number}/settings": "trust_mode",
    "PUT /v1/contacts/{number}": "expiration_in_seconds name recipient",
    "POST /v1/devices/{number}": "uri",
    "DELETE /v1/devices/{number}/local-data": "ignore_registered",
    "POST /v1/groups/{number}": (
        "description expiration_time group_link members name permissions.add_members"
        " permissions.edit_group permissions.send_messages"
    ),
    "PUT /v1/groups/{number}/{group_id}": (
        "base64_avatar description expiration_time group_link name permissions.add_members"
        " permissions.edit_group permissions.send_messages"
    ),
    "DELETE /v1/groups/{number}/{group_id}/admins": "admins",
    "POST /v1/groups/{number}/{group_id}/admins": "admins",
    "DELETE /v1/groups/{number}/{group_id}/members": "members",
    "POST /v1/groups/{number}/{group_id}/members": "members",
    "DELETE /v1/groups/{number}/{group_id}/pin-message": "target_author timestamp",
    "POST /v1/groups/{number}/{group_id}/pin-message": "duration target_author timestamp",
    "PUT /v1/identities/{number}/trust/{number_to_trust}": (
        "trust_all_known_keys verified_safety_number"
    ),
    "DELETE /v1/polls/{number}": "poll_timestamp recipient",
    "POST /v1/polls/{number}": "allow_multiple_selections answers question recipient",
    "POST /v1/polls/{number}/vote": "poll_author poll_timestamp recipient selected_answers",
    "PUT /v1/profiles/{number}": "about base64_avatar name",
    "DELETE /v1/reactions/{number}": "reaction recipient target_author timestamp",
    "POST /v1/reactions/{number}": "reaction recipient target_author timestamp",
    "POST /v1/receipts/{number}": "receipt_type recipient timestamp",
    "POST /v1/register/{number}": "captcha use_voice",
    "POST /v1/register/{number}/verify/{token}": "pin",
    "DELETE /v1/remote-delete/{number}": "recipient timestamp",
    "POST /v1/send": "base64_attachment is_group message number recipients",
    "POST /v1/sticker-packs/{number}": "pack_id pack_key",
    "DELETE /v1/typing-indicator/{number}": "recipient",
    "PUT /v1/typing-indicator/{number}": "recipient",
    "POST /v1/unregister/{number}": "delete_account delete_local_data",
    "POST /v2/send": (
        "base64_attachments edit_timestamp link_preview.base64_thumbnail"
        " link_preview.description link_preview.title link_preview.url mentions.author"
        " mentions.length mentions.start message notify_self number quote_author"
        " quote_mentions.author quote_mentions.length quote_mentions.start quote_message"
        " quote_timestamp recipients sticker text_mode view_once"
    ),
}
ANSWERS = {
    "GET /v1/about": "build capabilities mode version versions",
    "POST /v1/accounts/{number}/username": "username username_link",
    "GET /v1/configuration": "logging.Level",
    "GET /v1/contacts/{number}": (
        "blocked color given_name message_expiration name nickname.family_name"
        " nickname.given_name nickname.name note number profile.about profile.given_name"
        " profile.has_avatar profile.last_updated_timestamp profile.lastname profile_name"
        " username uuid"
    ),
    "GET /v1/contacts/{number}/{uuid}": (
        "blocked color given_name message_expiration name nickname.family_name"
        " nickname.given_name nickname.name note number profile.about profile.given_name"
        " profile.has_avatar profile.last_updated_timestamp profile.lastname profile_name"
        " username uuid"
    ),
    "GET /v1/devices/{number}": "creation_timestamp id last_seen_timestamp name",
    "GET /v1/groups/{number}": (
        "admins blocked description id internal_id invite_link member members name"
        " pending_invites pending_requests permissions.add_members permissions.edit_group"
        " permissions.send_messages"
    ),
    "POST /v1/groups/{number}": "id",
    "GET /v1/groups/{number}/{group_id}": (
        "admins blocked description id internal_id invite_link member members name"
        " pending_invites pending_requests permissions.add_members permissions.edit_group"
        " permissions.send_messages"
    ),
    "GET /v1/identities/{number}": "added fingerprint number safety_number status uuid",
    "POST /v1/polls/{number}": "timestamp",
    "GET /v1/qrcodelink/raw": "device_link_uri",
    "DELETE /v1/remote-delete/{number}": "timestamp",
    "GET /v1/search/{number}": "number registered",
    "GET /v1/sticker-packs/{number}": "author installed pack_id title url",
    "POST /v2/send": "timestamp",
}
DOCUMENT = document(SURFACE)


def operation(route: str) -> Mapping[str, Any]:
    method, path = route.split()
    found: Mapping[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def names(schema: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The names of all fields of a JSON schema; keys of bodies match whatever their case."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for one in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from names(one, before)
    if "items" in schema:
        yield from names(schema["items"], before)
    for name, field in schema.get("properties", {}).items():
        yield f"{before}{name}".lower()
        yield from names(field, f"{before}{name}.")


@pytest.mark.parametrize(("route", "fields"), BODIES.items())
def test_a_body_of_the_peers_is_read(route: str, fields: str) -> None:
    content = operation(route)["requestBody"]["content"]
    assert set(fields.lower().split()) <= set(names(content["application/json"]["schema"]))


@pytest.mark.parametrize(("route", "fields"), ANSWERS.items())
def test_an_answer_has_what_the_peers_has(route: str, fields: str) -> None:
    contents = [
        one["content"] for one in operation(route)["responses"].values() if "content" in one
    ]
    found = {name for one in contents for name in names(one["application/json"]["schema"])}
    assert set(fields.lower().split()) <= found
