"""Messages that arrive while something is down: all of them are there afterwards, once."""

from __future__ import annotations

import signal

from tests.e2e.real_world import RealWorld
from tests.support import eventually

JVM = "org.asamk.signal.Main"
RESTART_SECONDS = 60.0


def say(world: RealWorld, what: str, count: int = 10) -> list[str]:
    texts = [f"{what} {index}" for index in range(count)]
    for text in texts:
        world.friend.say(text)
    return texts


def all_there_once(world: RealWorld, texts: list[str]) -> None:
    for text in texts:
        world.hears(lambda one, text=text: one.text == text, RESTART_SECONDS)
    world.reader.poll(seconds=2)
    came = [one.text for one in world.reader.all() if one.text in texts]
    assert came == texts


def test_while_signal_cli_is_down(real: RealWorld) -> None:
    before = real.bridge.child(JVM)
    before.kill()
    eventually(lambda: not before.is_alive())
    texts = say(real, "signal-cli is down")
    all_there_once(real, texts)
    assert real.bridge.child(JVM) != before


def test_while_the_bridge_is_down(real: RealWorld) -> None:
    real.bridge.stop()
    texts = say(real, "the bridge is down")
    real.bridge.start().wait_ready()
    all_there_once(real, texts)


def test_while_both_are_killed(real: RealWorld) -> None:
    """Nothing comes twice, either, of what was on its way in that instant.

    Some of that may be gone: signal-cli acknowledges a message before it hands it over, and does
    not hand over again what it has decrypted once.
    """
    in_flight = say(real, "just before the end")
    family = real.bridge.kill()
    eventually(lambda: not any(process.is_alive() for process in family))
    texts = say(real, "nobody is there")
    real.bridge.start().wait_ready()
    all_there_once(real, texts)
    came = [one.text for one in real.reader.all() if one.text in in_flight]
    assert came == [text for text in in_flight if text in came]


def test_while_signal_cli_hangs(real: RealWorld) -> None:
    """A stopped JVM still holds its connection, so the service believes it is there."""
    jvm = real.bridge.child(JVM)
    jvm.kill(signal.SIGSTOP)
    texts = say(real, "it hangs")
    jvm.kill(signal.SIGKILL)
    all_there_once(real, texts)


def test_what_is_sent_while_signal_cli_restarts_arrives(real: RealWorld) -> None:
    """A request waits for it for a while, or says at once that it should be tried again."""
    real.bridge.child(JVM).kill()

    def sent() -> bool:
        body = {"number": real.account, "recipients": [real.friend.number], "message": "back"}
        answer = real.bridge.post("/v2/send", json=body)
        assert answer.status_code in (201, 503), answer.text
        return answer.status_code == 201

    eventually(sent, RESTART_SECONDS)
    real.friend.hears_text("back")
