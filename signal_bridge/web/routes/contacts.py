"""Contacts (rest-surface.rst 5.7)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import CallTimedOut, Refused
from signal_bridge.signalcli import attachments, contacts, refusals
from signal_bridge.signalcli.contacts import ContactChange
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import query_flag, read_body, required_number
from signal_bridge.web.routes.outcomes import result_if_any
from signal_bridge.web.routes.pictures import picture
from signal_bridge.web.schemas.contacts import CONTACT


def list_all(number: str) -> ResponseReturnValue:
    """All contacts of the account; with `all_recipients=true` everybody it knows.

    504 when signal-cli is still fetching their profiles; asking again later helps.
    """
    number = required_number(number)
    everybody = query_flag("all_recipients")
    try:
        result = bridge().gateway.run(contacts.list_contacts(number, all_recipients=everybody))
    except CallTimedOut as error:
        raise contacts.still_refreshing(error) from error
    return jsonify(contacts.contacts(result))


def get(number: str, uuid: str) -> ResponseReturnValue:
    """One contact, by UUID, number or username; with `all_recipients=true` anybody it knows.

    404 when there is none.
    """
    number = required_number(number)
    everybody = query_flag("all_recipients")
    result = bridge().gateway.run(contacts.list_contacts(number, uuid, everybody))
    return jsonify(contacts.one_contact(result, uuid))


def get_avatar(number: str, uuid: str) -> ResponseReturnValue:
    """The contact's picture, byte for byte. 400 when there is none (rest-surface.rst 11.18)."""
    number = required_number(number)
    try:
        result = bridge().gateway.run(contacts.get_contact_avatar(number, uuid))
    except Refused as error:
        raise refusals.contact_avatar_refusal(error) from error
    return picture(attachments.avatar(result))


def update(number: str) -> ResponseReturnValue:
    """Name the contact `recipient`, or make the chat's messages disappear. 204.

    `name` replaces the name, `expiration_in_seconds` the time after which messages disappear; what
    is left out stays, an empty name or 0 seconds clear it. 400 without a recipient, and when
    signal-cli refused it; `error` says which of the two was done if one was.
    """
    number = required_number(number)
    change: ContactChange = read_body(CONTACT)
    try:
        bridge().gateway.run(contacts.update_contact(number, change))
    except Refused as error:
        look = contacts.look_at_contact(number, change, error)
        left = contacts.refused_change(change, error, result_if_any(look))
        if left is not None:
            raise left from error
    return "", 204


def sync(number: str) -> ResponseReturnValue:
    """Send the contacts to the account's other devices. 204. A body is ignored."""
    number = required_number(number)
    bridge().gateway.run(contacts.sync_contacts(number))
    return "", 204
