"""A rate limit concerns more than the one who ran into it: it is told in the feed."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from signal_bridge.errors import RateLimited, Refused, StoreError
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.own import own_event
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.refusals import challenge_tokens, retry_after_seconds

log = logging.getLogger(__name__)


class RateLimitNotice:
    """Told of refusals by the gateway, it appends an `account.rate_limited` for each limit."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def on_refusal(self, call: Call, error: Refused) -> None:
        """Never raises: the refusal itself goes to who asked, whether or not it can be told."""
        if not isinstance(error, RateLimited):
            return
        params = call.params if isinstance(call.params, Mapping) else {}
        account = str(params.get("account", ""))
        detail = {
            "method": call.method,
            "retry_after": retry_after_seconds(error),
            "challenge_tokens": challenge_tokens(error),
        }
        try:
            self._feed.append([own_event("account.rate_limited", account, **detail)])
        except StoreError as store_error:
            log.warning("a rate limit cannot be told in the feed: %s", store_error)
