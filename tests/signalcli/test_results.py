"""What signal-cli answers to a send, as the bridge answers it."""

from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.results import INVALID_RESPONSE


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({"timestamp": 7, "results": [{"type": "SUCCESS"}]}, {"timestamp": "7"}),
        ({"timestamp": 7}, {"timestamp": "7"}),
        (None, {"timestamp": "0"}),
        ({"timestamp": None, "results": None}, {"timestamp": "0"}),
        (
            {
                "timestamp": 7,
                "results": [
                    {"type": "SUCCESS", "recipientAddress": {"number": "+492"}},
                    {
                        "type": "IDENTITY_FAILURE",
                        "recipientAddress": {"uuid": "u3", "number": "+493", "username": "x.1"},
                    },
                    {"type": "NETWORK_FAILURE", "recipientAddress": {"uuid": None, "number": ""}},
                    {"type": "UNREGISTERED_FAILURE"},
                ],
            },
            {
                "timestamp": "7",
                "errors": {
                    "recipients": [
                        {
                            "username": "x.1",
                            "number": "+493",
                            "uuid": "u3",
                            "reason": "IDENTITY_FAILURE",
                        },
                        {"reason": "NETWORK_FAILURE"},
                        {"reason": "UNREGISTERED_FAILURE"},
                    ]
                },
            },
        ),
    ],
)
def test_a_send_answers_its_time_and_who_was_not_reached(
    result: Any, answer: dict[str, Any]
) -> None:
    assert results.send_answer(result) == answer


@pytest.mark.parametrize(
    "result",
    ["x", [], 5, {"timestamp": "7"}, {"timestamp": True}, {"results": {}}, {"results": ["x"]}],
)
def test_a_result_of_another_type_is_an_invalid_response(result: Any) -> None:
    with pytest.raises(RequestError, match=f"^{INVALID_RESPONSE}$"):
        results.send_answer(result)
