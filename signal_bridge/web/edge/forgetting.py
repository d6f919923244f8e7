"""What the bridge keeps for an account goes with the account's data."""

from __future__ import annotations

import logging

from signal_bridge.errors import StoreError
from signal_bridge.trustmodes import config_path, forget_mode
from signal_bridge.web.edge.context import bridge

log = logging.getLogger(__name__)


def forget_account(number: str) -> None:
    """Remove its cursors, webhooks, links and trust mode; its events go by their age.

    Never raises: the account's data are gone, and asking again would be refused.
    """
    try:
        bridge().cursors.forget_account(number)
        bridge().webhooks.forget_account(number)
        bridge().links.forget_account(number)
        forget_mode(config_path(bridge().settings.config_dir), number)
    except StoreError as error:
        log.warning("what belonged to an account that was deleted is still there: %s", error)
