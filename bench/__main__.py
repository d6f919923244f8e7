"""Print the rows of the budget, of attacks, and what grows: `python -m bench [--growth | …]`.

Everything is on loopback and bounded. Times are noisy on a shared machine; compare with the bare
client's of the same run, and large with small.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator

import orjson

from bench import growth, hostile, kills, soak
from bench.clients import BareClient, HttpClient, in_threads, percentile, timed
from bench.daemon import ACCOUNT
from bench.growth import Sizes
from bench.receiving import (
    delays,
    memory_of_each,
    sends_beside_a_slow_webhook,
    steady_stream,
    webhook_rate,
)
from bench.stage import Bridge, Row, bridge, instant_daemon

MESSAGES = 20_000  # between looks at memory


def send_body(number: int) -> bytes:
    return orjson.dumps({"number": ACCOUNT, "recipients": ["+12025550101"], "message": str(number)})


def send(client: HttpClient, number: int) -> bool:
    """Whether the answer is the one to this very request."""
    status, body = client.ask("POST", "/v2/send", send_body(number))
    return status == 201 and orjson.loads(body)[0]["timestamp"] == str(number)


def reliability(running: Bridge, requests: int) -> Iterator[Row]:
    """Sequential, then 64 at once: none may hang, fail or get another's answer."""
    client = HttpClient(running.port)
    began = time.perf_counter()
    wrong = sum(not send(client, n) for n in range(requests))
    took = time.perf_counter() - began
    yield (f"wrong of {requests} sequential", str(wrong), f"target 0; {requests / took:.0f}/s")
    failures: list[int] = []

    def worker(worker_number: int) -> None:
        own = HttpClient(running.port)
        share = requests // 64
        failures.extend(
            n for n in range(share) if not send(own, 1_000_000 * (worker_number + 1) + n)
        )

    took = in_threads(64, worker)
    done = requests // 64 * 64
    yield (f"wrong of {done} by 64 at once", str(len(failures)), f"target 0; {done / took:.0f}/s")


def latency(running: Bridge, bare: BareClient, label: str, times: int = 3000) -> Iterator[Row]:
    """What the bridge adds to a call."""
    client = HttpClient(running.port)
    timed(lambda: client.ask("GET", "/v1/accounts"), 200)
    http = timed(lambda: client.ask("GET", "/v1/accounts"), times)
    raw = timed(lambda: bare.call("listAccounts"), times)
    for percent, target in ((50, "2 ms"), (99, "10 ms")):
        with_bridge, without = percentile(http, percent), percentile(raw, percent)
        yield (
            f"GET /v1/accounts on {label}, p{percent}",
            f"{with_bridge:.2f} ms",
            f"bare socket {without:.2f} ms, added {with_bridge - without:.2f}; target {target}",
        )


def throughput(running: Bridge, socket_path: str, seconds: float = 6) -> Iterator[Row]:
    """32 clients against a daemon that takes 50 ms: 640/s would be ideal."""

    def count(one: object) -> int:
        done = 0
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            one()  # type: ignore[operator]
            done += 1
        return done

    totals: list[int] = []

    def through_bridge(number: int) -> None:
        client = HttpClient(running.port)
        totals.append(count(lambda: send(client, number)))

    took = in_threads(32, through_bridge)
    rate = sum(totals) / took
    totals.clear()

    def bare(number: int) -> None:
        client = BareClient(socket_path)
        totals.append(count(lambda: client.call("send", {"message": str(number)})))

    took = in_threads(32, bare)
    yield (
        "sends/s, 32 clients, daemon takes 50 ms",
        f"{rate:.0f}/s",
        f"{rate / 640:.0%} of the ideal 640; bare sockets {sum(totals) / took:.0f}/s; target 85 %",
    )


def inbound(running: Bridge, bare: BareClient, count: int = 10_000) -> Iterator[Row]:
    """A burst in one write, nobody reading: all there afterwards, once, in order."""
    client = HttpClient(running.port)
    began = time.perf_counter()
    bare.call("push", {"first": 0, "count": count})
    newest = 1_700_000_000_000 + count - 1
    while running.committed() < count:
        time.sleep(0.02)
    took = time.perf_counter() - began
    _, body = client.ask("GET", f"/v1/receive/{ACCOUNT}?max_messages=499&timeout=0")
    seen = [event["envelope"]["timestamp"] for event in orjson.loads(body)]
    while seen[-1] != newest:
        _, body = client.ask("GET", f"/v1/receive/{ACCOUNT}?max_messages=499&timeout=0")
        seen += [event["envelope"]["timestamp"] for event in orjson.loads(body)]
    good = seen == [1_700_000_000_000 + n for n in range(count)]
    yield (
        f"burst of {count} committed",
        f"{count / took:.0f}/s",
        f"{'all, once, in order' if good else 'NOT all in order'}; target 2000/s",
    )


def memory(running: Bridge, label: str, target: str) -> Iterator[Row]:
    found = running.pss_mb()
    rows = f"bridge {found['bridge']:.0f} MB, {label} {found['signal-cli']:.0f} MB; target {target}"
    yield (f"memory with {label} (PSS)", f"{sum(found.values()):.0f} MB", rows)


def on_the_real_one() -> Iterator[Row]:
    program = os.environ.get("BRIDGE_SIGNAL_CLI") or ".signal-cli/bin/signal-cli"
    if not os.path.exists(program):
        yield ("real signal-cli", "not measured", "make signal-cli")
        return
    settings = {"MODE": "normal", "BRIDGE_SIGNAL_CLI": os.path.abspath(program)}
    with bridge(**settings) as running:
        yield ("ready with the real signal-cli", f"{running.ready_seconds:.1f} s", "target 10 s")
        bare = BareClient(str(running.home / "bridge" / "signal-cli.sock"))
        yield from latency(running, bare, "the real signal-cli", times=1000)
        yield from memory(running, "signal-cli", "110 MB bridge, 256 MB in all")


def rows(requests: int, messages: int) -> Iterator[Row]:
    with instant_daemon() as path, bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{path}") as running:
        yield ("HTTP open after start", f"{running.open_seconds:.2f} s", "target 1.5 s")
        yield from memory(running, "an instant daemon", "110 MB bridge")
        yield from latency(running, BareClient(path), "an instant daemon")
        yield from reliability(running, requests)
        yield from inbound(running, BareClient(path))
        yield from memory(running, "an instant daemon, afterwards", "110 MB bridge")
    with instant_daemon(50) as path, bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{path}") as running:
        yield from throughput(running, path)
    for measure in (steady_stream, delays, webhook_rate, sends_beside_a_slow_webhook):
        with instant_daemon() as path, bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{path}") as running:
            yield from measure(running, BareClient(path))
    with instant_daemon() as path, bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{path}") as running:
        yield from memory_of_each(running, BareClient(path), messages)
    yield from on_the_real_one()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left behind
    for line in _lines(_arguments()):
        print(line, flush=True)


def _lines(chosen: argparse.Namespace) -> Iterator[str]:
    """What was asked for: by default the budget, the attacks and what grows."""
    if chosen.kills:
        yield from kills.lines(chosen.messages or kills.MESSAGES, chosen.seed)
        return
    if chosen.soak:
        yield from soak.lines(chosen.soak)
        return
    if chosen.hostile:
        yield from hostile.lines()
        return
    if not chosen.growth:
        for name, value, remark in rows(chosen.requests, chosen.messages or MESSAGES):
            yield f"{name:48} {value:>14}   {remark}"
        yield from hostile.lines()
    yield from growth.lines(Sizes(many_events=chosen.events, many_webhooks=chosen.webhooks))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--growth", action="store_true", help="only what grows")
    parser.add_argument("--kills", action="store_true", help="only kills while messages flow")
    parser.add_argument("--hostile", action="store_true", help="only sends under each attack")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="only all attacks in turn, for so long"
    )
    parser.add_argument("--requests", type=int, default=20_000, help="requests of each kind")
    parser.add_argument("--messages", type=int, help="between looks at memory, or kills")
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the large feed")
    parser.add_argument("--webhooks", type=int, default=1_000, help="when there are many")
    parser.add_argument("--seed", type=int, default=1, help="decides the order of the kills")
    return parser.parse_args()


if __name__ == "__main__":
    main()
