from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.textstyle import StyledText, parse, utf16_length

# The peer's own table, then edge cases observed on it (rest-surface.rst 8.2). Styles of no length
# are left out of the expectations; the comment says where.
GOLDEN = [
    ("*italic*", "italic", "0:6:ITALIC"),
    ("**bold**", "bold", "0:4:BOLD"),
    ("*This is a italic message*", "This is a italic message", "0:24:ITALIC"),
    (
        "This is a **bold** and *italic* message",
        "This is a bold and italic message",
        "10:4:BOLD 19:6:ITALIC",
    ),
    (
        "This is a **bold** and another **bold** message",
        "This is a bold and another bold message",
        "10:4:BOLD 27:4:BOLD",
    ),
    (
        "This is a ~strikethrough~ and a **bold** message",
        "This is a strikethrough and a bold message",
        "10:13:STRIKETHROUGH 30:4:BOLD",
    ),
    (
        "This is a `monospace` and a **bold** message",
        "This is a monospace and a bold message",
        "10:9:MONOSPACE 26:4:BOLD",
    ),
    ("👋abcdefg", "👋abcdefg", ""),
    ("👋**abcdefg**", "👋abcdefg", "2:7:BOLD"),
    ("👋🏾abcdefg", "👋🏾abcdefg", ""),
    ("👋🏾**abcdefg**", "👋🏾abcdefg", "4:7:BOLD"),
    ("Test 👦🏿 via **signal** API", "Test 👦🏿 via signal API", "14:6:BOLD"),
    ("||this is a spoiler||", "this is a spoiler", "0:17:SPOILER"),
    (
        "||this is a spoiler|| and another ||spoiler||",
        "this is a spoiler and another spoiler",
        "0:17:SPOILER 30:7:SPOILER",
    ),
    (
        "||**this is a bold text inside a spoiler**||",
        "this is a bold text inside a spoiler",
        "0:36:BOLD 0:36:SPOILER",
    ),
    (r"\*escaped text\*", "*escaped text*", ""),
    (r"\**escaped text\**", "**escaped text**", ""),
    (r"\`escaped text\`", "`escaped text`", ""),
    (r"\~escaped text\~", "~escaped text~", ""),
    (r"Test \** \* \~ Escape", "Test ** * ~ Escape", ""),
    ("***Bold Italic Text***", "Bold Italic Text", "0:16:BOLD 0:16:ITALIC"),
    ("2 * 3 = 6", "2  3 = 6", ""),
    ("a * b * c", "a  b  c", "2:3:ITALIC"),
    ("*open", "open", ""),
    ("**open *x*", "open x", "5:1:ITALIC"),
    ("~~s~~", "s", ""),  # the peer: two of no length
    ("```m```", "m", "0:1:MONOSPACE"),  # the peer: two more of no length
    ("*a **b** c*", "a b c", "2:1:BOLD 0:5:ITALIC"),
    ("**a *b** c*", "a b c", ""),
    ("**bold***italic*", "bolditalic", ""),
    ("***a* b**", "a b", ""),
    ("****", "", ""),
    ("*****", "", ""),
    ("******", "", ""),  # the peer: two of no length
    (r"\***x\***", "***x***", ""),
    (r"*a\*b*", "a*b", "0:3:ITALIC"),
    (r"\\*x*", r"\*x", ""),
    ("|||a|||", "|a|", "0:2:SPOILER"),
    ("`*x*`", "x", "0:1:ITALIC 0:1:MONOSPACE"),
    ("https://x/~user/*", "https://x/user/", ""),
    ("🇩🇪*a*", "🇩🇪a", "4:1:ITALIC"),
    ("*a\nb*", "a\nb", "0:3:ITALIC"),
    ("a|b", "a|b", ""),
    (r"a\|b \||", "a|b ||", ""),
    ("a\\nb\\", "a\\nb\\", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("marked", "text", "styles"), GOLDEN)
def test_styled_text_reads_as_in_the_peer(marked: str, text: str, styles: str) -> None:
    assert parse(marked) == StyledText(text, tuple(styles.split()))


marked_texts = st.text(st.sampled_from("*|~`\\ab 👋\n"))


@given(marked_texts)
def test_every_style_lies_within_the_text_and_has_a_length(marked: str) -> None:
    found = parse(marked)
    for style in found.styles:
        start, length, _ = style.split(":")
        assert int(length) > 0
        assert 0 <= int(start) <= utf16_length(found.text) - int(length)


@given(st.text())
def test_a_text_without_markers_stays_as_it_is(text: str) -> None:
    plain = re.sub(r"[*|~`]", "", text)
    assert parse(plain) == StyledText(plain)


@given(st.text(st.characters(exclude_characters="\\")))
def test_an_escaped_text_comes_out_unescaped(text: str) -> None:
    # An escape covers the whole run that a marker would have been.
    escaped = re.sub(r"\*{1,3}|\|\|?|[~`]", lambda run: "\\" + run[0], text)
    assert parse(escaped) == StyledText(text)


@given(marked_texts)
def test_only_markers_and_escapes_are_lost(marked: str) -> None:
    def others(text: str) -> str:
        return re.sub(r"[*|~`\\]", "", text)

    assert others(parse(marked).text) == others(marked)


@given(st.text())
def test_lengths_are_those_of_utf_16(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(marked_texts, st.sampled_from(["*", "**", "~", "`", "||"]))
def test_a_marker_around_a_plain_word_styles_it(before: str, marker: str) -> None:
    plain = re.sub(r"[*|~`\\]", "", before)
    found = parse(f"{plain}{marker}word{marker}")
    assert found.text == plain + "word"
    assert [style.split(":")[:2] for style in found.styles] == [[str(utf16_length(plain)), "4"]]


@pytest.mark.parametrize("unit", ["*a* ", "*a||", "***a*** "])
def test_a_text_of_more_styles_than_anybody_means_is_refused(unit: str) -> None:
    assert parse(unit * 2500).text.count("a") == 2500
    with pytest.raises(RequestError, match="more styles than the limit of 10000"):
        parse(unit * 10_001)


def test_line_ends_stay_as_they_are() -> None:
    assert parse("a\r\n*b*\rc\n").text == "a\r\nb\rc\n"
