"""What the code, the tests and the documents refer to is there.

Two documents have numbered sections, and items in them. They are named everywhere in one form:
`signal-cli.rst 1.8`, `rest-surface.rst 5.2, 5.3`, `rest-surface.rst C17`. Files are named by a
path, of which the beginning may be left out, and modules by their dotted name.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (".ci", "bench", "deploy", "docs", "examples", "signal_bridge", "tests")
NUMBERED = ("rest-surface.rst", "signal-cli.rst")
# What Python leaves behind, what others wrote, and a recording of what was said to others.
NOT_OURS = frozenset({"__pycache__", "node_modules", "static", "rest-vectors.jsonl"})
TEXT_SUFFIXES = (".py", ".rst", ".cfg", ".toml", ".mjs", ".java", ".yaml", ".yml", ".service", "")

ITEM = r"(?:C\d+|\d+(?:\.\d+)*)"
# A line may end within a reference.
GAP = r"\s+(?:#\s*)?"
REFERENCE = re.compile(
    rf"\b({'|'.join(map(re.escape, NUMBERED))}){GAP}({ITEM}(?:(?:,| and| to){GAP}{ITEM})*)"
)
# At the beginning of a line: of a heading, or of a term whose definition is indented.
HEADING = re.compile(rf"^({ITEM})(?: .*)?\n(?=[=~-]{{3}}|    \S)", re.MULTILINE)
# In a numbered document, one of its own.
WITHIN = re.compile(r"\((?:C\d+|\d+\.\d+)(?:, (?:C\d+|\d+\.\d+))*\)|\bsection \d+\b")

FILE = re.compile(
    r"(?<![\w/.<>*$-])(?:[\w.-]+/)*[\w-][\w.-]*"
    r"\.(?:py|rst|md|mjs|java|jsonl|tsv|cfg)\b(?![\w/*-])"
)
PLACE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(map(re.escape, ROOMS))})/[\w./-]*\w(?![\w*-])")
MODULE = re.compile(r"(?<![\w/.-])(?:signal_bridge|tests|bench)(?:\.[A-Za-z_]\w*)+")

# References that do not say to which document, and to documents that are not here.
WITHOUT_NAME = re.compile(
    r"(?<!\w)\((?:C\d{1,2}|(?:\d|1[0-2])\.\d{1,2})(?=[,)]| and | to )"
    r"|§|\b[Cc]ontract,? (?=\d)"
)
NOT_HERE = re.compile(r"\bDESIGN\b|\brest-contract\b|\bsignal-cli-rpc\b|\buser(?:-|'s )document\b")

Problems = Callable[[str, str], Iterator[str]]
"""From the name of a file and its text to a sentence for each thing that is wrong."""


class Line(NamedTuple):
    """A line that is meant for people."""

    number: int
    text: str


# -- what is read ------------------------------------------------------------------------------


def our_files() -> dict[str, Path]:
    """Every text of ours, committed or not, but for this one: it is full of counterexamples."""
    candidates = [path for room in ROOMS for path in (ROOT / room).rglob("*")]
    candidates += [*ROOT.glob("*.rst"), *ROOT.glob("setup.*"), ROOT / "Makefile"]
    return {
        str(path.relative_to(ROOT)): path
        for path in sorted(candidates)
        if path.suffix in TEXT_SUFFIXES
        and NOT_OURS.isdisjoint(path.parts)
        and path.is_file()
        and path != Path(__file__)
    }


@cache
def endings() -> frozenset[str]:
    """The paths of all files and directories, with any part of their beginning left out."""
    paths = [path.relative_to(ROOT).parts for room in ROOMS for path in (ROOT / room).rglob("*")]
    paths += [(path.name,) for path in ROOT.iterdir()]
    return frozenset("/".join(parts[at:]) for parts in paths for at in range(len(parts)))


@cache
def items_of(document: str) -> tuple[str, ...]:
    """The numbers of a document's sections and items."""
    return tuple(HEADING.findall((ROOT / "docs" / document).read_text()))


def prose(name: str, text: str) -> Iterator[Line]:
    """Comments and docstrings, or the whole of a document."""
    if name.endswith(".py"):
        yield from _python_prose(text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if name.endswith(".rst") or line.lstrip().startswith(("#", "//", "*", "/*")):
            yield Line(number, line)


def _python_prose(text: str) -> Iterator[Line]:
    """A text that is a statement is a docstring, or belongs to the constant above it."""
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_statement = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_statement):
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                yield Line(number, line)
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type


# -- what is wrong -----------------------------------------------------------------------------


def dangling_items(name: str, text: str) -> Iterator[str]:
    """Sections and items that a document does not have, wherever they are named."""
    for found in REFERENCE.finditer(text):
        for item in re.findall(ITEM, found[2]):
            if item not in items_of(found[1]):
                yield f"{name}:{_line_of(found)}: {found[1]} has no {item}"


def dangling_items_of_its_own(name: str, text: str) -> Iterator[str]:
    """The same in a numbered document, where `(4.5)` and `section 4` are its own."""
    for found in WITHIN.finditer(text):
        for item in re.findall(ITEM, found[0]):
            if item not in items_of(Path(name).name):
                yield f"{name}:{_line_of(found)}: there is no {item} in it"


def nameless_references(name: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        for found in NOT_HERE.finditer(line):
            yield f"{name}:{number}: {found[0]} is no document of this repository"
    for line in prose(name, text):
        for found in WITHOUT_NAME.finditer(line.text):
            yield f"{name}:{line.number}: of which document is {line.text[found.start() :][:15]!r}?"


def dangling_files(name: str, text: str) -> Iterator[str]:
    for line in prose(name, text):
        for found in {match[0] for kind in (FILE, PLACE) for match in kind.finditer(line.text)}:
            if found not in endings():
                yield f"{name}:{line.number}: there is no {found}"


def dangling_modules(name: str, text: str) -> Iterator[str]:
    for line in prose(name, text):
        for found in MODULE.finditer(line.text):
            if not _is_in_a_module(found[0]):
                yield f"{name}:{line.number}: there is no {found[0]}"


def _is_in_a_module(dotted: str) -> bool:
    """Whether it is a module, or something that is defined in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module.is_file():
            rest = parts[length:]
            return not rest or _defines(module.read_text(), rest[0])
    return False


def _defines(text: str, word: str) -> bool:
    return re.search(rf"\b(?:class|def) {word}\b|^{word}\b", text, re.MULTILINE) is not None


def _line_of(found: re.Match[str]) -> int:
    return found.string.count("\n", 0, found.start()) + 1


# -- the tests ---------------------------------------------------------------------------------


def none_but(problems: Problems, *exempt: str) -> None:
    """No file of ours but the `exempt` has such problems."""
    found = [
        problem
        for name, path in our_files().items()
        if name not in exempt
        for problem in problems(name, path.read_text())
    ]
    assert not found, "\n".join(found)


def test_sections_and_items_that_are_named_exist() -> None:
    none_but(dangling_items)


@pytest.mark.parametrize("document", NUMBERED)
def test_a_numbered_document_has_what_it_names(document: str) -> None:
    text = (ROOT / "docs" / document).read_text()
    assert list(dangling_items_of_its_own(document, text)) == []


@pytest.mark.parametrize("document", NUMBERED)
def test_no_number_is_given_twice(document: str) -> None:
    assert sorted(set(items_of(document))) == sorted(items_of(document))


def test_every_reference_says_to_which_document() -> None:
    none_but(nameless_references, *(f"docs/{document}" for document in NUMBERED))


def test_files_that_are_named_exist() -> None:
    none_but(dangling_files)


def test_modules_that_are_named_exist() -> None:
    none_but(dangling_modules)


@pytest.mark.parametrize(
    ("problems", "text", "lines"),
    [
        (dangling_items, "a = 1  # as it is (rest-surface.rst 4.5, 4.9)", [1]),
        (dangling_items, '"""See\n\nsignal-cli.rst\n1.99 or so.\n"""', [3]),
        (dangling_items, "rule = 'rest-surface.rst C99'", [1]),
        (dangling_items, "# signal-cli.rst 0.10, rest-surface.rst 1.2 to 1.4, C3", []),
        (dangling_items_of_its_own, "as above (4.5), as in section 99, as usual (C1, C99)", [1, 1]),
        (nameless_references, "# as it is (5.4), and so on (C17)", [1, 1]),
        (nameless_references, 'A = 1\n"""Its text (1.2 and 1.3)."""', [2]),
        (nameless_references, "# rest-contract.md 4.5; contract 1.1; DESIGN: rooms", [1, 1, 1]),
        (nameless_references, "pause(0.5)  # after(0.5), in signal-cli (0.13.19)", []),
        (dangling_files, "# web/edge/problems.py; web/problems.py; docs/none.rst", [1, 1]),
        (dangling_files, "path = 'no/such/file.py'", []),
        (dangling_files, '"""tests/support, tests/nowhere"""', [1]),
        (dangling_modules, "# signal_bridge.errors.NotFound; signal_bridge.errors.Nothing", [1]),
        (dangling_modules, "# signal_bridge.web.description; signal_bridge.web.nowhere", [1]),
    ],
)
def test_what_dangles_is_found(problems: Problems, text: str, lines: list[int]) -> None:
    name = "rest-surface.rst" if problems is dangling_items_of_its_own else "some.py"
    assert [int(problem.split(":")[1]) for problem in problems(name, text)] == lines
