"""Rows about what arrives: how fast it is stored and told, and what that costs others."""

from __future__ import annotations

import time
from collections.abc import Iterator

import orjson

from bench.clients import BareClient, HttpClient, percentile, timed
from bench.daemon import ACCOUNT, notification
from bench.listeners import Receiver, Told, bare_subscriber, websocket
from bench.stage import Bridge, Row, bridge

SENDS = 100
ROUNDS = 60
SLOW_SECONDS = 5.0


def steady_stream(running: Bridge, bare: BareClient, count: int = 20_000) -> Iterator[Row]:
    """One message a write, as fast as they are taken: all stored."""
    rate = _stored_per_second(running, bare, count)
    with bare_subscriber(bare.path) as told:  # it shares the daemon with the bridge
        began = time.perf_counter()
        bare.call("stream", {"first": count, "count": count, "every_ms": 0})
        told.wait_for(count)
        bare_rate = count / (time.perf_counter() - began)
    yield (
        f"steady stream of {count} committed",
        f"{rate:.0f}/s",
        f"a bare socket beside the bridge {bare_rate:.0f}/s; target 2000/s",
    )


def delays(running: Bridge, bare: BareClient, count: int = 1000) -> Iterator[Row]:
    """From signal-cli's line to each listener, at a hundred messages a second."""
    receiver = Receiver()
    _register(running, receiver)
    with websocket(running.port) as frames, bare_subscriber(bare.path) as raw:
        _warm_up(bare, frames, receiver, raw)
        bare.call("stream", {"first": 0, "count": count, "every_ms": 10})
        listeners: list[tuple[str, Told]] = [("WebSocket frame", frames), ("webhook", receiver)]
        for name, told in (*listeners, ("bare", raw)):
            told.wait_for(count)
            assert told.numbers == list(range(count)), f"{name}: not all in order"
    for name, told in listeners:
        for percent in (50, 99):
            alone = percentile(sorted(raw.delays_ms), percent)
            yield (
                f"line to {name}, p{percent}",
                f"{percentile(sorted(told.delays_ms), percent):.1f} ms",
                f"line to a bare socket {alone:.2f} ms",
            )


def webhook_rate(running: Bridge, bare: BareClient, count: int = 5000) -> Iterator[Row]:
    """Deliveries to one receiver that answers at once, and a bare client that posts the same."""
    receiver = Receiver()
    _register(running, receiver)
    _warm_up(bare, receiver)
    began = time.perf_counter()
    bare.call("push", {"first": 0, "count": count})
    receiver.wait_for(count)
    rate = count / (time.perf_counter() - began)
    good = receiver.numbers == list(range(count))
    yield (
        f"webhook deliveries, {count} to one receiver",
        f"{rate:.0f}/s",
        f"{'all, once, in order' if good else 'NOT all in order'}; "
        f"bare client {_bare_posts_per_second(count):.0f}/s; target 500/s",
    )


def sends_beside_a_slow_webhook(running: Bridge, bare: BareClient) -> Iterator[Row]:
    """Against another bridge without it, in turn, so that the machine's noise is in both."""
    receiver = Receiver(SLOW_SECONDS)
    _register(running, receiver)
    with_it: list[float] = []
    without: list[float] = []
    with bridge(BRIDGE_SIGNAL_CLI_RPC=f"unix:{bare.path}") as another:
        bare.call("push", {"first": 0, "count": 1000})
        receiver.wait_for(1)
        for _ in range(ROUNDS):
            with_it += _sends_ms(running)
            without += _sends_ms(another)
    slow, usual = (percentile(sorted(times), 99) for times in (with_it, without))
    yield (
        f"p99 of sends, a webhook takes {SLOW_SECONDS:.0f} s a message",
        f"{slow:.2f} ms",
        f"{slow / usual:.2f} x the {usual:.2f} ms without it; target 1.2 x",
    )


def memory_of_each(running: Bridge, bare: BareClient, count: int) -> Iterator[Row]:
    """Of each process, before and after messages that a webhook and a WebSocket are told of."""
    _register(running, Receiver())
    with websocket(running.port) as frames:
        before = running.pss_of_each()
        bare.call("stream", {"first": 0, "count": count, "every_ms": 0})
        frames.wait_for(count, seconds=600)
        after = running.pss_of_each()
    for (name, pss_before), (_, pss_after) in zip(before, after, strict=True):
        yield (
            f"memory of {name} after {count} messages (PSS)",
            f"{pss_after:.1f} MB",
            f"before {pss_before:.1f} MB",
        )
    total = sum(pss for _, pss in after)
    yield ("memory of the bridge then (PSS)", f"{total:.0f} MB", "target 110 MB")


def _warm_up(bare: BareClient, *listeners: Told) -> None:
    """A first message, of another number range: a new webhook is noticed within half a second."""
    bare.call("push", {"first": 1_000_000, "count": 1})
    for told in listeners:
        told.wait_for(1)
        told.forget()


def _stored_per_second(running: Bridge, bare: BareClient, count: int) -> float:
    began = time.perf_counter()
    bare.call("stream", {"first": 0, "count": count, "every_ms": 0})
    while running.committed() < count:
        time.sleep(0.02)
    return count / (time.perf_counter() - began)


def _bare_posts_per_second(count: int) -> float:
    """The same receiver, the same body, one after another on one connection."""
    client = HttpClient(Receiver().port)
    body = orjson.dumps(orjson.loads(notification(0))["params"]["result"])
    return count * 1000 / sum(timed(lambda: client.ask("POST", "/hook", body), count))


def _sends_ms(running: Bridge) -> list[float]:
    client = HttpClient(running.port)
    body = {"number": ACCOUNT, "recipients": ["+12025550101"], "message": "1"}
    times = timed(lambda: client.ask("POST", "/v2/send", orjson.dumps(body)), SENDS)
    client.close()
    return times


def _register(running: Bridge, receiver: Receiver) -> str:
    """The id of the new webhook."""
    body = orjson.dumps({"webhook": receiver.url})
    status, answer = HttpClient(running.port).ask("POST", f"/v1/receive/{ACCOUNT}", body)
    assert status == 201, answer
    return str(orjson.loads(answer)["id"])
