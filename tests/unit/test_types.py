"""Column types: what Postgres cannot store never reaches it."""

import json
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql.base import PGDialect

from app.db.core.types import EnumText, SafeJson, SafeText, storable
from app.lifecycle import ApprovalStatus, RunStatus

# Every code point, lone surrogates and U+0000 among them.
ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)
DIALECT = PGDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


@given(value=ANY_JSON)
def test_storable_json_is_what_postgres_takes(value: object) -> None:
    """UTF-8 without U+0000, and a second cleaning changes nothing."""
    clean = storable(value)
    text = json.dumps(clean, ensure_ascii=False)
    assert "\\u0000" not in text
    assert text.encode("utf-8")
    assert storable(clean) == clean


@given(value=st.text())
def test_good_text_stays_as_it_is(value: str) -> None:
    """Every script, every sign, only U+0000 is left out."""
    assert storable(value) == value.replace("\x00", "")


def test_what_is_cleaned_and_what_is_not() -> None:
    """Keys as well as values, at every depth; a tuple becomes a list."""
    dirty = {"a\x00": ["x\x00y", {"\ud800": ("\udfff!", 1, None, True)}]}
    assert storable(dirty) == {"a": ["xy", {"?": ["?!", 1, None, True]}]}


def test_columns_clean_on_the_way_in() -> None:
    """Text and JSON; None stays NULL."""
    assert SafeText().process_bind_param("a\x00b", DIALECT) == "ab"
    assert SafeText().process_bind_param(None, DIALECT) is None
    json_in = SafeJson().bind_processor(DIALECT)
    assert json.loads(json_in({"a": "\x00"}) or "") == {"a": ""}
    assert json_in(None) is None


class Score(float):
    """As numpy's numbers are."""


class Pair(NamedTuple):
    """A tuple with names."""

    low: int
    high: int


def test_columns_store_numbers_as_numbers_and_refuse_what_json_has_no_form_for() -> None:
    """Nothing becomes a text silently: it would be read back as another value."""
    json_in = SafeJson().bind_processor(DIALECT)
    assert json.loads(json_in({"a": Score(0.5), "b": Pair(1, 2)}) or "") == {"a": 0.5, "b": [1, 2]}
    for strange in (Decimal("1.5"), {1}, b"x"):
        with pytest.raises(TypeError):
            json_in({"a": strange})


def test_status_is_a_member_both_ways() -> None:
    """What is no status is refused before the database does, and read back as a member."""
    column = EnumText(RunStatus)
    assert column.process_bind_param(RunStatus.RUNNING, DIALECT) == "running"
    assert column.process_result_value("running", DIALECT) is RunStatus.RUNNING
    assert column.process_bind_param(None, DIALECT) is None
    assert column.process_result_value(None, DIALECT) is None
    with pytest.raises(ValueError, match="expired"):
        column.process_bind_param(ApprovalStatus.EXPIRED, DIALECT)
    with pytest.raises(ValueError, match="asleep"):
        column.process_result_value("asleep", DIALECT)
