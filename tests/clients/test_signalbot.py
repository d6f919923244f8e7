"""signalbot, unmodified: a bot on a WebSocket, whose answers are parsed strictly.

It runs on a thread of its own; DAN is the bot's account, and ANN talks to it.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from signalbot import (
    Config,
    Context,
    CreatePoll,
    DataMessageContext,
    DataMessageHandler,
    GroupUpdateContext,
    GroupUpdateHandler,
    InMemoryConfig,
    ReactionContext,
    ReactionHandler,
    ReceiptType,
    RemoteDeleteContext,
    RemoteDeleteHandler,
    SendMessage,
    SignalBot,
    TypingContext,
    TypingHandler,
    UpdateContact,
    UpdateGroup,
)

from tests.clients.feed import Envelope, data_of, received
from tests.clients.people import ANN, BOB, CYD, DAN, PNG, unique, uuid_of
from tests.support import Bridge, eventually

SECONDS = 20
Found = TypeVar("Found")


class Recorder(
    DataMessageHandler, GroupUpdateHandler, ReactionHandler, RemoteDeleteHandler, TypingHandler
):
    """Everything that the bot was told. To "ping" it answers with a quote and a thumb."""

    def __init__(self) -> None:
        self.seen: list[Context[Any]] = []

    async def handle_data_message(self, context: DataMessageContext) -> None:
        self.seen.append(context)
        if (context.message.text or "").startswith("ping"):
            await context.start_typing()
            await context.reply(SendMessage(text=f"pong {context.message.text}"))
            await context.react("\N{THUMBS UP SIGN}")
            await context.send_receipt(ReceiptType.READ)
            await context.stop_typing()

    async def handle_reaction(self, context: ReactionContext) -> None:
        self.seen.append(context)

    async def handle_remote_delete(self, context: RemoteDeleteContext) -> None:
        self.seen.append(context)

    async def handle_typing(self, context: TypingContext) -> None:
        self.seen.append(context)

    async def handle_group_update(self, context: GroupUpdateContext) -> None:
        self.seen.append(context)


class Running:
    """A bot that runs, for as long as the block does."""

    def __init__(self, bridge: Bridge) -> None:
        self.recorder = Recorder()
        self._config = Config(
            phone_number=DAN,
            signal_service=f"127.0.0.1:{bridge.port}",
            storage=InMemoryConfig(),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bot", daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        self.bot = self.run(self._started())
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.bot.stop(), self._loop)
        self._thread.join(SECONDS)

    async def _started(self) -> SignalBot:
        bot = SignalBot(self._config)
        bot.register(self.recorder)
        bot.start(run_forever=False)
        await bot.wait_until_ready()
        return bot

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def told(self, kind: type[Context[Any]], wanted: Callable[[Any], bool]) -> Any:
        """The message of the first context of that kind that is `wanted`."""

        def found() -> Any:
            messages = [each.message for each in self.recorder.seen if isinstance(each, kind)]
            return next(filter(wanted, messages), None)

        return eventually(found, SECONDS, f"a {kind.__name__} among {self.recorder.seen}")

    def told_text(self, text: str) -> Any:
        return self.told(DataMessageContext, lambda message: message.text == text)


@pytest.fixture(scope="module")
def group(bridge: Bridge) -> str:
    made = bridge.post(f"/v1/groups/{ANN}", json={"name": "signalbot", "members": [DAN]})
    group_id = str(made.json()["id"])
    bridge.post(f"/v1/groups/{ANN}/{group_id}/admins", json={"admins": [DAN]})
    return group_id


@pytest.fixture(scope="module")
def running(bridge: Bridge, group: str) -> Iterator[Running]:
    """Started like most bots are: it tries https first, and finds the version good enough."""
    with Running(bridge) as running:
        yield running


def say(bridge: Bridge, text: str, to: str = DAN, **more: Any) -> int:
    body = {"number": ANN, "recipients": [to], "message": text, **more}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()[0]["timestamp"])


def heard(bridge: Bridge, wanted: Callable[[Envelope], Any]) -> Envelope:
    """What ANN gets of the bot."""
    return received(bridge, ANN, lambda e: e.get("source") == DAN and wanted(e))


def heard_text(bridge: Bridge, text: str) -> Envelope:
    return heard(bridge, lambda envelope: text in str(data_of(envelope).get("message")))


def test_a_bot_that_is_written_to_answers(running: Running, bridge: Bridge) -> None:
    text = unique("ping")
    timestamp = say(bridge, text)
    answer = heard_text(bridge, f"pong {text}")
    assert answer["source"] == DAN
    assert answer["dataMessage"]["quote"]["id"] == timestamp
    assert answer["dataMessage"]["quote"]["text"] == text
    thumb = heard(bridge, lambda envelope: data_of(envelope).get("reaction"))
    assert thumb["dataMessage"]["reaction"]["targetSentTimestamp"] == timestamp


def test_it_is_told_what_else_happens(running: Running, bridge: Bridge) -> None:
    timestamp = say(bridge, text := unique("to be changed"))
    about = {"recipient": DAN, "timestamp": timestamp}
    say(bridge, edited := unique("changed"), edit_timestamp=timestamp)
    reaction = about | {"reaction": "\N{RED APPLE}", "target_author": ANN}
    bridge.post(f"/v1/reactions/{ANN}", json=reaction)
    bridge.put(f"/v1/typing-indicator/{ANN}", json={"recipient": DAN})
    bridge.delete(f"/v1/remote-delete/{ANN}", json=about)
    running.told_text(text)
    running.told_text(edited)
    running.told(ReactionContext, lambda reaction: reaction.emoji == "\N{RED APPLE}")
    running.told(TypingContext, lambda typing: typing.source_number == ANN)
    running.told(RemoteDeleteContext, lambda delete: True)


def test_a_file_is_there_when_the_bot_is_told_of_it(running: Running, bridge: Bridge) -> None:
    """It downloads each before the handler runs, and wants to know whether it is a voice note."""
    picture = base64.b64encode(PNG).decode()
    say(bridge, text := unique("a picture"), base64_attachments=[picture])
    message = running.told_text(text)
    assert message.attachments[0].base64_content == picture
    running.run(running.bot.attachments.delete(message.attachments[0]))
    name = message.attachments[0].local_filename
    assert bridge.get(f"/v1/attachments/{name}").status_code == 404


def test_it_sends_edits_and_deletes(running: Running, bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    message = SendMessage(text=unique("mine"), attachments=[str(tmp_path / "a.png")])
    sent = running.run(running.bot.messages.send(message, ANN))
    first = heard_text(bridge, message.text or "")
    assert first["timestamp"] == sent.timestamp
    file = first["dataMessage"]["attachments"][0]["id"]
    assert bridge.get(f"/v1/attachments/{file}").content == PNG
    running.run(running.bot.messages.edit(SendMessage(text="better"), sent))
    edit = heard(bridge, lambda envelope: envelope.get("editMessage"))["editMessage"]
    assert edit["targetSentTimestamp"] == sent.timestamp
    running.run(running.bot.messages.remote_delete(sent))
    gone = heard(bridge, lambda envelope: data_of(envelope).get("remoteDelete"))
    assert gone["dataMessage"]["remoteDelete"]["timestamp"] == sent.timestamp


def test_it_sends_to_a_uuid(running: Running, bridge: Bridge) -> None:
    """Its replies go to the sender's UUID."""
    text = unique("by uuid")
    running.run(running.bot.messages.send(SendMessage(text=text), uuid_of(bridge, ANN)))
    assert heard_text(bridge, text)


def test_it_sends_to_one_of_many_and_stumbles_over_two(running: Running, bridge: Bridge) -> None:
    """Its own defect: it expects an entry for each number, and no server gives more than one."""
    message = SendMessage(text=unique("to several"))
    assert len(running.run(running.bot.messages.send_multiple(message, [ANN]))) == 1
    with pytest.raises(ValueError, match="zip"):
        running.run(running.bot.messages.send_multiple(message, [ANN, BOB]))


def test_it_asks_a_question(running: Running, bridge: Bridge, group: str) -> None:
    poll = CreatePoll(question=unique("well?"), answers=["yes", "no"])
    created = running.run(running.bot.polls.create(poll, group))
    asked = heard(bridge, lambda envelope: data_of(envelope).get("pollCreate"))
    assert asked["dataMessage"]["pollCreate"]["question"] == poll.question
    assert asked["timestamp"] == created.timestamp


def test_it_manages_a_group(running: Running, bridge: Bridge, group: str) -> None:
    bot = running.bot
    assert group in [each.id for each in bot.groups]
    change = UpdateGroup(name="by the bot", description="d", avatar=base64.b64encode(PNG).decode())
    running.run(bot.groups.actions.update(change, group))
    shown = bridge.get(f"/v1/groups/{ANN}/{group}").json()
    assert (shown["name"], shown["description"]) == ("by the bot", "d")
    running.run(bot.groups.refresh())
    running.run(bot.messages.send(SendMessage(text=(text := unique("by name"))), "by the bot"))
    in_group = heard_text(bridge, text)["dataMessage"]["groupInfo"]
    assert in_group["groupId"] == shown["internal_id"]


def test_it_hears_of_changes_in_a_group(running: Running, bridge: Bridge, group: str) -> None:
    bridge.post(f"/v1/groups/{ANN}/{group}/members", json={"members": [CYD]})
    running.told(GroupUpdateContext, lambda update: True)
    say(bridge, text := unique("in the group"), to=group)
    assert running.told_text(text).is_group()


def test_it_names_a_contact(running: Running, bridge: Bridge) -> None:
    name = unique("Ann")
    running.run(running.bot.contacts.update(UpdateContact(name=name), ANN))
    assert bridge.get(f"/v1/contacts/{DAN}/{ANN}").json()["name"] == name


def test_it_reads_about_the_bridge(running: Running) -> None:
    about = running.run(running.bot.general.about())
    assert (about.mode, about.version) == ("json-rpc", "0.101.0")
