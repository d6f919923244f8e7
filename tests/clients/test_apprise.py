"""apprise, unmodified: `signal://` URLs, behind which stand many tools that only notify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apprise
import pytest

from tests.clients.feed import received_text
from tests.clients.people import ANN, BOB, CYD, PNG, unique
from tests.support import Bridge, ScriptedDaemon


@pytest.fixture(scope="module")
def group(bridge: Bridge) -> str:
    made = bridge.post(f"/v1/groups/{ANN}", json={"name": "apprise", "members": [BOB]})
    return str(made.json()["id"])


def notify(bridge: Bridge, targets: str, text: str, query: str = "", **more: Any) -> bool:
    notifier = apprise.Apprise()
    place = bridge.url.removeprefix("http://")
    assert notifier.add(f"signal://{place}/{ANN}/{targets}/{query}")
    return bool(notifier.notify(body=text, **more))


def message(bridge: Bridge, number: str, text: str) -> dict[str, Any]:
    return received_text(bridge, number, text)["dataMessage"]  # type: ignore[no-any-return]


def test_a_notification_arrives_at_each_target(bridge: Bridge) -> None:
    text = unique("disk full")
    assert notify(bridge, f"{BOB}/{CYD}", text, title="Alert")
    assert message(bridge, BOB, text)["message"].startswith("Alert")
    assert message(bridge, CYD, text)


def test_a_batch_arrives_at_each_target(bridge: Bridge) -> None:
    text = unique("all at once")
    assert notify(bridge, f"{BOB}/{CYD}", text, "?batch=yes")
    assert message(bridge, BOB, text)
    assert message(bridge, CYD, text)


@pytest.mark.parametrize("spelling", ["{}", "@{}"])
def test_a_notification_arrives_in_a_group(bridge: Bridge, group: str, spelling: str) -> None:
    name = group if spelling == "{}" else group.removeprefix("group.")
    text = unique("to the group")
    assert notify(bridge, spelling.format(name), text)
    assert "groupInfo" in message(bridge, BOB, text)


def test_a_file_arrives(bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    text = unique("see this")
    assert notify(bridge, BOB, text, attach=str(tmp_path / "a.png"))
    (attachment,) = message(bridge, BOB, text)["attachments"]
    assert bridge.get(f"/v1/attachments/{attachment['id']}").content == PNG


def test_markdown_arrives_styled(bridge: Bridge) -> None:
    text = unique("markdown")
    written = f"**bold** a\\*b {text}"
    markdown = apprise.NotifyFormat.MARKDOWN
    assert notify(bridge, BOB, written, "?format=markdown", body_format=markdown)
    arrived = message(bridge, BOB, text)
    assert arrived["message"].replace("\u200b", "").startswith("bold a*b")
    assert [each["style"] for each in arrived["textStyles"]] == ["BOLD"]


def test_plain_text_keeps_its_stars(bridge: Bridge) -> None:
    text = unique("2 * 3 * `4` ~5~ **6**")
    assert notify(bridge, BOB, text)
    assert message(bridge, BOB, text)["message"] == text


def test_a_password_does_no_harm(bridge: Bridge) -> None:
    notifier = apprise.Apprise()
    place = bridge.url.removeprefix("http://")
    assert notifier.add(f"signal://me:secret@{place}/{ANN}/{BOB}")
    assert notifier.notify(body=unique("with a password"))


def test_a_refusal_is_a_failure(bridge: Bridge) -> None:
    assert not notify(bridge, "+12025559999", "to nobody")


def test_the_older_answer_is_a_success_too(older: Bridge, scripted: ScriptedDaemon) -> None:
    assert notify(older, BOB, "hello")
    assert scripted.asked("send")
