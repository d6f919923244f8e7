"""How the bridge is: alive, ready, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, g, jsonify, make_response
from flask.typing import ResponseReturnValue

from signal_bridge import __version__
from signal_bridge.errors import DaemonOutdated, StoreError
from signal_bridge.session.lives import process_on
from signal_bridge.signalcli.reasons import OUTDATED_TEXT
from signal_bridge.store.status import OUTDATED, Status
from signal_bridge.store.tenure import DAEMON, waiting_for
from signal_bridge.web.edge.context import bridge

# signal-cli answers `version` in a millisecond; a probe of an orchestrator waits a few seconds.
_ANSWER_SECONDS: Final = 2.0
_IF_IT_LASTS: Final = (
    "If this lasts, see whether this machine reaches Signal, and what signal-cli says in the log"
)
_ANY_ROOM: Final = "Received files may take any room: BRIDGE_KEEP_ATTACHMENT_BYTES limits it"
SANDBOX: Final = "This is the Signal Bridge sandbox. Nothing here reaches Signal."
_PEER_MODES: Final = {"json-rpc-native": "json-rpc", "sandbox": "json-rpc"}


def live() -> ResponseReturnValue:
    """200 while this process answers. Never depends on Signal, signal-cli or the database."""
    return jsonify(status="alive")


def ready() -> ResponseReturnValue:
    """200 when messages can be sent and are being received, else 503 with the reasons.

    With `warnings` of what will not stay well by itself.
    """
    if reasons := _reasons():
        return _not_ready(reasons)
    warnings = _warnings()
    more = {"warnings": warnings} if warnings else {}
    return jsonify(status="ready", accounts=_account_states(), **more)


def peer_health() -> ResponseReturnValue:
    """204 exactly when ready (signalbot wants exactly that), else 503 with the reasons."""
    reasons = _reasons()
    return _not_ready(reasons) if reasons else ("", 204)


def about() -> ResponseReturnValue:
    """The versions and what clients test for (rest-surface.rst 5.1). Needs nothing to run."""
    settings = bridge().settings
    body: dict[str, Any] = {
        "versions": ["v1", "v2"],
        "build": 2,
        "mode": _PEER_MODES.get(settings.mode, settings.mode),
        "version": settings.peer_version,
        "capabilities": {"v2/send": ["quotes", "mentions"]},
        "signal-cli": bridge().gateway.signal_cli_version(),
        "signal-bridge": __version__,
    }
    if settings.is_sandbox:
        body["sandbox"] = SANDBOX
    return jsonify(body)


def status() -> ResponseReturnValue:
    """How signal-cli is, for an operator: its state, its memory, and how it ended last.

    `pid` and `memory_bytes` are null while it does not run, or is somebody else's. `suspicion`
    names a method that was in flight when it died, more than once within an hour.
    """
    board = bridge().board.all()
    said, process = board.get("signal-cli"), process_on(board)
    last_exit = {"at": process.last_exit_ms, "how": process.last_exit}
    signal_cli = {
        "version": bridge().gateway.signal_cli_version(),
        "state": said.state if said is not None else "down",
        "since": said.since_ms if said is not None else None,
        "pid": process.pid or None,
        "memory_bytes": process.memory_bytes or None,
        "restarts": process.restarts,
        "last_exit": last_exit if process.last_exit_ms else None,
        "suspicion": process.suspicion or None,
    }
    return jsonify({"signal-cli": signal_cli})


def _not_ready(reasons: dict[str, str]) -> Response:
    """`error` as everywhere, and each part that is not well with its reason."""
    text = "; ".join(f"{part}: {reason}" for part, reason in reasons.items())
    outdated = reasons.get("signal-cli") == OUTDATED_TEXT
    body = {
        "status": "not ready",
        "error": text,
        "code": DaemonOutdated.code if outdated else "not_ready",
        "retryable": not outdated,
        "request_id": g.request_id,
        "reasons": reasons,
    }
    response = make_response(jsonify(body), 503)
    response.headers["Retry-After"] = "5"
    return response


def _reasons() -> dict[str, str]:
    """Each part that is not well, with why."""
    try:
        if waiting := _waits_for_another():
            return {"bridge": waiting}
        return _reasons_on_board(bridge().board.all())
    except StoreError as error:
        return {"store": str(error)}


def _warnings() -> dict[str, str]:
    """Each part that is well and needs to be looked after, with why."""
    low = bridge().room.disks.warning()
    if low and not bridge().settings.keep_attachment_bytes:
        low = f"{low}. {_ANY_ROOM}"
    return {"disk": low} if low else {}


def _waits_for_another() -> str | None:
    """Why this bridge is not at work, when another one serves the database."""
    mine, holder = bridge().node, bridge().leases.holder(DAEMON)
    return waiting_for(holder) if mine and holder and mine != holder else None


def _reasons_on_board(board: dict[str, Status]) -> dict[str, str]:
    reasons = {}
    signal_cli = board.get("signal-cli")
    if signal_cli is not None and signal_cli.state in ("down", OUTDATED):
        reasons["signal-cli"] = signal_cli.detail
    elif wrong := bridge().gateway.ping(_ANSWER_SECONDS):
        reasons["signal-cli"] = wrong
    if wrong := _not_receiving(board.get("receive")):
        reasons["receive"] = wrong
    if missing := bridge().accounts.missing():
        reasons["accounts"] = f"{_by_reason(missing)}. {_IF_IT_LASTS}"
    return reasons


def _by_reason(missing: Mapping[str, str]) -> str:
    """`+491, +492: signal-cli has not loaded it (…); …`, as each reason tells of its accounts."""
    numbers: dict[str, list[str]] = {}
    for number, why in missing.items():
        numbers.setdefault(why, []).append(number)
    return "; ".join(f"{', '.join(several)}: {why}" for why, several in numbers.items())


def _account_states() -> Mapping[str, str]:
    """An account that its owner has unlinked is shown, and keeps nobody from using the others."""
    return bridge().accounts.states()


def _not_receiving(status: Status | None) -> str | None:
    """Raises StoreError when nothing can be written."""
    if status is None:
        return "the bridge's daemon has not started yet"
    if status.state != "running":
        return status.detail
    if not status.is_fresh():
        bridge().board.check()  # a store that is full keeps the board from saying so
        return f"the bridge's daemon was last heard of {status.age_seconds():.0f} s ago"
    return None
