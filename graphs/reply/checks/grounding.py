"""Each claim of a reply is found in an article that it cites: a lexical test by sentence."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from graphs.reply.checks.deeds import tells_hand_over
from graphs.reply.checks.draft_case import Case
from graphs.reply.checks.idioms import COURTESY
from graphs.reply.checks.promises import mentions
from graphs.text.bounds import READ_CHARS
from graphs.text.language import CONFIDENT, language_of
from graphs.text.normalize import folded, sentences, squeezed
from graphs.text.tokens import NUMBER, WORD, content_words, main_language, numbers
from tools.wording import LANGUAGES

# Share of a claim's content words that one cited passage must hold; docs/workflow.md has the
# measurement that chose it.
SUPPORTED = 0.7
# A sentence of fewer content words ("Please try it.") says too little to be a claim.
MIN_WORDS = 3
# Words that order or soften a claim and claim nothing themselves.
FILLER = content_words(
    "first then simply again just next easily directly below following step steps sure make check "
    "zuerst einfach zunächst bitte abord ensuite primero luego prima poi primeiro eerst",
    "en",
)
# A sentence of the passage is about the same as the claim from this share of its words on.
ALIKE = 0.7
NEGATION = re.compile(
    r"\b(?:not|no|never|cannot|nobody|none|nothing|neither|nor|without|unable|n't|\w+n't"
    r"|nicht|kein\w*|nie|niemals|ohne|niemand|nichts|ne|n'\w+|pas|jamais|sans|aucun\w*|rien"
    r"|nunca|jamas|sin|ningun\w*|nadie|nada|non|mai|senza|nessun\w*|nao|sem|nenhum\w*|ninguem"
    r"|niet|geen|nooit|zonder|niemand)\b|ません|ない(?!と)|なかった"
)
CLAUSE = re.compile(
    r"[,;:(){}\u3001]|\b(?:and|but|because|so that|while|und|aber|weil|denn|sondern|et|mais|car"
    r"|y|pero|porque|e|ma|perche|mas|en|maar|omdat|want)\b"
)
MAX_COURTESY_WORDS = 14
# A capitalised word that begins no sentence and no item of a list.
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b(?! (?:regards|wishes))")


def support(case: Case) -> Iterator[str]:
    """Each claim needs one cited passage, or the books, that holds enough of its words."""
    if case.passages and not (case.cited or case.records):
        # The rule on citations says so already.
        return
    language = main_language("\n".join(case.cited)) if case.cited else main_language(case.text)
    passages = [passage_of(text, language) for text in case.cited]
    books = content_words(folded(case.records), language)
    foreign = bool(case.cited) and _foreign(case, language)
    for sentence in claims(case):
        words = content_words(sentence, language) - FILLER
        if share(words, books) >= SUPPORTED:
            continue
        if foreign:
            # Across languages only names, codes and numbers compare; other rules hold numbers.
            continue
        reason = _why_not(sentence, words, passages)
        if reason:
            yield f"{reason} {sentence.strip()[:300]!r}: say only what a cited article says."
    yield from _names(case)


def _names(case: Case) -> Iterator[str]:
    """A name amid a sentence stands in a fact or in the ticket; German writes all nouns so."""
    names = dict.fromkeys(NAME.findall(case.text))
    if not names or not case.cited or language_of(case.text)[0] == "de":
        return
    known = content_words(folded(f"{case.sources}\n{case.asked[:READ_CHARS]}"), "en")
    for name in names:
        if not content_words(folded(name), "en") <= known:
            yield f"The name {name!r} stands in no fact: leave it out."


def claims(case: Case) -> Iterator[str]:
    """The folded sentences that state something: no question, courtesy or word about an effect."""
    values = [value for effect in case.facts["effects"] for value in effect["values"]]
    names = [squeezed(folded(value)) for value in values]
    for sentence in sentences(case.folded):
        plain = squeezed(sentence)
        stated = any(mentions(sentence, value) for value in values)
        stated = stated or any(name in plain for name in names) or tells_hand_over(case, sentence)
        polite = COURTESY.match(sentence) and len(WORD.findall(sentence)) <= MAX_COURTESY_WORDS
        asks = sentence.rstrip().endswith(("?", "？", ":", "："))
        if not (stated or polite or asks) and len(content_words(sentence) - FILLER) >= MIN_WORDS:
            yield sentence


class Passage:
    """A cited passage, taken apart once: its words, and its clauses each with their words."""

    def __init__(self, text: str, language: str) -> None:
        plain = folded(text)
        self.language = language
        self.words = content_words(plain, language)
        self.numbers = numbers(plain)
        different = dict.fromkeys(clauses(plain))
        self.clauses = [(c, content_words(c, language)) for c in different]

    def near(self, clause: str) -> list[str]:
        """Its clauses about the same, numbers aside: those that hold the most of its words."""
        words = {word for word in content_words(clause, self.language) if not word[0].isdigit()}
        if len(words) < MIN_WORDS - 1:
            return []
        shares = [(share(words, said), clause) for clause, said in self.clauses]
        most = max((held for held, _ in shares), default=0.0)
        return [clause for held, clause in shares if held >= max(most, ALIKE)]


@lru_cache(maxsize=200)
def passage_of(text: str, language: str) -> Passage:
    """The passage; articles are cited again and again."""
    return Passage(text, language)


def clauses(text: str) -> list[str]:
    """The clauses of a text: what stands between commas and between joining words."""
    return [c for s in sentences(text) for c in CLAUSE.split(s) if c.strip()]


def share(words: set[str], among: set[str]) -> float:
    """How much of the words stands among the others; 1 when there are none."""
    return len(words & among) / len(words) if words else 1.0


def measures(text: str) -> set[tuple[str, str]]:
    """Each number with the word behind it, such as 2 and "gb"."""
    words = re.findall(r"\d+(?:[.,:]\d+)*|%|[^\W\d_]+", text)
    return {(a, b[:4]) for a, b in pairwise(words) if NUMBER.fullmatch(a) and not b[0].isdigit()}


def _why_not(sentence: str, words: set[str], passages: list[Passage]) -> str | None:
    """What is wrong with a claim in every cited passage; None when one of them holds it."""
    reason: str | None = "No cited article contains"
    for passage in passages:
        if share(words, passage.words) < SUPPORTED or numbers(sentence) - passage.numbers:
            continue
        found = [(clause, passage.near(clause)) for clause in clauses(sentence)]
        if any(flipped(part, near) for part, near in found):
            reason = "The cited article says the opposite of"
        elif any(swapped(part, near) for part, near in found):
            reason = "The cited article has other numbers in"
        else:
            return None
    return reason


def flipped(clause: str, near: list[str]) -> bool:
    """Whether just one of them is negated: the clause, or all of the article's about the same."""
    negated = bool(NEGATION.search(clause))
    return bool(near) and all(bool(NEGATION.search(said)) != negated for said in near)


def swapped(sentence: str, near: list[str]) -> bool:
    """Whether numbers or their units differ from those of every sentence about the same."""
    stated, values = measures(sentence), numbers(sentence)
    return bool(near and stated) and all(
        values - numbers(said) or _has_other_units(stated, measures(said)) for said in near
    )


def _has_other_units(stated: set[tuple[str, str]], held: set[tuple[str, str]]) -> bool:
    """Whether a number stands in both with different words behind it."""
    return not {number for number, _ in held}.isdisjoint(number for number, _ in stated - held)


def _foreign(case: Case, language: str) -> bool:
    """Whether the reply is surely in another language than the articles it cites.

    Only one in which the other rules know promises and deeds: words of no other can be let go.
    """
    written, sure = language_of(case.text)
    return sure >= CONFIDENT and written != language and written in LANGUAGES
