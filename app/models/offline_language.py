"""Offline language: by script, else by the most frequent function words."""

import re

SCRIPTS = (("ja", r"[\u3040-\u30ff]"), ("ko", r"[\uac00-\ud7af]"), ("zh", r"[\u4e00-\u9fff]"),
           ("ru", r"[\u0400-\u04ff]"), ("ar", r"[\u0600-\u06ff]"))  # fmt: skip
FUNCTION_WORDS = {
    "en": "the and is are my i you to for of it not please what how can",
    "de": "der die das und ist ich nicht mein meine wie bitte ein eine kann mich wurde",
    "fr": "le la les et est je ne pas mon ma vous une des pour comment bonjour",
    "es": "el los las y es mi no por una un cómo para que gracias hola",
    "it": "il lo gli e è non mio mia per una come che grazie sono ho",
    "nl": "de het een en is ik niet mijn voor hoe van dat kan wordt",
    "pt": "o os as e é não meu minha para uma como que obrigado",
}


def language(text: str) -> str:
    """ISO 639-1 by script, else by the most frequent function words; "un" when none occurs."""
    for code, script in SCRIPTS:
        if re.search(script, text):
            return code
    words = re.findall(r"[^\W\d_]+", text.casefold())
    hits = {code: sum(w in known.split() for w in words) for code, known in FUNCTION_WORDS.items()}
    code = max(hits, key=lambda c: hits[c])
    return code if hits[code] else "un"
