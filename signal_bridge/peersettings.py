"""Settings of signal-cli-rest-api that mean nothing here.

They are accepted, with one log line each, so that a deployment of it starts unchanged
(rest-surface.rst 9).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

# The variable, and why it has no effect or what to use instead.
WITHOUT_MEANING: Final[Mapping[str, str]] = {
    "AUTO_RECEIVE_SCHEDULE": "messages are always received",
    "AUTO_RECEIVE_SCHEDULE_RECEIVE_TIMEOUT": "messages are always received",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_ATTACHMENTS": "use JSON_RPC_IGNORE_ATTACHMENTS",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_STORIES": "use JSON_RPC_IGNORE_STORIES",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_AVATARS": "use JSON_RPC_IGNORE_AVATARS",
    "AUTO_RECEIVE_SCHEDULE_IGNORE_STICKERS": "use JSON_RPC_IGNORE_STICKERS",
    "AUTO_RECEIVE_SCHEDULE_SEND_READ_RECEIPTS": "messages are always received",
    "SIGNAL_CLI_CMD_TIMEOUT": "no command is run per request; see BRIDGE_CALL_TIMEOUT_SECONDS",
    "USE_NATIVE": "use MODE=native",
    "ENABLE_PLUGINS": "there are no Lua plugins",
    "SIGNAL_CLI_REST_API_PLUGIN_SHARED_OBJ_DIR": "there are no Lua plugins",
    "GIN_MODE": "there is no Gin",
    "SWAGGER_HOST": "/swagger/ is about the host it is fetched from",
    "SWAGGER_IP": "/swagger/ is about the host it is fetched from",
    "SWAGGER_USE_HTTPS_AS_PREFERRED_SCHEME": "/swagger/ is about the host it is fetched from",
    "SUPPORTS_NATIVE": "it is found out at start",
}


def notices(environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each of these variables that is set."""
    return [
        f"{variable} is set but has no effect: {why}"
        for variable, why in WITHOUT_MEANING.items()
        if environ.get(variable)
    ]
