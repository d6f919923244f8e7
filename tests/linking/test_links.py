"""POST /v1/link and what follows: a link that can be watched until a phone has scanned it."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.databases import Database, change, rows
from tests.support.scripted_daemon import Gate, drop, error, result, silence

ACCOUNT, LINKED = "+4915112345", "+4915167890"
URI = "sgnl://linkdevice?uuid=1&pub_key=2"
TIMED_OUT = "Link request timed out, please try again."
WORKERS = 3


@pytest.fixture(scope="module")
def shared_daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def served(shared_daemon: ScriptedDaemon, module_database: Database) -> Iterator[Bridge]:
    """Several workers, so that whoever is asked is seldom the one that waits for the phone."""
    with Bridge(
        MODE="normal",
        BRIDGE_SIGNAL_CLI_RPC=shared_daemon.address,
        BRIDGE_WORKERS=WORKERS,
        **module_database.settings,
    ) as served:
        yield served.wait_ready()


@pytest.fixture
def daemon(shared_daemon: ScriptedDaemon) -> Iterator[ScriptedDaemon]:
    shared_daemon.forget()
    shared_daemon.on("startLink", result({"deviceLinkUri": URI}))
    yield shared_daemon
    shared_daemon.forget()


@pytest.fixture
def phone(daemon: ScriptedDaemon) -> Iterator[Gate]:
    """Scans when the gate is opened."""
    gate = Gate()
    daemon.on("finishLink", gate(result({"number": LINKED})))
    yield gate
    gate.open()


def begun(served: Bridge, **body: Any) -> dict[str, Any]:
    answer = served.post("/v1/link", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/link/{answer.json()['id']}"
    return answer.json()  # type: ignore[no-any-return]


def seen(served: Bridge, link: dict[str, Any], timeout: int = 0) -> dict[str, Any]:
    """The link as it is, or as it has become within `timeout` seconds."""
    answer = served.get(f"/v1/link/{link['id']}?timeout={timeout}")
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


# -- the life of a link ----------------------------------------------------------------------------


def test_a_link_is_pending_until_the_phone_has_scanned_it(served: Bridge, phone: Gate) -> None:
    link = begun(served, device_name="my bridge")
    assert link["state"] == "pending"
    assert link["device_link_uri"] == URI
    assert link["expires_at"] > time.time() * 1000
    phone.wait_for(1)
    assert seen(served, link) == link
    phone.open()
    linked = seen(served, link, timeout=20)
    assert (linked["state"], linked["account"]) == ("linked", LINKED)
    assert "qr" not in linked


def test_every_worker_knows_how_it_went(served: Bridge, phone: Gate) -> None:
    link = begun(served)
    phone.wait_for(1)
    phone.open()
    seen(served, link, timeout=20)
    with ThreadPoolExecutor(20) as clients:
        states = clients.map(lambda _: seen(served, link)["state"], range(60))
    assert set(states) == {"linked"}


def test_a_poll_that_waits_is_told_at_once(served: Bridge, phone: Gate) -> None:
    link = begun(served)
    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(seen, served, link, 100) for _ in range(3)]
        phone.wait_for(1)
        phone.open()
        assert [one.result(20)["state"] for one in waiting] == ["linked"] * 3


def test_a_poll_that_does_not_wait_long_enough_says_pending(served: Bridge, phone: Gate) -> None:
    assert seen(served, begun(served), timeout=1)["state"] == "pending"


def test_the_phone_is_shown_the_name(served: Bridge, daemon: ScriptedDaemon, phone: Gate) -> None:
    begun(served, device_name="kitchen")
    begun(served)
    names = [asked.params["deviceName"] for asked in daemon.wait_for("finishLink", 2)]
    assert sorted(names) == ["Signal Bridge", "kitchen"]


def test_a_link_that_nobody_scanned_has_expired(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("finishLink", error(-1, TIMED_OUT))
    over = seen(served, begun(served), timeout=20)
    assert (over["state"], over["reason"]) == ("expired", TIMED_OUT)


def test_a_link_that_failed_has_the_reason_of_signal_cli(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    why = f'The user {LINKED} already exists\nDelete "x" before trying again.'
    daemon.on("finishLink", error(-1, why))
    over = seen(served, begun(served), timeout=20)
    assert (over["state"], over["reason"]) == ("failed", why)


def test_a_link_has_failed_when_signal_cli_dies_over_it(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("finishLink", drop)
    link = begun(served)
    assert seen(served, link, timeout=20)["state"] == "failed"


def test_links_at_once_do_not_mix(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("finishLink", result({"number": "+1"}), error(-1, TIMED_OUT), error(-1, "no"))
    links = [begun(served) for _ in range(3)]
    assert len({link["id"] for link in links}) == 3
    states = sorted(seen(served, link, timeout=20)["state"] for link in links)
    assert states == ["expired", "failed", "linked"]


# -- what can go wrong before ----------------------------------------------------------------------


def test_a_link_that_cannot_start_says_why(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("startLink", error(-1, "Device link creation timed out, please try again."))
    answer = served.post("/v1/link", json={})
    assert answer.status_code == 400
    expected = "Couldn't start link: Device link creation timed out, please try again."
    assert answer.json()["error"] == expected


@pytest.mark.parametrize("body", [{"device_name": ""}, {"device_name": 3}, [1]])
def test_a_name_that_is_none_is_refused(served: Bridge, daemon: ScriptedDaemon, body: Any) -> None:
    assert served.post("/v1/link", json=body).status_code == 400
    assert not daemon.asked("startLink")


def test_too_many_at_once_are_refused_before_they_begin_until_a_phone_has_come(
    served: Bridge, daemon: ScriptedDaemon, phone: Gate
) -> None:
    """Each worker waits for eight phones of one client."""
    paths = ("/v1/qrcodelink/raw?device_name=x", "/v1/qrcodelink?device_name=x")
    answers = [served.post("/v1/link") for _ in range(8 * WORKERS + 1)]
    answers += [served.get(path) for path in paths for _ in range(8 * WORKERS)]
    refused = [answer for answer in answers if answer.status_code >= 400]
    begun_now = [answer for answer in answers if answer.status_code < 400]
    assert refused
    assert len(begun_now) == len(daemon.asked("startLink")) <= 8 * WORKERS
    for answer in refused:
        code = answer.json()["code"]
        assert (answer.status_code, code) == (429, "too_many_requests")
        assert int(answer.headers["Retry-After"]) > 0
        assert "Too many devices" in answer.json()["error"]
    phone.wait_for(len(begun_now))
    phone.open()
    eventually(lambda: served.post("/v1/link").status_code == 201, what="a place")


def test_a_link_whose_code_cannot_be_drawn_is_waited_for_all_the_same(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    """Until then signal-cli would keep a connection to Signal open for it."""
    daemon.on("finishLink", error(-1, TIMED_OUT))
    daemon.on("startLink", result({"deviceLinkUri": "x" * 120}))
    path = "/v1/qrcodelink?device_name=x&qrcode_version=9"
    assert served.get(path).status_code == 400
    assert daemon.wait_for("finishLink")


@pytest.mark.parametrize("name", ["x" * 201, "a\0b"])
def test_a_name_that_nobody_gives_a_device_is_refused(
    served: Bridge, daemon: ScriptedDaemon, name: str
) -> None:
    answer = served.post("/v1/link", json={"device_name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "characters at most" in answer.json()["detail"]
    assert not daemon.asked("startLink")


def test_only_the_newest_links_are_remembered(
    served: Bridge, daemon: ScriptedDaemon, phone: Gate
) -> None:
    phone.open()
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
    row = "SELECT 'old-' || i, '', '', i, 'expired', '', '' FROM n"
    columns = "id, uri, device_name, started_ms, state, account, reason"
    change(served, f"{many} INSERT INTO links ({columns}) {row}")
    link = begun(served)
    assert len(rows(served, "SELECT id FROM links")) == 1000
    assert seen(served, link)["device_name"]
    assert served.get("/v1/link/old-1").status_code == 404


def test_an_unknown_link_is_404(served: Bridge) -> None:
    for path in ("/v1/link/nothing", "/v1/link/nothing/qr"):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# -- the code to scan ------------------------------------------------------------------------------


def test_its_qr_code_comes_as_png_svg_and_text(served: Bridge, phone: Gate) -> None:
    link = begun(served)
    shown = {name: served.get(path) for name, path in link["qr"].items()}
    assert shown["png"].content.startswith(b"\x89PNG")
    assert shown["svg"].content.startswith(b"<?xml")
    assert "█" in shown["text"].text
    types = [answer.headers["Content-Type"].partition(";")[0] for answer in shown.values()]
    assert types == ["image/png", "image/svg+xml", "text/plain"]
    assert {answer.headers["Cache-Control"] for answer in shown.values()} == {"no-store"}


def test_its_qr_code_follows_accept(served: Bridge, phone: Gate) -> None:
    path = f"/v1/link/{begun(served)['id']}/qr"
    assert served.get(path).headers["Content-Type"] == "image/png"
    svg = served.get(path, headers={"Accept": "image/svg+xml"})
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert served.get(f"{path}?format=gif").status_code == 400


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        # what clients send by themselves: axios, Spring, browsers, curl
        ("application/json, text/plain, */*", "image/png"),
        ("text/plain, application/json, application/*+json, */*", "image/png"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "image/png"),
        ("image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8", "image/png"),
        ("*/*", "image/png"),
        ("text/html", "image/png"),
        ("application/json, text/plain", "image/png"),
        # one kind and nothing else
        ("image/png", "image/png"),
        ("image/svg+xml", "image/svg+xml"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("Text/Plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("application/json;q=0.5", "application/json; charset=utf-8"),
    ],
)
def test_a_code_is_a_picture_unless_one_other_kind_is_asked_for(
    served: Bridge, phone: Gate, accept: str, kind: str
) -> None:
    for path in ("/v1/qrcodelink?device_name=x", f"/v1/link/{pending(served)}/qr"):
        answer = served.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)


@pytest.mark.parametrize("version", ["", "&qrcode_version=1", "&qrcode_version=40"])
@pytest.mark.parametrize("length", [10, 119, 250])
def test_a_picture_has_256_by_256_pixels(
    served: Bridge, daemon: ScriptedDaemon, phone: Gate, version: str, length: int
) -> None:
    daemon.on("startLink", result({"deviceLinkUri": "x" * length}))
    for path in ("/v1/qrcodelink?device_name=x", f"/v1/link/{pending(served)}/qr?"):
        answer = served.get(path + version)
        if answer.status_code == 400:
            assert version == "&qrcode_version=1"
        else:
            assert struct.unpack(">II", answer.content[16:24]) == (256, 256)


def pending(served: Bridge) -> str:
    return str(begun(served)["id"])


def test_the_same_link_has_the_same_code_each_time(
    served: Bridge, daemon: ScriptedDaemon, phone: Gate
) -> None:
    link = begun(served)
    first, second = (served.get(link["qr"]["png"]).content for _ in range(2))
    assert first == second
    assert len(daemon.asked("startLink")) == 1


def test_there_is_nothing_to_scan_any_more(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("finishLink", result({"number": LINKED}))
    link = begun(served)
    seen(served, link, timeout=20)
    answer = served.get(link["qr"]["png"])
    assert answer.status_code == 410
    assert "linked" in answer.json()["error"]


def test_a_long_link_gets_a_larger_code(
    served: Bridge, daemon: ScriptedDaemon, phone: Gate
) -> None:
    daemon.on("startLink", result({"deviceLinkUri": URI + "x" * 400}))
    link = begun(served)
    assert served.get(link["qr"]["png"]).status_code == 200
    small = served.get(f"/v1/link/{link['id']}/qr?qrcode_version=3")
    assert small.status_code == 400
    assert "content too large for fixed size QR Code version 3" in small.json()["error"]


# -- the peer's way --------------------------------------------------------------------------------


def test_the_peers_qr_code_can_be_watched_too(served: Bridge, phone: Gate) -> None:
    for path in ("/v1/qrcodelink", "/v1/qrcodelink/raw"):
        answer = served.get(f"{path}?device_name=x")
        assert answer.status_code == 200
        watched = served.get(answer.headers["Content-Location"])
        assert (watched.json()["state"], watched.json()["device_name"]) == ("pending", "x")


def test_the_version_that_a_client_always_sends_grows_with_the_link(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    """pysignalclirestapi asks for version 10, and 120 bytes are too many for it."""
    daemon.on("finishLink", error(-1, TIMED_OUT))
    for length, version, status in ((119, 10, 200), (120, 10, 200), (120, 9, 400)):
        daemon.on("startLink", result({"deviceLinkUri": "x" * length}))
        path = f"/v1/qrcodelink?device_name=x&qrcode_version={version}"
        assert served.get(path).status_code == status


# -- restarts --------------------------------------------------------------------------------------


def test_a_link_does_not_stay_pending_when_its_worker_is_gone(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon, database: Database
) -> None:
    daemon.on("finishLink", silence)
    bridge = start_bridge(
        MODE="normal", BRIDGE_SIGNAL_CLI_RPC=daemon.address, **database.settings
    ).wait_ready()
    link = begun(bridge)
    daemon.wait_for("finishLink")
    bridge.stop()
    bridge.start().wait_ready()
    assert bridge.get(f"/v1/link/{link['id']}").status_code == 200
    let_time_pass(bridge, link["id"], seconds=600)
    over = eventually(lambda: gone(bridge, link), what="a link that has expired")
    assert over["state"] == "expired"
    assert "interrupted" in over["reason"]
    assert over["expires_at"] < time.time() * 1000


def gone(bridge: Bridge, link: dict[str, Any]) -> dict[str, Any] | None:
    shown = seen(bridge, link)
    return None if shown["state"] == "pending" else shown


def let_time_pass(bridge: Bridge, link_id: str, seconds: int) -> None:
    """As if the link had begun so much earlier."""
    earlier = "UPDATE links SET started_ms = started_ms - :ms WHERE id = :id"
    change(bridge, earlier, ms=seconds * 1000, id=link_id)
