"""The table of webhooks: making, changing, limits, rotation, and what a courier writes."""

from __future__ import annotations

import contextlib
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from signal_bridge.delivery.webhooks import registry
from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.registry import ENV_ID, MOST_PER_ACCOUNT, Registry
from signal_bridge.delivery.webhooks.webhook import shown_url
from signal_bridge.errors import NotFound, RequestError
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS
from signal_bridge.store.tables import webhooks
from tests.webhooks.conftest import ACCOUNT, Desk
from tests.webhooks.test_signature import SECRET

URL = "http://127.0.0.1:9000/hook"


def test_a_new_webhook_begins_with_what_comes(desk: Desk) -> None:
    desk.tell("before", "before")
    webhook, is_new = desk.registry.create(ACCOUNT, {"url": URL})
    assert is_new
    assert webhook.id.startswith("wh_")
    assert webhook.position == 2
    assert webhook.secret.startswith("whsec_")
    assert webhook.filter.kinds == SIGNAL_KINDS


def test_the_same_url_again_is_the_same_webhook(desk: Desk) -> None:
    first = desk.register(URL, name="one", types=["message"])
    again, is_new = desk.registry.create(ACCOUNT, {"url": URL, "types": ["receipt"]})
    assert not is_new
    assert (again.id, again.name, again.types) == (first.id, "one", ("receipt",))
    assert again.secret == first.secret
    assert desk.register(URL, account="+1").id != first.id


def test_registering_again_ends_a_disablement_but_no_pause(desk: Desk) -> None:
    webhook = desk.register(URL)
    desk.registry.change(ACCOUNT, webhook.id, {}, paused=True)
    assert desk.register(URL).state == "paused"
    with desk.store.write() as connection:
        connection.execute(sa.update(webhooks).values(state="disabled", detail="gone", attempt=3))
    again = desk.register(URL)
    assert (again.state, again.detail, again.attempt) == ("active", "", 0)


def test_a_new_secret_leaves_the_old_one_for_a_day(desk: Desk) -> None:
    webhook = desk.register(URL)
    changed = desk.registry.change(ACCOUNT, webhook.id, {"secret": SECRET})
    now_ms = webhook.created_ms
    assert changed.signing_secrets(now_ms) == [SECRET, webhook.secret]
    assert changed.signing_secrets(now_ms + 25 * 3600 * 1000) == [SECRET]
    same = desk.registry.change(ACCOUNT, webhook.id, {"secret": SECRET})
    assert same.old_secret == webhook.secret


def test_a_webhook_of_another_account_is_not_found(desk: Desk) -> None:
    webhook = desk.register(URL)
    for ask in (
        lambda: desk.registry.get("+1", webhook.id),
        lambda: desk.registry.change("+1", webhook.id, {}),
        lambda: desk.registry.delete("+1", webhook.id),
        lambda: desk.registry.attempts("+1", webhook.id),
        lambda: desk.registry.list_parked("+1", webhook.id),
        lambda: desk.registry.replay_since("+1", webhook.id, 1),
        lambda: desk.registry.replay_parked("+1", webhook.id),
    ):
        with pytest.raises(NotFound):
            ask()
    desk.registry.delete(ACCOUNT, webhook.id)
    with pytest.raises(NotFound):
        desk.get(webhook)


def test_there_is_a_limit_per_account_and_in_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MOST", 3 * MOST_PER_ACCOUNT)
    for number in range(3):
        for index in range(MOST_PER_ACCOUNT):
            desk.register(f"{URL}/{index}", account=f"+{number}")
        with pytest.raises(RequestError, match="20 webhooks"):
            desk.register(f"{URL}/more", account=f"+{number}")
    with pytest.raises(RequestError, match="60 webhooks"):
        desk.register(URL, account="+999")
    assert len(desk.registry.list_all("+0")) == MOST_PER_ACCOUNT
    desk.register(f"{URL}/0", account="+0", name="known")


def test_one_url_registered_by_many_at_once_is_one_webhook(desk: Desk) -> None:
    with ThreadPoolExecutor(12) as threads:
        made = list(threads.map(lambda _: desk.registry.create(ACCOUNT, {"url": URL}), range(24)))
    assert {webhook.id for webhook, _is_new in made} == {made[0][0].id}
    assert [is_new for _webhook, is_new in made].count(True) == 1


def test_many_at_once_keep_to_the_limit(desk: Desk) -> None:
    def register(number: int) -> bool:
        with contextlib.suppress(RequestError):
            return bool(desk.register(f"{URL}/{number}"))
        return False

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(register, range(36))) == MOST_PER_ACCOUNT


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    webhook = desk.register(URL, name="bot", types=["message"], senders=["+1"])
    again = desk.register(URL, name="bot", types=["message"], senders=["+1"])
    assert again == webhook
    assert desk.get(webhook) == webhook


def test_two_webhooks_of_an_account_cannot_have_one_url(desk: Desk) -> None:
    webhook = desk.register(URL)
    other = desk.register(URL + "/other")
    with pytest.raises(RequestError, match="has this URL"):
        desk.registry.change(ACCOUNT, other.id, {"url": URL})
    desk.registry.change(ACCOUNT, webhook.id, {"url": URL, "name": "same"})


@pytest.mark.parametrize(
    "fields",
    [
        {"url": ""},
        {"url": "ftp://host/"},
        {"url": "127.0.0.1:9000/hook"},
        {"url": "http:///hook"},
        {"url": "http://host:0/"},
        {"url": "http://host:99999/"},
        {"url": "http://host:port/"},
        {"url": "http://[::1/"},
        {"url": "http://ho st/"},
        {"url": "http://host/\r\nX: y"},
        {"url": "http://host/" + "x" * 2048},
        {"url": "http://169.254.169.254/latest/meta-data"},
        {"url": "http://[fe80::1]/"},
        {"url": "http://0.0.0.0:80/"},
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"senders": ["+1\0"]},
        {"types": ["message\0"]},
        {"headers": {"X": "a\0b"}},
        {"secret": "whsec_\0"},
        {"url": "http://host/\ud800"},
        {"types": ["mesage"]},
        {"types": ["message"] * 101},
        {"senders": ["x" * 201]},
        {"format": "xml"},
        {"secret": "whsec_short"},
        {"headers": {"Host": "elsewhere"}},
        {"headers": {"Content-Length": "1"}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {"Webhook-Signature": "v1,"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"X Y": "z"}},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"X": ""}},
        {"headers": {"X": "ü"}},
        {"headers": {f"X-{number}": "y" for number in range(21)}},
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(desk: Desk, fields: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        desk.registry.create(ACCOUNT, {"url": URL, **fields})
    assert len(str(caught.value)) > 20
    assert desk.registry.list_all(ACCOUNT) == []


def test_rules_apply_to_literal_addresses(desk: Desk) -> None:
    denying = Registry(desk.store, Rules(deny=(ipaddress.ip_network("127.0.0.0/8"),)))
    with pytest.raises(RequestError, match="BRIDGE_WEBHOOK_DENY"):
        denying.create(ACCOUNT, {"url": URL})


def test_the_peers_format_tells_only_what_signal_cli_said(desk: Desk) -> None:
    everything = desk.register(URL, types=["*"])
    assert everything.filter.kinds == (*SIGNAL_KINDS, *OWN_KINDS)
    as_the_peer = desk.register(URL + "/peer", types=["*"], format="jsonrpc")
    assert as_the_peer.filter.kinds == SIGNAL_KINDS


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a/b?c=d", "http://a/b?c=d"),
        ("http://bot@a/", "http://bot@a/"),
        ("https://bot:geheim@a:81/b", "https://bot:***@a:81/b"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_nothing_secret_is_in_its_repr(desk: Desk) -> None:
    url = "http://bot:geheim@host/?token=geheim"
    webhook = desk.register(url, secret=SECRET, headers={"X": "geheim"})
    assert "geheim" not in repr(webhook)
    assert SECRET not in repr(webhook)


def test_the_webhook_of_the_environment(desk: Desk) -> None:
    desk.tell("before")
    webhook = desk.registry.set_env(URL)
    assert webhook is not None
    assert (webhook.id, webhook.account, webhook.format) == (ENV_ID, "*", "jsonrpc")
    assert (webhook.position, webhook.signing_secrets(0)) == (1, [])
    desk.tell("meanwhile")
    desk.registry.change("*", ENV_ID, {}, paused=True)
    assert desk.registry.set_env(URL) == desk.get(webhook)
    assert desk.get(webhook).state == "paused"
    moved = desk.registry.set_env(URL + "/new")
    assert moved is not None
    assert (moved.url, moved.state, moved.position) == (URL + "/new", "active", 1)
    assert desk.registry.set_env(None) is None
    assert desk.registry.list_all("*") == []


def test_a_url_registered_for_all_accounts_is_enough(desk: Desk) -> None:
    own = desk.register(URL, account="*")
    assert desk.registry.set_env(URL) == own
    assert desk.registry.list_all("*") == [own]


def test_the_setting_is_checked_like_any_url(desk: Desk) -> None:
    with pytest.raises(RequestError):
        desk.registry.set_env("http://169.254.169.254/")


@pytest.mark.parametrize("since", [-(2**63), -1, 0, 1, 2, 3, 99, 2**63 - 1])
def test_a_replay_begins_within_the_feed(desk: Desk, since: int) -> None:
    desk.tell("1", "2")
    webhook = desk.register(URL)
    moved = desk.registry.replay_since(ACCOUNT, webhook.id, since)
    assert moved.position == max(0, min(since - 1, 2))
