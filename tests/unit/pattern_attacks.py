"""Texts that make a pattern work hard, derived from the pattern itself.

The parse tree is read with `re._parser`, which has no public name: a text is a run of what one of
the pattern's repeats takes, with or without what stands before it, so that the pattern nearly
matches at every place.
"""

import ast
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # no public name
from re import _parser  # type: ignore[attr-defined]  # no public name
from typing import Any

Tree = Any
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
CATEGORIES = {
    sre.CATEGORY_DIGIT: "1", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "a", sre.CATEGORY_NOT_SPACE: "a", sre.CATEGORY_NOT_WORD: "-",
}  # fmt: skip
# Repeats up to fewer times cannot cost much.
MANY = 10
# A function of `re` that takes a pattern, but those that `patterns_in` or no pattern comes of.
USED_INLINE = re.compile(r"\bre\.(?!compile\b|escape\b)\w+\(")
# So many of a repeat's alternatives are tried.
ALTERNATIVES = 12


def attacks(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """A beginning and what is repeated behind it, so that the pattern nearly matches everywhere."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    found = dict.fromkeys(("", _sample(tree, 0)[: n + 1]) for n in range(3))
    for before, body in _repeated(tree, ""):
        whole = before + body
        found |= dict.fromkeys([("", body), (before, body), ("", before), ("", whole)])
        found |= {("", f"{whole} "): None}
    return [(before, body) for before, body in found if body]


def _repeated(tree: Tree, before: str) -> Iterator[tuple[str, str]]:
    """What each long repeat takes, with what stands before it."""
    for op, value in tree:
        inner = _inner(op, value)
        if op in REPEATS and (value[1] is sre.MAXREPEAT or value[1] >= MANY):
            for pick in range(ALTERNATIVES):
                yield before, _sample(value[2], pick)
        for part in inner:
            yield from _repeated(part, before)
        before += _sample([(op, value)], 0)


def _inner(op: Any, value: Any) -> list[Tree]:
    """The parts of a pattern within one item."""
    if op in REPEATS:
        return [value[2]]
    if op is sre.BRANCH:
        return list(value[1])
    if op is sre.SUBPATTERN:
        return [value[3]]
    if op is sre.ATOMIC_GROUP:
        return [value]
    return [value[1]] if op in (sre.ASSERT, sre.ASSERT_NOT) else []


def _sample(tree: Tree, pick: int) -> str:
    """A text that the tree takes, of its alternatives the one numbered `pick`."""
    return "".join(_sample_item(op, value, pick) for op, value in tree)


def _sample_item(op: Any, value: Any, pick: int) -> str:
    if op is sre.LITERAL:
        return chr(value)
    if op is sre.IN:
        return _sample_class(value, pick)
    if op in (sre.ANY, sre.NOT_LITERAL):
        return "a"
    if op is sre.BRANCH:
        return _sample(value[1][pick % len(value[1])], pick)
    if op in REPEATS:
        return _sample(value[2], pick) * int(max(value[0], pick % 2))
    inner = [] if op in (sre.ASSERT, sre.ASSERT_NOT) else _inner(op, value)
    return "".join(_sample(part, pick) for part in inner)


def _sample_class(items: Any, pick: int) -> str:
    if items[0][0] is sre.NEGATE:
        # Few classes exclude all of these.
        return "a1 -"[pick % 4]
    op, value = items[pick % len(items)]
    if op is sre.LITERAL:
        return chr(value)
    return chr(value[0]) if op is sre.RANGE else str(CATEGORIES[value])


def inline_patterns(source: str, names: dict[str, Any]) -> Iterator[re.Pattern[str]]:
    """The patterns that the code of a module gives to `re`'s functions where they are used."""
    # To parse all modules takes a second in each process that collects tests.
    if not USED_INLINE.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            continue
        given = node.args[0]
        text = given.value if isinstance(given, ast.Constant) else None
        if isinstance(given, ast.Name):
            text = names.get(given.id)
        if isinstance(text, str) and node.func.attr not in ("compile", "escape"):
            yield re.compile(text)


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    """Every compiled pattern in a module's value: itself, or in a table, list or tuple."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for item in value.values():
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and isinstance(value, list | tuple):
        for item in value:
            yield from patterns_in(item, depth + 1)
