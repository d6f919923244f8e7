"""What must hold of a bridge whatever becomes of its database: it lives, and does not babble."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator

import requests

from tests.support import Bridge

LIVE_SECONDS = 5.0
_LOOK_SECONDS = 0.2
# Whoever asks causes a line; those are as many as it asks.
_ANSWERS = ("signal_bridge.web.app", "signal_bridge.web.edge.problems")
_A_RECORD = re.compile(r"\d{4}-\d\d-\d\d ")
# Of all parts of the bridge together; and what each may say once when a fault begins and ends.
RECORDS_PER_SECOND, RECORDS_PER_FAULT = 5, 25


class _Pulse(threading.Thread):
    """Asks `/livez` again and again until `end`."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(name="pulse", daemon=True)
        self.beats = 0
        self.missed: list[str] = []
        self._bridge = bridge
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            try:
                self._bridge.get("/livez", timeout=LIVE_SECONDS).raise_for_status()
                self.beats += 1
            except requests.RequestException as error:
                self.missed.append(str(error))

    def end(self) -> None:
        self._done.set()
        self.join(2 * LIVE_SECONDS)


@contextlib.contextmanager
def watched(bridge: Bridge, secret: str, faults: int = 1) -> Iterator[None]:
    """For the whole block `/livez` answers, and the log is short and without `secret`."""
    begun_at, already = time.monotonic(), len(bridge.log)
    pulse = _Pulse(bridge)
    pulse.start()
    try:
        yield
    finally:
        pulse.end()
    assert pulse.beats
    assert pulse.missed == []
    log = bridge.log[already:]
    before, traceback, after = log.partition("Traceback")
    assert not traceback, before[-500:] + traceback + after[:8000]
    assert secret not in log
    records = [line for line in log.splitlines() if _A_RECORD.match(line)]
    said = [line for line in records if not any(name in line for name in _ANSWERS)]
    most = RECORDS_PER_FAULT * faults + RECORDS_PER_SECOND * (time.monotonic() - begun_at)
    assert len(said) <= most, "\n".join((f"{len(said)}, which is more than {most:g}:", *said))
