"""Words are compared by language, stem and script; a language is named only when it shows."""

import pytest

from graphs.text.language import CONFIDENT, language_of
from graphs.text.tokens import content_words, main_language
from tests.unit.desk import article
from tests.unit.replies import GOOD, HOSTILE


def shared(question: str, text: str) -> float:
    """The share of the question's words that the text has."""
    language = main_language(question)
    asked = content_words(question, language)
    return len(asked & content_words(text, language)) / len(asked)


@pytest.mark.parametrize(
    ("question", "found", "other"),
    [
        ("請求書をダウンロードするにはどうすればいいですか", "invoices-ja", "upload-error-e42"),
        ("Wie kann ich mein Passwort zurücksetzen?", "passwort-zuruecksetzen", "oeffnungszeiten"),
        (
            "How do I set up two factor authentication?",
            "two-factor-authentication",
            "browser-support",
        ),
        ("Do uploads stop when storages are full?", "storage-limits", "keyboard-shortcuts"),
    ],
)
def test_question_meets_its_article(question: str, found: str, other: str) -> None:
    """Whatever script it is asked in, the article that answers covers it, another does not."""
    assert shared(question, article(found)["text"]) >= 0.5
    assert shared(question, article(other)["text"]) < 0.3


@pytest.mark.parametrize(
    ("question", "found", "other"),
    [
        ("비밀번호를 재설정하나요?", "비밀번호는 여기서 재설정합니다.", "환불은 검토됩니다."),
        ("စကားဝှက်ပြောင်းချင်တယ်", "စကားဝှက်ကိုပြောင်းရန်", "ငွေပြန်အမ်းခြင်း"),
    ],
)  # fmt: skip
def test_words_without_spaces_meet(question: str, found: str, other: str) -> None:
    """Neither a Korean particle nor the words around a Myanmar one keep a word from its like."""
    assert shared(question, found) >= 0.5
    assert shared(question, other) < 0.3


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("two-factor", "two factor"), ("e-mail", "email"), ("Wi-Fi", "wifi"), ("E-42", "e42"),
        ("sign\u2011in page", "sign-in page"), ("uploading", "uploads"), ("Dateien", "datei"),
        ("สวัสดีครับ", "สวัสดีครับ"), ("重置密码", "重置密码"),
    ],
)  # fmt: skip
def test_spellings_of_a_word_are_one(left: str, right: str) -> None:
    """Hyphens, dashes, case and endings make no other word."""
    language = "de" if left == "Dateien" else "en"
    assert content_words(left, language) == content_words(right, language) != set()


@pytest.mark.parametrize("text", ["", " ", "the of and", "?!", "🙂"])
def test_text_without_content_has_no_words(text: str) -> None:
    """Nothing of it says what it is about."""
    assert content_words(text) == set()


def test_language_is_never_confidently_wrong() -> None:
    """Of the good replies, most are recognised, and none as another language."""
    seen = [(good.language, *language_of(good.text)) for good in GOOD]
    assert [s for s in seen if s[2] >= CONFIDENT and s[0] != s[1]] == []
    assert sum(s[0] == s[1] for s in seen) / len(seen) > 0.9


@pytest.mark.parametrize("text", ["", "12 345", "xyzzy plugh", *HOSTILE["secrets"][:4]])
def test_text_without_words_has_no_language(text: str) -> None:
    """Digits and made-up words are no language."""
    assert language_of(text)[1] < CONFIDENT
