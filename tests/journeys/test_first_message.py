"""The first message, in by REST and out again, and the requests that users begin with.

On the sandbox; one bridge for all. Each test looks only at what it sent itself.
"""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys import http
from tests.journeys.reading import (
    Element,
    drain,
    poll,
    received,
    received_text,
    text_of,
    texts_until,
    wait_for_a_reader,
)
from tests.support import Bridge, eventually
from tests.support.databases import Database

ALICE, BOB, CAROL, DAVE = (f"+1202555010{digit}" for digit in range(4))
ROBOT = "+12025550123"
NEWCOMER = "+12025550170"


@pytest.fixture(scope="module")
def bridge(module_database: Database) -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", **module_database.settings) as bridge:
        yield bridge.wait_ready()


def send(bridge: Bridge, text: str, to: str = BOB, number: str = ALICE) -> int:
    """The timestamp of a message that was sent."""
    body = {"number": number, "recipients": [to], "message": text}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()[0]["timestamp"])


def accounts(bridge: Bridge) -> set[str]:
    return set(bridge.get("/v1/accounts").json())


# -- sending and receiving ---------------------------------------------------------------------


def test_a_message_sent_as_json_is_shown_to_its_recipient(bridge: Bridge) -> None:
    timestamp = send(bridge, "hello")
    element = received_text(bridge, BOB, "hello")
    assert element["account"] == BOB
    assert element["envelope"]["source"] == ALICE
    assert element["envelope"]["sourceDevice"] == 1
    assert element["envelope"]["timestamp"] == timestamp
    assert element["envelope"]["dataMessage"] == element["dataMessage"]
    assert element["dataMessage"]["timestamp"] == timestamp


def test_a_text_arrives_as_it_was_written(bridge: Bridge) -> None:
    text = '🚨 "ALERT"\n\tÜberlauf\u2028\\ & <b> \U0001f468\u200d\U0001f469'
    send(bridge, text)
    assert received_text(bridge, BOB, text)


def test_a_form_delivers_a_file_byte_for_byte(bridge: Bridge) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 700
    answer = bridge.post(
        "/v2/send",
        data=[
            ("number", ALICE),
            ("recipients[]", BOB),
            ("message", "Check out this image!"),
        ],
        files=[("attachment", ("image.png", picture, "image/png"))],
    )
    assert answer.status_code == 201, answer.text
    element = received_text(bridge, BOB, "Check out this image!")
    (attachment,) = element["dataMessage"]["attachments"]
    assert attachment["filename"] == "image.png"
    assert attachment["contentType"] == "image/png"
    assert attachment["size"] == len(picture)
    file = bridge.get(f"/v1/attachments/{attachment['id']}")
    assert file.status_code == 200
    assert file.content == picture
    assert file.headers["Content-Type"] == "image/png"


def test_a_form_may_have_several_recipients_and_files(bridge: Bridge) -> None:
    files = {"one.txt": b"first", "two.bin": b"\0\xff" * 50_000, "three.txt": b"third"}
    answer = bridge.post(
        "/v2/send",
        data=[
            ("number", ALICE),
            ("recipients[]", BOB),
            ("recipients[]", CAROL),
            ("message", "three files"),
        ],
        files=[("attachment", (name, io.BytesIO(data))) for name, data in files.items()],
    )
    assert answer.status_code == 201, answer.text
    for number in (BOB, CAROL):
        element = received_text(bridge, number, "three files")
        arrived = {
            each["filename"]: bridge.get(f"/v1/attachments/{each['id']}").content
            for each in element["dataMessage"]["attachments"]
        }
        assert arrived == files


def test_a_client_that_asks_whether_to_go_on_is_told_to(bridge: Bridge) -> None:
    """As curl does with a form of more than a megabyte."""
    edge = b"------------------------d74496d66958873e"
    file = bytes(range(256)) * 6000
    body = (
        b'--%s\r\nContent-Disposition: form-data; name="number"\r\n\r\n%s\r\n'
        b'--%s\r\nContent-Disposition: form-data; name="recipients[]"\r\n\r\n%s\r\n'
        b'--%s\r\nContent-Disposition: form-data; name="message"\r\n\r\nby curl\r\n'
        b'--%s\r\nContent-Disposition: form-data; name="attachment"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n"
    ) % (edge, ALICE.encode(), edge, BOB.encode(), edge, edge, file, edge)
    with http.connect(bridge) as connection:
        connection.sendall(
            http.head(
                "POST",
                "/v2/send",
                f"Content-Length: {len(body)}",
                f"Content-Type: multipart/form-data; boundary={edge.decode()}",
                "Expect: 100-continue",
            )
        )
        go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.recv(len(go_on)) == go_on
        connection.sendall(body)
        status, text = http.answer(connection)
    assert status == 201, text
    element = received_text(bridge, BOB, "by curl")
    (attachment,) = element["dataMessage"]["attachments"]
    assert bridge.get(f"/v1/attachments/{attachment['id']}").content == file


def test_a_base64_attachment_arrives_under_its_name(bridge: Bridge) -> None:
    data = b"%PDF-1.4 report"
    text = f"data:application/pdf;filename=r 1.pdf;base64,{base64.b64encode(data).decode()}"
    body = {
        "number": ALICE, "recipients": [BOB], "message": "a report", "base64_attachments": [text],
    }  # fmt: skip
    assert bridge.post("/v2/send", json=body).status_code == 201
    (attachment,) = received_text(bridge, BOB, "a report")["dataMessage"]["attachments"]
    assert attachment["filename"] == "r 1.pdf"
    content = bridge.get(f"/v1/attachments/{attachment['id']}").content
    assert hashlib.sha256(content).digest() == hashlib.sha256(data).digest()


def test_a_reaction_reaches_the_author_of_the_message(bridge: Bridge) -> None:
    timestamp = send(bridge, "react to this")
    reaction = {"emoji": "👍", "target_author": ALICE, "timestamp": timestamp}
    body = {"number": BOB, "recipients": [ALICE], "reaction": reaction}
    assert bridge.post("/v2/send", json=body).status_code == 201

    def is_reaction(element: Element) -> bool:
        return bool((element.get("dataMessage") or {}).get("reaction"))

    found = received(bridge, ALICE, is_reaction)["dataMessage"]["reaction"]
    assert found["emoji"] == "👍"
    assert found["targetSentTimestamp"] == timestamp


def test_the_robot_answers_and_receipts_come_back(bridge: Bridge) -> None:
    drain(bridge, DAVE)
    timestamp = send(bridge, "say it back", to=ROBOT, number=DAVE)
    seen: list[Element] = []

    def both() -> bool:
        seen.extend(poll(bridge, DAVE))
        receipts = [
            sent
            for each in seen
            for sent in (each["envelope"].get("receiptMessage") or {}).get("timestamps", [])
        ]
        return timestamp in receipts and any(
            each["envelope"]["source"] == ROBOT and "say it back" in (text_of(each) or "")
            for each in seen
        )

    eventually(both, 20, lambda: f"a receipt and an answer among {seen}")


def test_who_is_not_on_signal_is_named(bridge: Bridge) -> None:
    body = {"number": ALICE, "recipients": [BOB, "+12025559999"], "message": "to two"}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    (failed,) = answer.json()[0]["errors"]["recipients"]
    assert failed["number"] == "+12025559999"
    assert failed["reason"] == "UNREGISTERED_FAILURE"


def test_an_unknown_account_cannot_send(bridge: Bridge) -> None:
    body = {"number": "+4915100000", "recipients": [BOB], "message": "x"}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Specified account does not exist"
    assert answer.json()["retryable"] is False
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_it_says_that_it_is_not_signal(bridge: Bridge) -> None:
    about = bridge.get("/v1/about")
    assert "sandbox" in about.json()["sandbox"]
    assert about.headers["X-Signal-Bridge-Sandbox"] == "true"
    assert "NOT SIGNAL" in bridge.log


# -- polling -----------------------------------------------------------------------------------


def test_a_long_poll_returns_on_the_first_message(bridge: Bridge) -> None:
    drain(bridge, CAROL)
    with ThreadPoolExecutor(1) as pool:
        # Far longer than the request itself may take.
        waiting = pool.submit(bridge.get, f"/v1/receive/{CAROL}?timeout=300")
        send(bridge, "wake up", to=CAROL)
        elements = waiting.result().json()
    assert [text_of(each) for each in elements] == ["wake up"]


def test_a_poll_for_nothing_is_an_empty_array_at_its_time_out(bridge: Bridge) -> None:
    drain(bridge, CAROL)
    answer = bridge.get(f"/v1/receive/{CAROL}?timeout=1")
    assert (answer.status_code, answer.text) == (200, "[]")
    assert poll(bridge, CAROL, timeout=0) == []


def test_a_poll_gives_at_most_as_many_as_it_is_asked_for_oldest_first(bridge: Bridge) -> None:
    drain(bridge, CAROL)
    sent = [f"part {number}" for number in range(5)]
    for text in sent:
        send(bridge, text, to=CAROL)
    seen: list[str | None] = []

    def all_there() -> bool:
        elements = poll(bridge, CAROL, max_messages=2)
        assert len(elements) <= 2
        seen.extend(text_of(each) for each in elements)
        return len(seen) >= len(sent)

    eventually(all_there)
    assert seen == sent


def test_what_was_given_out_is_not_given_out_again(bridge: Bridge) -> None:
    send(bridge, "only once", to=CAROL)
    received_text(bridge, CAROL, "only once")
    assert "only once" not in [text_of(each) for each in drain(bridge, CAROL)]


def test_two_pollers_never_get_the_same_message(bridge: Bridge) -> None:
    drain(bridge, DAVE)
    sent = [f"shared {number}" for number in range(40)]
    seen: list[str | None] = []
    done = threading.Event()

    def reader() -> None:
        while not done.is_set():
            seen.extend(text_of(each) for each in poll(bridge, DAVE, max_messages=3))

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(reader) for _ in range(3)]
        try:
            for text in sent:
                send(bridge, text, to=DAVE)
            eventually(lambda: len(seen) >= len(sent), 20)
        finally:
            done.set()
        for each in readers:
            each.result()
    assert sorted(map(str, seen)) == sorted(sent)


def test_a_client_that_has_gone_loses_nothing(bridge: Bridge) -> None:
    """It asked, went away while the bridge waited for a message, and then one came."""
    drain(bridge, CAROL)
    connection = http.connect(bridge)
    connection.sendall(http.head("GET", f"/v1/receive/{CAROL}?timeout=60"))
    wait_for_a_reader(bridge)
    http.vanish(connection)
    send(bridge, "still there", to=CAROL)
    assert received_text(bridge, CAROL, "still there")


def test_a_client_that_closed_politely_loses_nothing(bridge: Bridge) -> None:
    drain(bridge, CAROL)
    connection = http.connect(bridge)
    connection.sendall(http.head("GET", f"/v1/receive/{CAROL}?timeout=60"))
    wait_for_a_reader(bridge)
    connection.close()
    send(bridge, "also there", to=CAROL)
    assert received_text(bridge, CAROL, "also there")


# -- linking and registering -------------------------------------------------------------------


def test_a_qr_code_is_drawn_in_characters_and_linking_completes(bridge: Bridge) -> None:
    before = accounts(bridge)
    answer = bridge.get("/v1/qrcodelink?device_name=x", headers={"Accept": "text/plain"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert len(lines) > 10
    assert set(answer.text) <= set(" █▀▄\n")
    (linked,) = eventually(lambda: accounts(bridge) - before, 20)
    # The newcomer is received for without being asked to.
    text = f"welcome {linked}"
    eventually(lambda: send(bridge, text, to=linked))
    assert received_text(bridge, linked, text)


def test_a_qr_code_is_a_png_unless_asked_otherwise(bridge: Bridge) -> None:
    answer = bridge.get("/v1/qrcodelink?device_name=signal-api")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    width, height = struct.unpack(">II", answer.content[16:24])
    assert width == height >= 200
    assert answer.content.endswith(b"IEND\xaeB`\x82")


def test_a_qr_code_is_svg_or_json_on_request(bridge: Bridge) -> None:
    svg = bridge.get("/v1/qrcodelink?device_name=x", headers={"Accept": "image/svg+xml"})
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert ET.fromstring(svg.text).tag == "{http://www.w3.org/2000/svg}svg"
    uri = bridge.get("/v1/qrcodelink?device_name=x", headers={"Accept": "application/json"})
    assert uri.json()["device_link_uri"].startswith("sgnl://linkdevice?uuid=")
    raw = bridge.get("/v1/qrcodelink/raw?device_name=x")
    assert raw.json()["device_link_uri"].startswith("sgnl://linkdevice?uuid=")
    assert raw.json() != uri.json()


def test_a_number_is_registered_and_verified_and_can_send(bridge: Bridge) -> None:
    assert bridge.post(f"/v1/register/{NEWCOMER}").status_code == 201
    assert NEWCOMER not in accounts(bridge)
    assert bridge.post(f"/v1/register/{NEWCOMER}/verify/000000").status_code == 400
    assert bridge.post(f"/v1/register/{NEWCOMER}/verify/123-456").status_code == 201
    assert NEWCOMER in accounts(bridge)
    send(bridge, "I am new", number=NEWCOMER)
    assert received_text(bridge, BOB, "I am new")["envelope"]["source"] == NEWCOMER
    send(bridge, "welcome", to=NEWCOMER)
    assert received_text(bridge, NEWCOMER, "welcome")
    assert bridge.post(f"/v1/unregister/{NEWCOMER}").status_code == 204
    assert NEWCOMER not in accounts(bridge)


def test_a_registration_that_needs_a_captcha_says_so(bridge: Bridge) -> None:
    answer = bridge.post("/v1/register/+12025550180", json={"use_voice": False})
    assert answer.status_code == 400
    assert "Captcha required" in answer.json()["error"]
    body = {"captcha": "signalcaptcha://solved"}
    assert bridge.post("/v1/register/+12025550180", json=body).status_code == 201


# -- groups and profiles -----------------------------------------------------------------------


def test_a_group_is_made_listed_and_written_to(bridge: Bridge) -> None:
    answer = bridge.post(f"/v1/groups/{ALICE}", json={"name": "My Group", "members": [BOB, CAROL]})
    assert answer.status_code == 201, answer.text
    group_id = answer.json()["id"]
    assert group_id.startswith("group.")
    listed = {group["id"]: group for group in bridge.get(f"/v1/groups/{ALICE}").json()}
    assert listed[group_id]["name"] == "My Group"
    people = listed[group_id]["members"] + listed[group_id]["pending_invites"]
    assert set(people) == {ALICE, BOB, CAROL}
    assert bridge.get(f"/v1/groups/{ALICE}/{group_id}").json() == listed[group_id]
    send(bridge, "Hello everyone!", to=group_id)
    for number in (BOB, CAROL):
        element = received_text(bridge, number, "Hello everyone!")
        group_info = element["dataMessage"]["groupInfo"]
        assert group_info["groupId"] == listed[group_id]["internal_id"]


def test_a_member_joins_answers_and_leaves(bridge: Bridge) -> None:
    body = {"name": "Coming and going", "members": [BOB]}
    group_id = bridge.post(f"/v1/groups/{ALICE}", json=body).json()["id"]
    eventually(
        lambda: group_id in [group["id"] for group in bridge.get(f"/v1/groups/{BOB}").json()]
    )
    assert bridge.post(f"/v1/groups/{BOB}/{group_id}/join").status_code == 204
    send(bridge, "here I am", to=group_id, number=BOB)
    assert received_text(bridge, ALICE, "here I am")["envelope"]["source"] == BOB
    assert bridge.post(f"/v1/groups/{BOB}/{group_id}/quit").status_code == 204
    eventually(
        lambda: BOB not in bridge.get(f"/v1/groups/{ALICE}/{group_id}").json()["members"],
        what="Bob has left",
    )


def test_an_unknown_group_is_not_found(bridge: Bridge) -> None:
    unknown = "group." + base64.b64encode(base64.b64encode(bytes(32))).decode()
    answer = bridge.get(f"/v1/groups/{ALICE}/{unknown}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "No group with that id found"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_profile_is_changed_and_shown(bridge: Bridge, method: str) -> None:
    body = {"name": f"Alice by {method}", "about": "at work"}
    assert bridge.request(method, f"/v1/profiles/{ALICE}", json=body).status_code == 204
    profile = bridge.get(f"/v1/profiles/{ALICE}")
    assert profile.status_code == 200
    assert profile.json()["name"] == f"Alice by {method}"
    assert profile.json()["about"] == "at work"


# -- the requests that users begin with, as they write them --------------------------------------


def test_the_documents_message_with_an_emoji_and_lines_arrives(bridge: Bridge) -> None:
    text = "📊 Daily Report\n\nUsers: 1,234\nRevenue: $5,678\nUptime: 99.9%"
    send(bridge, text, to=ROBOT)
    send(bridge, text)
    assert received_text(bridge, BOB, text)


def test_the_documents_number_may_stand_in_the_path_with_a_bare_plus(bridge: Bridge) -> None:
    send(bridge, "by path", to=DAVE)
    for path in (f"/v1/receive/{DAVE}", f"/v1/receive/{DAVE.replace('+', '%2B')}"):
        status, _body = http.exchange(bridge, http.head("GET", path))
        assert status == 200


def test_the_documents_health_check_names_both_versions(bridge: Bridge) -> None:
    about = bridge.get("/v1/about").json()
    assert about["versions"] == ["v1", "v2"]
    assert about["version"]
    assert about["signal-cli"] == "0.14.6"


def test_the_documents_group_example_takes_members_that_are_strangers(bridge: Bridge) -> None:
    members = [ROBOT, BOB]
    answer = bridge.post(f"/v1/groups/{DAVE}", json={"name": "My Group", "members": members})
    assert answer.status_code == 201
    assert set(answer.json()) == {"id"}


def test_a_chat_goes_on_from_both_sides(bridge: Bridge) -> None:
    drain(bridge, CAROL)
    for number in range(10):
        send(bridge, f"question {number}", to=CAROL, number=DAVE)
        assert text_of(received_text(bridge, CAROL, f"question {number}"))
        send(bridge, f"answer {number}", to=DAVE, number=CAROL)
    answers = [text for text in texts_until(bridge, DAVE, 10) if text and text.startswith("answer")]
    assert answers == [f"answer {number}" for number in range(10)]
