"""A link that is watched: `/v1/link`."""

from __future__ import annotations

from tests.e2e.world import World


def test_a_link_is_watched_until_the_account_is_there(world: World) -> None:
    answer = world.bridge.post("/v1/link", json={"device_name": "watched"})
    assert answer.status_code == 201, answer.text
    link = answer.json()
    assert link["state"] == "pending"
    world.somebody_scans(link["device_link_uri"])
    path = answer.headers["Location"]
    link = world.bridge.get(path, params={"timeout": 60}, timeout=90).json()
    assert link["state"] == "linked", link
    assert link["account"] != world.account
    assert link["account"] in world.bridge.get("/v1/accounts").json()
    assert world.bridge.get(f"{path}/qr").status_code == 410
