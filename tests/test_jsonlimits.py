"""A JSON text is measured in all but its strings, however it is cut into chunks."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from signal_bridge.jsonlimits import Excess, Limits, Scanner, excess

SMALL = Limits(structure_bytes=60, keys=5, depth=4, number_bytes=7)
WIDE = Limits(structure_bytes=2**30, keys=2**30, depth=2**30, number_bytes=2**30)

# What JSON consists of, in any order; and what may be mistaken for it.
tokens = st.lists(
    st.sampled_from([*'[]{},: \n0"\\', "[[", "]]", "-1.5e+7", "12345678", "true", '\\"', "\\\\"])
    | st.sampled_from(['"a"', '"[[[["', '"12345678"', '"\\u0000"', '"é😀":', '"":']),
    max_size=40,
).map(lambda parts: "".join(parts).encode())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def slowly(text: bytes, limits: Limits) -> tuple[str, tuple[int, int]] | None:
    """The obvious way: byte for byte."""
    in_string = after_backslash = False
    structure = keys = depth = digits = 0
    for index, byte in enumerate(text):
        character = chr(byte)
        if after_backslash:
            after_backslash = False
        elif in_string and character == "\\":
            after_backslash = True
        elif character == '"':
            structure += 1
            in_string, digits = not in_string, 0
        elif not in_string:
            structure += 1
            keys += character == ":"
            depth += (character in "[{") - (character in "]}")
            digits = digits + 1 if character in "0123456789.+-eE" else 0
        for name, is_exceeded in (
            ("outside of strings", structure > limits.structure_bytes),
            ("keys", keys > limits.keys),
            ("nested", depth > limits.depth),
            ("digits", digits > limits.number_bytes),
        ):
            if is_exceeded:
                before = text[:index].decode(errors="ignore")
                return name, (before.count("\n") + 1, len(before) - before.rfind("\n"))
    return None


def fed(text: bytes, cuts: list[int], limits: Limits) -> Excess | None:
    scanner = Scanner(limits)
    edges = [0, *sorted(cuts), len(text)]
    for begin, end in pairwise(edges):
        found = scanner.feed(text[begin:end])
        if found is not None:
            return found
    return None


def agree(found: Excess | None, expected: tuple[str, tuple[int, int]] | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return expected[0] in found.sentence and expected[1] == (found.line, found.column)


@given(text=tokens)
@example(b"[[[[[")
@example(b"::::::")
@example(b'"\\"[[[[[')
@example(b'[1234567"1234567"1234567]')
@example(b'{"":0,"":0,"":0,"":0,"":0,"":0}')
@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
def test_a_text_is_measured_as_it_is_byte_for_byte(text: bytes) -> None:
    assume(_may_be_json(text))
    assert agree(excess(text, SMALL), slowly(text, SMALL))


@given(value=json_values, cuts=st.lists(st.integers(0, 300), max_size=5))
@settings(max_examples=200)
def test_json_that_is_cut_anywhere_is_measured_alike(value: object, cuts: list[int]) -> None:
    text = json.dumps(value).encode()
    cuts = [min(cut, len(text)) for cut in cuts]
    assert fed(text, cuts, SMALL) == fed(text, [], SMALL) == excess(text, SMALL)
    assert agree(excess(text, SMALL), slowly(text, SMALL))
    assert excess(text, WIDE) is None


@pytest.mark.parametrize(
    "text",
    [b'{"a\\\\":[[[["\\"]]]]"],"b":{}}', b'{"\\\\\\"":[[1234567,12345678]]}',
     b'["12345678",{"":{"":{"":[0]}}}]', '["é😀\\u00e9[[[[[[",[[[[[['.encode(),
     '["é\\n",\n"😀",\n\n"é",[[[[[["é"'.encode()],
)  # fmt: skip
def test_a_cut_at_any_byte_changes_nothing(text: bytes) -> None:
    expected = slowly(text, SMALL)
    assert expected is not None
    for cut in range(len(text) + 1):
        assert agree(fed(text, [cut], SMALL), expected)
    assert agree(fed(text, list(range(len(text))), SMALL), expected)


@pytest.mark.parametrize(
    ("text", "place", "sentence", "is_too_much"),
    [
        (b" " * 262_145, (1, 262_145), "more than 262144 bytes lie outside of strings", True),
        (b"[" + b'{"":0},' * 20_001, (1, 140_005), "there are more than 20000 keys", True),
        (b"\n[\n" + b'{"\xc3\xa9":' * 20_001, (3, 496),
         "arrays or objects are nested too deep: in more than 100", False),
        (b"[" + b"1" * 1001, (1, 1002), "this number has too many digits: more than 1000", False),
    ],
)  # fmt: skip
def test_what_is_exceeded_is_told_with_its_place(
    text: bytes, place: tuple[int, int], sentence: str, is_too_much: bool
) -> None:
    found = excess(text, Limits())
    assert found == Excess(sentence, *place, is_too_much)
    assert str(found) == f"Line {place[0]}, column {place[1]}: {sentence}"


@pytest.mark.parametrize(
    "text",
    [b'"' + b"[" * 2**20 + b'"', b"[" * 100 + b"]" * 100, b"[" + b"1" * 1000 + b"]",
     b'"' + b"\\u0000" * 200_000 + b'"', b'"' + b"1" * 2**20 + b'"', b" " * 262_144,
     b"[" + b"[]," * 87_000 + b"0]"],
    ids=["brackets in a string", "depth", "digits", "escapes", "digits in a string", "spaces",
         "many arrays"],
)  # fmt: skip
def test_what_is_just_within_the_limits_is_not_exceeded(text: bytes) -> None:
    assert excess(text, Limits()) is None


def _may_be_json(text: bytes) -> bool:
    """Whether backslashes, and what is not ASCII, lie in strings: else no reading is right."""
    in_string = after_backslash = False
    for byte in text:
        if after_backslash:
            after_backslash = False
        elif byte == ord("\\"):
            if not in_string:
                return False
            after_backslash = True
        elif byte == ord('"'):
            in_string = not in_string
        elif byte > 127 and not in_string:
            return False
    return True
