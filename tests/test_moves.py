"""A journey is short enough to be followed by somebody who reads the code."""

from __future__ import annotations

from bench import moves


def test_a_send_makes_fewer_than_twenty_moves_between_files() -> None:
    sent = moves.send()
    assert 10 < len(sent.entered) < 20, sent.entered


def test_an_envelope_reaches_its_webhook() -> None:
    assert moves.envelope().entered


def test_a_setting_is_read_in_its_own_module_alone() -> None:
    assert len(moves.setting().entered) <= 1
