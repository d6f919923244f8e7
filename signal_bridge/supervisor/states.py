"""The states of a supervised child and the moves between them. Imports nothing of ours.

stopped ──► starting ──► running ──► stopping ──► stopped
              ▲  │          │            │
              │  └──────────┴─► backing off ──► (starting)
              │                     ▲    └────► stopped
              ├── failed: only a new start of the program helps
              └── unusable: only another child helps; tried again now and then
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class State(enum.Enum):
    """How a child is. The value is the word shown to operators."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKING_OFF = "backing off"
    UNUSABLE = "unusable"
    FAILED = "failed"


MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.STOPPED: frozenset({State.STARTING}),
    State.STARTING: frozenset(
        {
            State.RUNNING,
            State.STOPPING,
            State.BACKING_OFF,
            State.UNUSABLE,
            State.FAILED,
            State.STOPPED,
        }
    ),
    State.RUNNING: frozenset({State.STOPPING, State.BACKING_OFF, State.UNUSABLE, State.STOPPED}),
    State.STOPPING: frozenset({State.BACKING_OFF, State.STOPPED}),
    State.BACKING_OFF: frozenset({State.STARTING, State.STOPPED}),
    State.UNUSABLE: frozenset({State.STARTING, State.STOPPED}),
    State.FAILED: frozenset({State.STOPPED}),
}
