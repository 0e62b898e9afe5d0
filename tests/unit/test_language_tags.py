"""Languages are named by tags of BCP 47: valid ones are taken as given, and read by language."""

import langcodes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.api.schemas import LanguageTag
from app.services.runs.merge_messages import merged
from tools import language_tags
from tools.language_tags import UNDETERMINED, iso_language

TAG: TypeAdapter[str] = TypeAdapter(LanguageTag)


@pytest.mark.parametrize(
    ("tag", "read"),
    [("pt-BR", "pt"), ("en-US", "en"), ("EN", "en"), ("de", "de"), ("zh-Hant-TW", "zh"),
     ("es-419", "es"), ("sr-Latn-RS", "sr"), ("fil", "fil"), ("yue-HK", "yue"), ("nb-NO", "no"),
     ("de-1996", "de"), ("iw", "he"), ("en-u-ca-gregory", "en")],
)  # fmt: skip
def test_valid_tag_is_kept_and_read_by_its_language(tag: str, read: str) -> None:
    """Nothing is normalised away; search and phrases see the language alone."""
    assert TAG.validate_python(tag) == tag
    assert iso_language(tag) == read


@pytest.mark.parametrize(
    "tag",
    ["", "e", "xx", "zzz", "english", "eng", "en-", "-en", "en--US", "de_AT", "en US", "x-foo",
     "en-abcdefghi", "und", "en\n", "é", "en-\u0661", "a" * 36],
)  # fmt: skip
def test_unknown_tag_is_refused_with_a_sentence(tag: str) -> None:
    """A language that is not registered, or no tag at all."""
    with pytest.raises(ValidationError, match=r"BCP 47|pattern|at most") as refused:
        TAG.validate_python(tag)
    [error] = refused.value.errors()
    assert "Value error" not in error["msg"]


@given(st.text(max_size=40) | st.text(st.sampled_from("abxe-_0 "), max_size=40))
def test_any_text_is_judged_without_a_crash(text: str) -> None:
    """Whatever a model or a helpdesk calls a language."""
    assert iso_language(text)
    try:
        TAG.validate_python(text)
    except ValidationError:
        return
    assert iso_language(text) != UNDETERMINED


@pytest.mark.parametrize(
    ("tags", "kept"),
    [(["pt-BR", "pt"], "pt-BR"), (["EN", None, "en-US"], "EN"), (["pt-BR", "es"], None),
     ([None, "pt-BR"], "pt-BR"), ([None], None)],
)  # fmt: skip
def test_merged_messages_agree_by_language(tags: list[str | None], kept: str | None) -> None:
    """Two tags of one language are no two languages."""
    tickets = [{"id": "T-1", "body": "b", "language": tag} for tag in tags]
    assert merged(tickets)["language"] == kept


def test_tags_of_tickets_fill_no_memory() -> None:
    """However many tags are read, a bounded number is kept."""
    for number in range(3000):
        assert iso_language(f"en-x-{number}") == "en"
    kept = langcodes.Language._PARSE_CACHE, langcodes.Language._INSTANCES
    assert [len(cache) for cache in kept] == [0, 0]
    assert language_tags._read.cache_info().currsize <= 1024
