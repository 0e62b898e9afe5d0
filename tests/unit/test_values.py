"""Values compare by what they are, in any notation and language; names are no values."""

import pytest

from graphs.reply.values import unsupported_values


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It costs 1.234,50 EUR.", "EUR 1,234.50"),
        ("Das kostet 1 234,50 €.", "€1,234.50 a year"),
        ("$49", "49.00 USD"),
        ("月額9ドル", "$9 per month"),
        ("It is ₹1,00,000.", "100000 INR"),
        ("It is ₹10,00,000.", "1000000 INR"),
        ("USD49", "49.00 USD"),
        ("Am 3. Juni 2026", "3 June 2026"),
        ("2026-06-03", "June 3rd, 2026"),
        ("am 3. Juni", "6月3日"),
        ("6月3日", "On 3 June 2026"),
        ("el 3 de junio de 2026", "3.6.2026"),
        ("le 3 juin", "2026年6月3日"),
        ("in June 2026", "3 June 2026"),
        ("5/11/2026", "5 November 2026"),
        ("from 8 am to 6 pm", "08:00 bis 18:00 Uhr"),
        ("8-17 Uhr", "from 8:00 to 17:00"),
        ("18時まで", "until 6 p.m."),
        ("in 48 hours", "within 2 days"),
        ("within two weeks of it", "14 days"),
        ("zwölf Zeichen sind für das Passwort nötig", "12 characters"),
        ("fünfundzwanzig Nutzer können sich anmelden", "25 users"),
        ("treinta y uno usuarios pueden entrar en la cuenta", "31 users"),
        ("三日以内に返信します", "within 3 days"),
        ("fifty percent", "50 %"),
        ("You get 50 %.", "cinquante pour cent"),
        ("5〜10日", "5 to 10 days"),
        ("Pro costs 49 USD", "| Plan | USD |\n|--|--|\n| Pro | 49 |"),
        ("120 requests per minute", "| Requests | 120 per minute |"),
        ("the 6-digit code", "the six-digit code"),
        ("**2** GB", "2 GB"),
        ("See https://example.com/a.", "Read https://example.com/a, then ask."),
        ("Version 2.3.1", "since 2.3.1"),
        ("See shop.example", "the shop.example-based plan"),
        ("See shop.co-op.example", "shop.co-op.example"),
    ],
)
def test_same_value_stands(claim: str, evidence: str) -> None:
    """However either of them writes it."""
    assert unsupported_values(claim, [evidence]) == []


@pytest.mark.parametrize(
    ("claim", "evidence", "named"),
    [
        ("49 EUR", "49.00 USD", "49 EUR"),
        ("up to 2 GB", "2 MB", "2 GB"),
        ("30 days", "30 minutes", "30 days"),
        ("50 %", "50 users", "50 %"),
        ("1.234 EUR", "1,23 EUR", "1.234 EUR"),
        ("3 June 2026", "3 June", "3 June 2026"),
        ("11 May", "5 November", "11 May"),
        ("at 8 pm", "at 8:00", "8 pm"),
        ("error 36", "error -36", "36"),
        ("twelve users can join", "10 users", "twelve"),
        ("USD500 come back", "49 USD", "USD500"),
        ("EUR-500 come back", "49 EUR", "EUR-500"),
        ("Within _90_ days", "30 days", "90 days"),
        ("INR 5,00,000", "500 INR", "INR 5,00,000"),
        ("You get\n500. USD", "49 USD", "500"),
        ("See evil[.]shop", "example.com", "evil[.]shop"),
        ("See evil dot shop", "example.com", "evil dot shop"),
        ("zwölf Nutzer können sich anmelden", "10 Nutzer", "zwölf"),
        ("三日以内に返信します", "2日以内", "三日"),
        ("We pay five hundred dollars to you.", "We pay.", "five hundred dollars"),
        ("$5M for you", "-", "$5"),
        ("See evil.example/x", "See good.example", "evil.example/x"),
        ("Ask bob@other.example", "Ask ann@example.com", "bob@other.example"),
        ("https://example.com/a/b", "https://example.com/a", "https://example.com/a/b"),
        ("Version 2.3.1", "since 2.3.2", "2.3.1"),
        ("See shop.co", "Read shop.co-op.example", "shop.co"),
        ("See shop.co-op.evil", "Read shop.co-op.example", "shop.co-op.evil"),
        ("See evil.example", "Ask ann@evil.example", "evil.example"),
    ],
)
def test_other_value_is_named(claim: str, evidence: str, named: str) -> None:
    """Another number, another thing counted, or more than the evidence says."""
    assert unsupported_values(claim, [evidence]) == [named]


@pytest.mark.parametrize(
    "claim",
    [
        "E42 appears.", "Use 2FA, 4K and UTF-8 with pay_1001.", "Press two-factor and one-time.",
        "1. Open Settings.\n2. Choose Storage.\n3) Wait.", "1. Open Settings. 2. Choose Storage.",
        "One of them works.", "You may do it.", "Yes, with the desktop app.", "",
    ],
)  # fmt: skip
def test_name_and_step_are_no_values(claim: str) -> None:
    """What joins letters and digits is a name, which only a verifier can judge."""
    assert unsupported_values(claim, ["Nothing."]) == []


def test_several_quotes_are_one_evidence() -> None:
    """Each value stands in one of them."""
    assert unsupported_values("2 GB in 3 days", ["2 GB", "3 days"]) == []
    assert unsupported_values("2 GB in 3 days", []) == ["2 GB", "3 days"]


INFLECTED = [
    ("Promocja trwa do 5 listopada 2026.", "until 5 November 2026", "do 5 grudnia 2026"),
    ("Link jest ważny 60 minut.", "valid for 60 minutes", "60 godzin"),
    ("Odpowiadamy w ciągu 48 godzin.", "within two days", "48 dni"),
    ("Limit wynosi 15 tys. dolarów.", "up to $15,000", "15 dolarów"),
    ("Zwrot do 49 dolarów.", "refunds up to 49 USD", "49 zł"),
    ("Akce platí do 5. listopadu 2026.", "until 5 November 2026", "5. prosince 2026"),
    ("Odkaz platí 2 hodiny.", "valid for 120 minutes", "2 dny"),
    ("Акция до 5 ноября 2026 года.", "until 5 November 2026", "5 декабря 2026"),
    ("Лимит 25 тыс. долларов.", "$25,000", "25 рублей"),
    ("Voimassa 5. marraskuuta 2026 asti.", "until 5 November 2026", "5. joulukuuta 2026"),
    ("Linkki on voimassa 60 minuuttia.", "valid for 60 minutes", "60 tuntia"),
    ("A link 60 percig érvényes.", "valid for 60 minutes", "60 napig"),
    ("2026. november 5-ig", "until 5 November 2026", "2026. december 5-ig"),
    ("Până la 5 noiembrie 2026.", "until 5 November 2026", "5 decembrie 2026"),
    ("5 Kasım 2026 tarihine kadar.", "until 5 November 2026", "5 Aralık 2026"),
    ("μέχρι τις 5 Νοεμβρίου 2026", "until 5 November 2026", "5 Δεκεμβρίου 2026"),
    ("Länken gäller i 3 dagar.", "valid for 3 days", "3 veckor"),
    ("Linket gælder i 3 dage.", "valid for 3 days", "3 uger"),
    ("Lenken er gyldig i 3 dager.", "valid for 3 days", "3 uker"),
]


@pytest.mark.parametrize(("claim", "evidence", "other"), INFLECTED)
def test_values_are_read_in_inflected_words(claim: str, evidence: str, other: str) -> None:
    """In languages of customers in which the service says no sentence of its own."""
    assert unsupported_values(claim, [evidence]) == []
    assert unsupported_values(other, [evidence]) != []
