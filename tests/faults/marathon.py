"""Messages flow, and again and again a process of the bridge is killed, or its database is.

    a scripted signal-cli ──► serve ── Gunicorn ── two workers ──► a webhook, a stream, a poll

Who reads is never far behind who writes, so that everybody is in the middle when somebody is
killed. `run` tells in the end what was lost, doubled or out of order, and for how long nothing
came to somebody.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import requests

from tests.conftest import ACCOUNT
from tests.faults.conftest import RETRY_SECONDS
from tests.faults.consumers import (
    Consumer,
    Hook,
    Poller,
    Seen,
    SseClient,
    delivered,
    differing,
    first_times,
)
from tests.faults.source import Source, stored
from tests.support import Bridge, ScriptedDaemon
from tests.support.databases import POSTGRESQL
from tests.support.postgres import DURABLE, Server, own_server
from tests.webhooks.receiver import Answer, Post, Receiver

WORKERS = 2
SERVE, MASTER, WORKER, CONNECTION, DATABASE = VICTIMS = (
    "serve", "Gunicorn's master", "a worker", "signal-cli's connection", "the database",
)  # fmt: skip
# What a webhook has been sent and the bridge has not yet written down: two groups of fifty.
MOST_DOUBLES = 100
# A page of the poll, which comes again when the bridge could not write down that it had gone.
PAGE = 200
# To nobody who is behind nothing comes for so long.
HUNG_SECONDS = 60.0
ANSWER_SECONDS = 20.0
_LOOK_SECONDS = 0.02
_PULSE_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Plan:
    """So many messages, and who is killed on the way, in that order. Chance begins at `seed`."""

    messages: int
    victims: Sequence[str]
    seed: int


def plan(kind: str, messages: int, kills: int, seed: int) -> Plan:
    """Everybody in turn, in an order by chance; of twenty kills of PostgreSQL's bridge two are
    of the database."""
    restarts = max(1, kills // 10) if kind == POSTGRESQL else 0
    processes = [SERVE, MASTER, WORKER, CONNECTION]
    victims = [DATABASE] * restarts + list(
        itertools.islice(itertools.cycle(processes), kills - restarts)
    )
    random.Random(seed).shuffle(victims)
    return Plan(messages, victims, seed)


@dataclasses.dataclass
class Result:
    """What became of it. `problems` are sentences; without one all went as it should."""

    seconds: float = 0.0
    kills: int = 0
    stored: int = 0
    lost: dict[str, int] = dataclasses.field(default_factory=dict)
    doubled: dict[str, int] = dataclasses.field(default_factory=dict)
    # The longest time for which nothing came to a reader that was behind, and after whose kill.
    silence: dict[str, tuple[float, str]] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)


def run(kind: str, planned: Plan) -> Result:
    """From the first message to a clean stop of the bridge."""
    with _stage(kind) as marathon:
        began = time.monotonic()
        marathon.run(planned)
        marathon.check(planned)
        marathon.result.seconds = time.monotonic() - began
        return marathon.result


@contextlib.contextmanager
def _stage(kind: str) -> Iterator[Marathon]:
    with contextlib.ExitStack() as stack:
        server, settings = None, {}
        if kind == POSTGRESQL:
            server = stack.enter_context(own_server(options=DURABLE))
            name = stack.enter_context(server.database())
            settings = {"BRIDGE_DATABASE_URL": server.url(name)}
        daemon = stack.enter_context(ScriptedDaemon(accounts=[ACCOUNT]))
        bridge = Bridge(
            MODE="json-rpc",
            BRIDGE_SIGNAL_CLI_RPC=daemon.address,
            BRIDGE_WORKERS=WORKERS,
            BRIDGE_WEBHOOK_RETRY_SECONDS=RETRY_SECONDS,
            **settings,
        )
        source = Source(daemon, bridge)
        stack.enter_context(bridge)
        stack.enter_context(source)
        yield stack.enter_context(Marathon(bridge, daemon, source, server))


class Marathon:
    """As a context manager everybody reads, from the beginning to the end of the block."""

    def __init__(
        self, bridge: Bridge, daemon: ScriptedDaemon, source: Source, server: Server | None
    ) -> None:
        self.result = Result()
        self._chance = random.Random()
        self._bridge = bridge
        self._daemon = daemon
        self._source = source
        self._server = server
        self._clients: list[Consumer] = [SseClient(bridge), Poller(bridge)]
        self._pulse = _Pulse(bridge)
        # How many deliveries there had been when what remembers them was killed.
        self._forgot_at: list[int] = []
        self._killed = "nobody"
        self._quiet_since: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def __enter__(self) -> Marathon:
        self._bridge.wait_ready()
        self._hook = NotingHook(self._bridge)
        for client in self._clients:
            client.start()
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pulse.end()
        for one in (*self._clients, self._hook):
            one.stop()

    # -- on the way ----------------------------------------------------------------------------

    def run(self, planned: Plan) -> None:
        """Raises AssertionError when something does not come to an end."""
        self._chance.seed(planned.seed)
        step = planned.messages // (len(planned.victims) + 1)
        for number, victim in enumerate(planned.victims, 1):
            self._source.allow(min(planned.messages, (number + 1) * step))
            self._wait_for(number * step)
            self._kill(victim)
        self._source.allow(planned.messages)
        self._wait_for(planned.messages)
        self._bridge.wait_ready()

    def _kill(self, victim: str) -> None:
        self.result.kills += 1
        self._killed = victim
        if victim in (SERVE, DATABASE):
            self._forgot_at.append(len(self._hook.seen))
        kills: dict[str, Callable[[], object]] = {
            SERVE: self._kill_serve,
            MASTER: lambda: self._bridge.child("gunicorn").kill(),
            WORKER: self._kill_a_worker,
            CONNECTION: self._daemon.drop_connections,
            DATABASE: self._kill_the_database,
        }
        kills[victim]()

    def _kill_serve(self) -> None:
        """Whoever runs it starts it again."""
        self._bridge.kill()
        self._bridge.start()

    def _kill_a_worker(self) -> None:
        master = self._bridge.child("gunicorn")
        workers = [one for one in self._bridge.children() if one.parent_pid == master.pid]
        if workers:
            self._chance.choice(workers).kill()

    def _kill_the_database(self) -> None:
        assert self._server, "only PostgreSQL is a process"
        self._server.restart("immediate")

    def _wait_for(self, count: int) -> None:
        """Until everybody has all messages below `count`."""
        self._quiet_since = dict.fromkeys(self._readers(), time.monotonic())
        while behind := [name for name, seen in self._readers().items() if not _has(seen, count)]:
            self._note_silence(behind)
            time.sleep(_LOOK_SECONDS)

    def _note_silence(self, behind: Sequence[str]) -> None:
        now = time.monotonic()
        for name, seen in self._readers().items():
            if len(seen) != self._counts.get(name) or name not in behind:
                self._counts[name] = len(seen)
                self._quiet_since[name] = now
            quiet_seconds = now - self._quiet_since[name]
            longest = self.result.silence
            longest[name] = max(longest.get(name, (0.0, "")), (quiet_seconds, self._killed))
            assert quiet_seconds < HUNG_SECONDS, (
                f"nothing has come to the {name} for {HUNG_SECONDS:g} s after "
                f"{len(seen)} messages; the end of the bridge's log:\n{self._bridge.log[-3000:]}"
            )

    def _readers(self) -> dict[str, list[Seen]]:
        stream, poll = self._clients
        return {"webhook": self._hook.seen, "stream": stream.seen, "poll": poll.seen}

    # -- in the end ----------------------------------------------------------------------------

    def check(self, planned: Plan) -> None:
        everything = list(range(planned.messages))
        in_table = stored(self._bridge)
        self.result.stored = len(in_table)
        self.result.lost["table"] = len(set(everything) - set(in_table))
        self._must(in_table == everything, "the table has not every message once, in order")
        for name, seen in self._readers().items():
            self._check_reader(name, seen, everything)
        self._check_doubles(len(planned.victims))
        self._pulse.end()
        hung = self._pulse.hung
        self._must(not hung, f"{len(hung)} requests hung: {hung[:3]}")
        self._must("Traceback" not in self._bridge.log, self._traceback())
        self._bridge.stop()

    def _check_reader(self, name: str, seen: list[Seen], everything: list[int]) -> None:
        first = first_times(seen)
        self.result.lost[name] = len(set(everything) - set(first))
        self.result.doubled[name] = len(seen) - len(first)
        self._must(first == everything, f"the {name} has not every message, in order")
        self._must(not differing(seen), f"what came twice to the {name} was not the same")

    def _check_doubles(self, kills: int) -> None:
        readers = self._readers()
        self._must(not self.result.doubled["stream"], "the stream had something twice")
        again = steps(readers["poll"])
        self._must(len(again) <= kills, f"the poll went back {len(again)} times")
        self._must(all(length <= PAGE for _at, length in again), f"the poll went back {again}")
        again = steps(readers["webhook"])
        blamed = [max((f for f in self._forgot_at if f <= at), default=None) for at, _ in again]
        self._must(
            None not in blamed and len(set(blamed)) == len(blamed),
            f"the webhook went back at {again}, and what remembers was killed at {self._forgot_at}",
        )
        self._must(
            all(length <= MOST_DOUBLES for _at, length in again), f"the webhook went back {again}"
        )

    def _traceback(self) -> str:
        _before, found, after = self._bridge.log.partition("Traceback")
        return f"a traceback in the log: {found}{after[:3000]}"

    def _must(self, condition: bool, sentence: str) -> None:
        if not condition:
            self.result.problems.append(sentence)


def steps(seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """Where something came again: after how many, and how far it went back."""
    pairs = enumerate(itertools.pairwise(seen), 1)
    return [
        (at, before.number + 1 - after.number)
        for at, (before, after) in pairs
        if after.number <= before.number
    ]


def _has(seen: Sequence[Seen], count: int) -> bool:
    return bool(seen) and seen[-1].number >= count - 1


class NotingHook(Hook):
    """Keeps what it has seen, and not the posts."""

    def __init__(self, bridge: Bridge) -> None:
        self._seen: list[Seen] = []
        super().__init__(bridge)

    @property
    def seen(self) -> list[Seen]:
        return self._seen

    def make_receiver(self, port: int = 0) -> Receiver:
        return _NotingReceiver(self._seen, port)


class _NotingReceiver(Receiver):
    def __init__(self, seen: list[Seen], port: int) -> None:
        self._seen = seen
        super().__init__(port)

    def take(self, post: Post) -> Answer:
        self._seen.append(delivered(post))  # of one webhook one delivery is on its way at a time
        return self.otherwise


class _Pulse(threading.Thread):
    """Asks again and again. No answer may be the answer, while somebody is dead; silence not."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(name="pulse", daemon=True)
        self.hung: list[str] = []
        self._bridge = bridge
        self._done = threading.Event()

    def run(self) -> None:
        paths = itertools.cycle(["/livez", "/v1/health", "/v1/events?limit=1"])
        while not self._done.wait(_PULSE_SECONDS):
            path = next(paths)
            try:
                self._bridge.get(path, timeout=ANSWER_SECONDS)
            except requests.Timeout:
                self.hung.append(path)
            except requests.RequestException:
                pass

    def end(self) -> None:
        self._done.set()
        self.join(2 * ANSWER_SECONDS)
