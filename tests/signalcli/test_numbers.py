from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.signalcli.numbers import international, visible
from tests.signalcli.spellings import NO_NUMBERS

numbers = st.from_regex(r"\+[1-9][0-9]{0,14}", fullmatch=True)
MARKS = " -.()/\n\N{NO-BREAK SPACE}\N{EN DASH}\N{LEFT-TO-RIGHT MARK}\N{ZERO WIDTH SPACE}"
marks = st.text(alphabet=MARKS, max_size=3).filter(lambda text: not text.endswith("("))
SCRIPTS = ("0", "٠", "०", "０")


def in_script(zero: str, number: str) -> str:
    return "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in number)


@given(numbers)
def test_a_number_as_it_is_given_to_signal_cli_stays(number: str) -> None:
    assert international(number) == number


@given(numbers, st.data())
def test_punctuation_anywhere_changes_nothing(number: str, data: st.DataObject) -> None:
    decorated = "".join(data.draw(marks) + character for character in number) + data.draw(marks)
    assert international(decorated) == number


@given(numbers, st.sampled_from(SCRIPTS), st.sampled_from(["+", "00", "\N{FULLWIDTH PLUS SIGN}"]))
def test_digits_of_any_script_are_digits(number: str, zero: str, plus: str) -> None:
    assert international(plus + in_script(zero, number[1:])) == number


@pytest.mark.parametrize("text", ["", "-", "name", *NO_NUMBERS])
def test_what_cannot_be_called_from_abroad_is_none(text: str) -> None:
    assert international(text) is None


@given(st.text())
def test_every_text_is_a_canonical_number_or_none(text: str) -> None:
    number = international(text)
    assert number is None or international(number) == number


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (" x\n", "x"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}x", "x"),
        ("x\N{VARIATION SELECTOR-16}", "x"),
        ("a b", "a b"),
        ("\N{RIGHT-TO-LEFT OVERRIDE} \N{ZERO WIDTH SPACE}", ""),
    ],
)
def test_what_nobody_sees_is_not_there(text: str, seen: str) -> None:
    assert visible(text) == seen
