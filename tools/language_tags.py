"""Language tags of BCP 47, such as "pt-BR": whether one is valid, and its language.

Read with langcodes (0.2 MB, no dependencies): IANA's registry has 8,000 languages, 180 of them
with two letters.
"""

import langcodes
from langcodes.tag_parser import LanguageTagError

# Stands for an unknown language.
UNDETERMINED = "un"
# Both forms of written Norwegian are read as one language (source: ISO 639-3, macrolanguages).
NORWEGIAN = {"nb": "no", "nn": "no"}


def is_language_tag(tag: str) -> bool:
    """Whether a text is a tag of BCP 47 with registered parts and a language: "pt-BR", "EN"."""
    try:
        found = langcodes.get(tag, normalize=False)
    except LanguageTagError:
        return False
    return found.is_valid() and found.language is not None


def iso_language(tag: str | None) -> str:
    """The language of a tag by its shortest code, or UNDETERMINED: "pt" for "pt-BR" and "por".

    Region and script are left out: we search and speak by language alone.
    """
    tag = (tag or "").strip()
    if not langcodes.tag_is_valid(tag):
        return UNDETERMINED
    language = langcodes.get(tag).language or UNDETERMINED
    return NORWEGIAN.get(language, language)
