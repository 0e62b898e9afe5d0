"""The check in front of every body: strict JSON passes untouched, anything else is a refusal."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.api.http.strict_body import check_json
from app.db.core.types import storable
from app.errors import BodyError, DeskgraphError, MediaTypeError
from app.formats.strict_json import (
    MAX_DEPTH,
    SURROGATE,
    StrictJsonError,
    _unique,
    check_value,
    parse_json,
)

# Every character that a strict text may hold.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
numbers = st.integers(1 - 10**29, 10**29) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts


def documents(leaves: st.SearchStrategy[Any] = scalars) -> st.SearchStrategy[Any]:
    """JSON values of a few levels, with these at their ends."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


def checked(body: bytes, media_type: bytes = b"application/json") -> None:
    """Check a body as every route does."""
    check_json({"headers": [(b"content-type", media_type)]}, body)


def judged(body: bytes) -> DeskgraphError | None:
    """Why a body is refused, or None; any other error is a crash of the test."""
    try:
        checked(body)
    except DeskgraphError as refusal:
        return refusal
    return None


def around(value: Any, levels: int) -> Any:
    """The value inside so many lists."""
    for _ in range(levels):
        value = [value]
    return value


@given(documents(), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_strict_json_passes(document: Any, ascii_only: bool, indent: Any) -> None:
    """However it is written."""
    checked(json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode())


@given(documents())
def test_what_passes_is_stored_as_it_is(document: Any) -> None:
    """The column types find nothing left to clean, so nothing is lost without a word."""
    checked(json.dumps(document).encode())
    assert storable(document) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_judged_without_a_crash(body: bytes) -> None:
    """Whatever comes, it is a document or a refusal."""
    refusal = judged(body)
    if refusal is None:
        json.loads(body)
    else:
        assert (refusal.status, refusal.code) == (400, "invalid-json")


@given(st.text(st.sampled_from('[]{}":,\\u0d8eE+-.1 \n'), max_size=60))
def test_any_json_like_text_is_judged_without_a_crash(text: str) -> None:
    """What passes is what Python reads, and holds nothing that is not JSON."""
    if judged(text.encode()) is None:
        again = json.dumps(json.loads(text), allow_nan=False, ensure_ascii=False)
        assert not SURROGATE.search(again)


bad_texts = st.builds(
    lambda left, bad, right: left + bad + right,
    texts.filter(lambda text: not text.endswith(tuple(map(chr, range(0xD800, 0xE000))))),
    st.sampled_from("\x00\ud800\udbff\udc00\udfff"),
    texts,
)


@given(bad_texts, st.integers(0, 5), st.booleans())
def test_bad_text_is_found_wherever_it_stands(text: str, levels: int, as_name: bool) -> None:
    """NUL and half a surrogate pair, in a value or a name, at any depth."""
    document = around({text: 1} if as_name else {"a": text}, levels)
    with pytest.raises(BodyError):
        checked(json.dumps(document).encode())


def test_surrogate_pair_is_a_character() -> None:
    """Both halves in the right order are an emoji, not an error."""
    checked(b'{"a": "\\ud83d\\ude42"}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 31])
@given(levels=st.integers(0, 5))
def test_number_that_is_none_is_found_wherever_it_stands(number: str, levels: int) -> None:
    """Python reads these; the next reader does not."""
    text = json.dumps(around("here", levels)).replace('"here"', number)
    with pytest.raises(BodyError):
        checked(text.encode())


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "1e308", "-0", "0.1"])
def test_number_within_bounds_passes(number: str) -> None:
    """The bounds are not narrower than they say."""
    checked(number.encode())


@given(texts, st.integers(0, 5), st.booleans())
def test_duplicate_name_is_found_wherever_it_stands(
    name: str, levels: int, ascii_only: bool
) -> None:
    """Also when the two are written differently."""
    first, second = json.dumps(name), json.dumps(name, ensure_ascii=ascii_only)
    text = json.dumps(around("here", levels)).replace('"here"', f"{{{first}: 1, {second}: 1}}")
    with pytest.raises(BodyError, match="twice"):
        checked(text.encode())


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_work_for_a_duplicate_name_grows_with_the_body_only() -> None:
    """Many names before the double one cost a few comparisons each, not one per pair of names."""
    names = [Counted(n) for n in range(2000)]
    Counted.comparisons = 0
    with pytest.raises(StrictJsonError):
        _unique([(name, 1) for name in [*names, Counted("twice"), Counted("twice")]])
    assert Counted.comparisons < 20 * len(names)


@given(st.integers(1, 2 * MAX_DEPTH), st.sampled_from(["1", "[]", "{}"]))
@example(MAX_DEPTH, "[]")
@example(MAX_DEPTH + 1, "[]")
@example(MAX_DEPTH + 1, "{}")
@example(MAX_DEPTH + 1, "1")
def test_depth_is_bounded(levels: int, innermost: str) -> None:
    """MAX_DEPTH lists or objects may lie in each other and not one more, an empty one included."""
    around_it = levels if innermost == "1" else levels - 1
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        text = opening * around_it + innermost + closing * around_it
        if levels <= MAX_DEPTH:
            check_value(json.loads(text))
            checked(text.encode())
        else:
            with pytest.raises(BodyError, match="nested"):
                checked(text.encode())


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_endless_depth_is_refused(opening: str) -> None:
    """The reader's own recursion limit is a refusal too."""
    with pytest.raises(BodyError, match="nested"):
        checked((opening * 40_000).encode())


@given(documents(), st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"]))
def test_other_encodings_are_refused(document: Any, encoding: str) -> None:
    """JSON on the wire is UTF-8 without a mark (RFC 8259, 8.1)."""
    with pytest.raises(BodyError):
        checked(json.dumps({"a": document}, ensure_ascii=False).encode(encoding))


@pytest.mark.parametrize(
    "media_type",
    [b"application/json", b"Application/JSON", b"application/json;charset=utf-8",
     b'application/json; charset="UTF-8"', b" application/json ; profile=x"],
)  # fmt: skip
def test_json_is_known_by_its_media_type(media_type: bytes) -> None:
    """In any case, with parameters."""
    checked(b"{}", media_type)


@given(st.binary(max_size=40).filter(lambda kind: b"application/json" not in kind.lower()))
def test_any_other_media_type_is_refused(media_type: bytes) -> None:
    """And no header crashes the check."""
    with pytest.raises(MediaTypeError):
        checked(b"{}", media_type)


@given(documents(), st.binary(max_size=30))
def test_every_refusal_has_a_code(document: Any, junk: bytes) -> None:
    """Broken at any place, the answer is one of ours."""
    text = json.dumps(document).encode()
    for body in (text[: len(text) // 2] + junk, junk + text, text + junk):
        refusal = judged(body)
        assert refusal is None or (refusal.code == "invalid-json" and refusal.detail)


@given(documents(), st.booleans())
def test_foreign_text_is_repaired(document: Any, surrogate: bool) -> None:
    """NUL, half a pair and bytes that are no UTF-8 do not make an answer unreadable."""
    bad = "\ud800" if surrogate else "\x00"
    body = json.dumps({"a": document, "b": f"x{bad}y", f"c{bad}": 1}).encode()
    assert parse_json(body, repair=True) == {"a": document, "b": "x\ufffdy", "c\ufffd": 1}
    assert parse_json(b'{"a": "\xff"}', repair=True) == {"a": "\ufffd"}
    with pytest.raises(StrictJsonError):
        parse_json(body)
