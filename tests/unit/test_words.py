"""Docs and code speak plain English: words that hide who does what to what do not come back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each as a whole word or part of an identifier: bell, `bell.py`, RunBell and ring_bell.
WORDS = {
    "bell": "notification, RunNotifier",
    "courier": "webhook dispatcher",
    "whoever": "name the actor",
    "anew": "again",
    "mend": "fix, correct",
    "mends": "fixes, corrects",
    "mended": "fixed, corrected",
    "mendable": "that can be corrected",
    "nobody": "no worker, no person, no approver",
    "somebody": "a worker, a person, an approver",
    "told": "says, is named, is given",
    "hot": "compiled",
    "door": "toolbox, model gateway",
}
LOWER, TITLE = "|".join(WORDS), "|".join(word.title() for word in WORDS)
FOUND = re.compile(rf"(?<![A-Za-z])(?:{LOWER})(?![a-z])|(?:{TITLE})(?![a-z])")
# A user of the operating system, a rule of `check`, and what Request Tracker calls no owner.
ALLOWED = ("`nobody`", '"nobody"', "`Nobody`", '"Nobody"')
# CHANGELOG.md is history.
DOCS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {ROOT / "CHANGELOG.md"})
FOLDERS = ("app", "graphs", "migrations", "tests", "tools")
# What is neither a page nor in those folders, and what is not Python in them.
OTHERS = sorted(
    path
    for pattern in (
        "Makefile", "Dockerfile", "*.toml", "*.yml", "*.example", ".*.yaml", ".editorconfig",
        ".ci/*", "app/console/templates/*", "app/console/static/*.*", "migrations/*.mako",
        "docs/**/*.py", "docs/**/*.yaml", "docs/**/*.diff",
    )
    for path in ROOT.glob(pattern)
)  # fmt: skip
# What customers write or read is theirs, patterns of it included; and this file.
DATA = (
    "app/commands/demo_data/", "app/models/offline/", "graphs/text/",
    "tests/unit/test_words.py",
)  # fmt: skip
# Words of customers in a pattern.
IN_PATTERNS = ("|set|had|told)", "|cannot|nobody|none|")
# Words of customers in a test.
IN_TICKETS = ("law told me to write", "I was told I'd get", "outage, nobody can sign in")


def unwanted(path: Path) -> list[str]:
    """Lines of a file that hold such a word, with what to say instead."""
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    for allowed in (*ALLOWED, *IN_PATTERNS, *IN_TICKETS):
        text = text.replace(allowed, "")
    return [
        f"{name}:{number}: {word} -> {WORDS[word.lower()]}"
        for number, line in enumerate(text.splitlines(), 1)
        for word in FOUND.findall(line)
    ]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_docs_are_in_plain_words(page: Path) -> None:
    """No page uses a word of the list, and no page's name does."""
    assert unwanted(page) == []
    assert not FOUND.search(page.name)


@pytest.mark.parametrize("folder", FOLDERS)
def test_code_is_in_plain_words(folder: str) -> None:
    """No comment, docstring, identifier, message or file name uses a word of the list."""
    for path in sorted({ROOT / folder, *(ROOT / folder).rglob("*.py")}):
        if path.is_file() and not path.relative_to(ROOT).as_posix().startswith(DATA):
            assert unwanted(path) == []
            assert not FOUND.search(path.stem)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_other_files_are_in_plain_words(path: Path) -> None:
    """No build file, template, script of the console or example of the docs uses such a word."""
    assert unwanted(path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the bell rings, RunBell, ring_bell()", ["bell", "Bell", "bell"]),
        ("Nobody anew", ["Nobody", "anew"]),
        ("doorstep hotel shot commend labelled HOT", []),
    ],
)
def test_whole_words_are_found(text: str, words: list[str]) -> None:
    """A word counts alone or as a part of an identifier, not inside another word."""
    assert FOUND.findall(text) == words
