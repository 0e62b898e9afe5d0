"""Numbers and money in words, folded (small letters, no accents), in the reply's languages."""

import re

# Each language counts from one to twelve here, for spans of time.
_COUNTS = {
    "en": "one two three four five six seven eight nine ten eleven twelve",
    "de": "ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "un dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "it": "un due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pt": "um dois tres quatro cinco seis sete oito nove dez onze doze",
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "ja": "一 二 三 四 五 六 七 八 九 十 十一 十二",
}
COUNTS = {
    word: str(n) for words in _COUNTS.values() for n, word in enumerate(words.split(), start=1)
} | {"zweier": "2", "duas": "2", "couple of": "2"}
# "a day", "eine Woche" are no counts: the article would be read as a number everywhere.
for _article in ("ein", "un", "um", "een"):
    del COUNTS[_article]

_WORDS = (
    # en, nl, de: compounds in one word, so any word that holds a numeral counts.
    r"[a-z]*(?:hundred|thousand|million|hundert|tausend|honderd|duizend|zwanzig|dreissig|vierzig"
    r"|funfzig|sechzig|siebzig|achtzig|neunzig|twintig|dertig|veertig|vijftig|zestig|zeventig"
    r"|tachtig|negentig)[a-z]*"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)(?:ty|teen)|(?:four|six|seven|eigh|nine|fif|thir)teen"
    r"|dozens?|couple|few|half|grand"
    # fr, es, it, pt
    r"|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|soixante|cents?|mille"
    r"|veinti?\w*|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien(?:to|tos|tas)?"
    r"|\w+cient[oa]s|quinient[oa]s|mil"
    r"|venti\w*|trenta\w*|quaranta\w*|cinquanta\w*|sessanta\w*|settanta\w*|ottanta\w*|novanta\w*"
    r"|\w*cento\w*|\w*mila"
    r"|vinte|trinta|quarenta|cinquenta|sessenta|oitenta|cem|duzentos|trezentos|quinhentos|\w+centos"
)
_CURRENCIES = (
    r"dollars?|bucks?|euros?|pounds?|quid|yen|cents?|francs?|franken|dolares|dolar|dollari|dolares"
    r"|libras?|pesos?|reais|kron(?:er|or)|rupees?|yuan|usd|eur|gbp|jpy|grand"
)
_ARTICLES = ("a", "an", "ein", "eine", "un", "une", "una", "um", "uma", "een")
_SMALL = "|".join(sorted((w for w in (*COUNTS, *_ARTICLES) if w.isascii()), key=len, reverse=True))
# One word of a number, read in one way only; no such word is longer than 60 letters.
_NUMBER_WORD = rf"(?>(?=\w{{1,60}}(?!\w))(?:{_WORDS}|{_SMALL})(?!\w))"
_JOINED = r"(?:\s(?:(?:and|und|et|y|e|en|of|de)\s|d'\s?)|[ -])"
_KANJI = "[一二三四五六七八九十百千万億〇]"
# Up to six words of a number, then a currency: "five hundred and ten dollars".
COUNTED_MONEY = re.compile(
    rf"(?<!\w)(?:{_NUMBER_WORD}{_JOINED}){{1,6}}(?:{_CURRENCIES})\b"
    rf"|(?<!\w)(?:\w{{0,30}}(?:hundert|tausend|zig|zehn|honderd|duizend|tig))(?:{_CURRENCIES})\b"
    rf"|(?<!{_KANJI}){_KANJI}++\s?(?:円|ドル|ユーロ|ポンド|元|美元|欧元)"
)
