"""What is logged and how keys are trusted, changed while it runs (rest-surface.rst 5.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from signal_bridge import trustmodes
from signal_bridge.errors import RequestError
from signal_bridge.logs import LEVELS, log_at
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.edge.knownaccounts import check_account
from signal_bridge.web.schemas.configuration import CONFIGURATION, TRUST_MODE

# The row of the status board that tells the other workers.
_LOG_LEVEL: Final = "log-level"
# The peer shows no level at all when it is `error` (rest-surface.rst 5.1).
_NOT_SHOWN: Final = "error"
_ONE_FOR_ALL: Final = (
    "In the json-rpc modes one trust mode is for all accounts: set JSON_RPC_TRUST_NEW_IDENTITIES "
    "and start the bridge again"
)


def get() -> ResponseReturnValue:
    """How much is logged: `{"logging": {"Level": "info"}}`, one of debug, info and warn.

    The level is the empty text when only errors are logged.
    """
    status = bridge().board.all().get(_LOG_LEVEL)
    level = status.state if status is not None else bridge().settings.log_level
    log_at(level)
    return jsonify(logging={"Level": "" if level == _NOT_SHOWN else level})


def change() -> ResponseReturnValue:
    """Change how much is logged: `{"logging": {"Level": "debug"}}`. 204.

    `Level` is debug, info, warn or error; empty or left out, nothing changes. It holds for the
    worker process that served the request, for each other one from its next
    `GET /v1/configuration` on, and until the bridge is started again: LOG_LEVEL is the lasting way.
    400 for any other level.
    """
    level = read_body(CONFIGURATION)["logging"]["level"]
    if level and level not in LEVELS:
        raise RequestError("Couldn't set log level - invalid log level")
    if level:
        # The id makes each change a new one, even if this worker has set the same level before.
        bridge().board.put(_LOG_LEVEL, level, g.request_id)
        log_at(level)
    return "", 204


def get_trust_mode(number: str) -> ResponseReturnValue:
    """The account's trust mode: `{"trust_mode": "on-first-use"}`, or `always`, or `never`.

    It is the one that was stored for the account, else the one signal-cli runs with
    (JSON_RPC_TRUST_NEW_IDENTITIES). 400 when what is stored is no trust mode.
    """
    number = required_number(number)
    stored = trustmodes.stored_mode(_config_path(), number)
    return jsonify(trust_mode=stored or bridge().settings.trust_new_identities)


def store_trust_mode(number: str) -> ResponseReturnValue:
    """Store the account's trust mode: `{"trust_mode": "always"}`. 204.

    It is kept in `api-config.yml` and told by GET. What signal-cli does with a changed safety
    number is decided for all accounts together, by JSON_RPC_TRUST_NEW_IDENTITIES. 400 for any
    other word, for an account that is not here and never was, and in the json-rpc modes always, as
    with the peer (rest-surface.rst 11.26).
    """
    number = required_number(number)
    mode = trustmodes.checked_mode(read_body(TRUST_MODE)["trust_mode"])
    if bridge().settings.mode.startswith("json-rpc"):
        raise RequestError("Couldn't set trust mode", _ONE_FOR_ALL)
    check_account(number)
    trustmodes.store_mode(_config_path(), number, mode)
    return "", 204


def _config_path() -> Path:
    return trustmodes.config_path(bridge().settings.config_dir)
