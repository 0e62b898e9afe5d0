"""Sentences that say to the customer what was done: phrases by language, filled with values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from string import Formatter
from typing import Protocol

from tools.language_tags import iso_language


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A sentence, or a part of one, in every language; `{places}` take values.

    Raises:
        ValueError: a language has other places than English.
    """

    en: str
    de: str
    fr: str
    es: str
    it: str
    pt: str
    nl: str
    ja: str

    def __post_init__(self) -> None:
        for language in LANGUAGES:
            if places(getattr(self, language)) != places(self.en):
                raise ValueError(f"{language} has other places than English: {self.en!r}")

    def fill(self, language: str | None, **values: "Value") -> str:
        """The phrase in the language, values inserted as they are.

        Raises:
            KeyError: a place has no value.
        """
        code = spoken(language)
        said = {name: in_language(value, language) for name, value in values.items()}
        text: str = getattr(self, code)
        return text.format(**said)


LANGUAGES: tuple[str, ...] = tuple(field.name for field in fields(Phrase))
# A phrase as a value is a word that each language has its own for.
Value = str | int | Phrase


@dataclass(frozen=True, slots=True)
class Sentence:
    """A phrase with its values, not yet in a language."""

    phrase: Phrase
    values: Mapping[str, Value]

    def text(self, language: str | None) -> str:
        """The sentence as the customer reads it."""
        return self.phrase.fill(language, **self.values)


class Names(Protocol):
    """What the customer calls things.

    A description may come from outside, and one that could be more than a name (a link, markup, a
    sentence, an order) is not repeated: the id stands for it.
    """

    def __call__(self, id_: str, description: str | None = None) -> str:
        """The description, or what the run has read under that id, if it is a plain name."""
        ...


def spoken(language: str | None) -> str:
    """The language that code speaks for a code such as "pt-BR"; English if it is none of ours."""
    code = iso_language(language)
    return code if code in LANGUAGES else "en"


def in_language(value: Value, language: str | None) -> str | int:
    """A value as it stands in a sentence of that language."""
    return value.fill(language) if isinstance(value, Phrase) else value


def places(text: str) -> set[str]:
    """The names of the values that a phrase takes."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}
