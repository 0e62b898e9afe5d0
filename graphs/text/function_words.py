"""Function words, and a few of other uses, one data file a language: `data/words`.

Function words are too common to say what a text is about, and typical of its language. They were
written by hand for tickets and replies, from no corpus. The lists of `stop-words` and
`stopwordsiso` were tried and do not fit: their English has over 1,200 words, among them "open",
"help" and "page".
"""

import json
from pathlib import Path

FILES = Path(__file__).parent / "data" / "words"
_DATA: dict[str, dict[str, str]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(FILES.glob("*.json"))
}
FUNCTION_WORDS = {code: frozenset(data["function_words"].split()) for code, data in _DATA.items()}
# Words that add something, such as "and", in the languages of our replies.
JOINING_WORDS = tuple(sorted({word for data in _DATA.values() for word in data["joins"].split()}))


def _all(key: str) -> tuple[str, ...]:
    return tuple(sorted({word for data in _DATA.values() for word in data.get(key, "").split()}))


# Behind a comma, a clause of its own begins with one of these.
CLAUSE_JOINS = _all("clause_joins")
# Who says or does something, and how words for what we might do begin: no product is called so.
PERSONS, DEED_STEMS = _all("persons"), _all("deed_stems")
