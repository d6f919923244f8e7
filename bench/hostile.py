"""What an honest client has of the bridge while hostile ones are at it, attack after attack.

make bench ARGS=--hostile

Each attack has a bridge of its own. The same client sends before it and during it, from another
address of loopback than the hostile clients (but for one attack); so the noise of the machine is in
both. The attacks stand in bench/attacks/table.py.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.attacks.__main__ import THERE
from bench.attacks.table import ATTACKS, Attack
from bench.clients import HttpClient, percentile
from bench.daemon import ACCOUNT, account
from bench.stage import ROOT, bridge, instant_daemon

MOST_RATIO = 3.0
_WARM_UP_SECONDS = 2.0
_SECONDS = 8.0  # of each of the two measurements
_PACE_SECONDS = 0.02  # between two sends: the machine has time for the attack, too
_NEW_CONNECTION_EVERY = 10  # sends: whoever comes anew has to be let in
_ANSWER_SECONDS = 10.0  # after which a send has failed
# Instant answers, and the routes of signal-cli's own dialect.
_MODE = {"MODE": "json-rpc"}


@dataclass(frozen=True)
class Sends:
    """How long each took, sorted, those that failed with them."""

    times_ms: list[float]
    failed: int


@dataclass(frozen=True)
class Outcome:
    """One attack: what an honest client got without it and during it."""

    attack: Attack
    without: Sends
    during: Sends
    fared: str  # the hostile connections

    @property
    def ratio(self) -> float:
        return percentile(self.during.times_ms, 99) / percentile(self.without.times_ms, 99)

    @property
    def is_held(self) -> bool:
        return self.ratio <= MOST_RATIO and not self.during.failed

    def __str__(self) -> str:
        without, during = (
            f"{percentile(sends.times_ms, 50):.2f} / {percentile(sends.times_ms, 99):.2f} ms"
            for sends in (self.without, self.during)
        )
        failed = f"{self.during.failed} of {len(self.during.times_ms)}"
        row = f"{self.attack.name:44} {self.attack.connections:>5} {without:>19} {during:>21}"
        verdict = "yes" if self.is_held else "NO"
        return f"{row} {self.ratio:7.1f} x {failed:>9}  {verdict:3}  {self.fared}"


def lines() -> Iterator[str]:
    """The table, line by line as it is found."""
    yield (
        f"\n{'sends of an honest client, p50 / p99':44} {'conn.':>5} {'without':>19} {'during':>21}"
        f" {'p99':>9} {'failed':>9}  within {MOST_RATIO:g} x and none failed; hostile connections"
    )
    broken = []
    for attack in ATTACKS:
        outcome = _outcome(attack)
        yield str(outcome)
        broken += [] if outcome.is_held else [attack.name]
    yield (
        f"\n{len(ATTACKS) - len(broken)} of {len(ATTACKS)} attacks are held"
        + "".join(f"\n  not {name}" for name in broken)
    )


@contextlib.contextmanager
def under(attack: Attack, port: int, data_dir: Path, seconds: float) -> Iterator[list[str]]:
    """The attack is on within the block; the list then holds how its connections fared."""
    argv = [sys.executable, "-m", "bench.attacks", attack.name, str(port), str(data_dir)]
    child = subprocess.Popen([*argv, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    fared: list[str] = []
    assert child.stdout
    try:
        if child.stdout.readline().strip() != THERE:
            raise RuntimeError(f"{attack.name}: the hostile clients did not come about")
        yield fared
    finally:
        child.terminate()
        fared.append(child.stdout.read().strip())
        child.stdout.close()
        child.wait()


def _outcome(attack: Attack) -> Outcome:
    with (
        instant_daemon(accounts=4) as path,
        bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{path}", **_MODE) as running,
    ):
        _sends(running.port, _WARM_UP_SECONDS)
        without = _sends(running.port, _SECONDS)
        limit_seconds = _SECONDS + _ANSWER_SECONDS + 60
        with under(attack, running.port, running.home, limit_seconds) as fared:
            during = _sends(running.port, _SECONDS)
    return Outcome(attack, without, during, fared[0])


def _sends(port: int, seconds: float) -> Sends:
    """At a pace, mostly on one connection that is kept."""
    times_ms = []
    failed = 0
    client: HttpClient | None = None
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        number = len(times_ms)
        began = time.perf_counter()
        try:
            if client is None or number % _NEW_CONNECTION_EVERY == 0:
                _closed(client)
                client = HttpClient(port, _ANSWER_SECONDS)
            _send(client, number)
        except (OSError, RuntimeError):
            failed += 1
            client = _closed(client)
        times_ms.append((time.perf_counter() - began) * 1000)
        time.sleep(_PACE_SECONDS)
    _closed(client)
    return Sends(sorted(times_ms), failed)


def _send(client: HttpClient, number: int) -> None:
    """Raises RuntimeError for an answer that is none to this."""
    body = {"number": ACCOUNT, "recipients": [account(1)], "message": str(number)}
    status, answer = client.ask("POST", "/v2/send", orjson.dumps(body))
    if status != 201 or orjson.loads(answer)[0]["timestamp"] != str(number):
        raise RuntimeError(f"{status} {answer[:200]!r}")


def _closed(client: HttpClient | None) -> None:
    if client is not None:
        client.close()
