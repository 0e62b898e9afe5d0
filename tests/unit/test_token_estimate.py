"""Estimated tokens, and texts cut to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.knowledge.tokenize import parts, spaced
from graphs.llm.token_estimate import clip, estimate_tokens

TEXT = st.text(alphabet="ab. !\n日本語。ไทย한", max_size=200)


@given(text=TEXT, tokens=st.integers(0, 60))
def test_a_clipped_text_is_a_beginning_that_fits(text: str, tokens: int) -> None:
    """Never more than asked for, never other words, and all of it when all fits."""
    clipped = clip(text, tokens)
    assert text.startswith(clipped)
    assert estimate_tokens(clipped) <= tokens or not clipped
    assert (clipped == text) or estimate_tokens(text) > tokens


def test_dense_scripts_cost_more_than_letters() -> None:
    """Four letters a token, one Han character a token."""
    assert (estimate_tokens("abcdefgh"), estimate_tokens("日本語"), estimate_tokens("")) == (
        2,
        3,
        0,
    )


@pytest.mark.parametrize("text", ["ﾊﾟｽ", "안녕", "𠮷野", "မြန်", "ខ្មែ", "ไทย"])
def test_no_script_without_spaces_is_cheap(text: str) -> None:
    """A token a character at least, in halfwidth and beyond the basic plane as well."""
    assert estimate_tokens(text) == len(text)


def test_a_cut_text_ends_with_a_sentence() -> None:
    """No half sentence reaches the model."""
    assert (
        clip("One is here. Two is there. Three goes on and on", 8) == "One is here. Two is there."
    )


def test_a_letter_is_asked_sentence_by_sentence() -> None:
    """Greeting words go, and what is said twice is asked once."""
    letter = (
        "Hi! The upload fails. Please help. The upload fails.\nHow do I reset it, and who pays?"
    )
    assert parts([letter]) == ["upload fails.", "reset", "pays?"]


def test_characters_without_spaces_become_pairs() -> None:
    """Overlapping, and words of other scripts stay as they are."""
    assert spaced("E42の意味").split() == ["E42", "の意", "意味"]
