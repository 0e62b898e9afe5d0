"""Language tags of BCP 47, such as "pt-BR": whether one is valid, and its language.

Read with langcodes (0.2 MB, no dependencies): IANA's registry has 8,000 languages, 180 of them
with two letters.
"""

from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

# Stands for an unknown language.
UNDETERMINED = "un"
# Source: RFC 5646, section 4.4.1: no tag in use is longer.
MAX_CHARS = 35
# Both forms of written Norwegian are read as one language (source: ISO 639-3, macrolanguages).
NORWEGIAN = {"nb": "no", "nn": "no"}


def is_language_tag(tag: str) -> bool:
    """Whether a text is a tag of BCP 47 with registered parts and a language: "pt-BR", "EN"."""
    return _read(tag)[0]


def iso_language(tag: str | None) -> str:
    """The language of a tag by its shortest code, or UNDETERMINED: "pt" for "pt-BR" and "por".

    Region and script are left out: we search and speak by language alone.
    """
    return _read((tag or "").strip())[1]


@lru_cache(maxsize=1024)
def _read(tag: str) -> tuple[bool, str]:
    """Whether the tag is valid as it stands, and its language.

    langcodes keeps every tag that it ever read; a ticket or a model could fill the memory so.
    """
    if len(tag) > MAX_CHARS:
        return False, UNDETERMINED
    try:
        given = langcodes.get(tag, normalize=False)
        valid = given.is_valid() and given.language is not None
        language = langcodes.get(tag).language if langcodes.tag_is_valid(tag) else None
    except LanguageTagError:
        valid, language = False, None
    langcodes.Language._PARSE_CACHE.clear()  # noqa: SLF001  # it has no bound and no other way
    langcodes.Language._INSTANCES.clear()  # noqa: SLF001  # the same
    return valid, NORWEGIAN.get(language, language) if language else UNDETERMINED
