"""What of a text may leave with a trace, whatever stands around it."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.observability.masks import (
    ADDRESS,
    NUMBERS,
    PIECE_CHARS,
    without_personal_data,
    without_secrets,
)
from app.observability.redaction import Redactor
from app.observability.trace_text import TraceText

UUID = "01234567-0123-4123-8123-012345678901"
PERSONAL = {
    "email": "zyx.private@hidden.example",
    "escaped": "zyx.private%40hidden.example",
    "phone": "+49 171 5550199",
    "national": "0171/5550199",
    "american": "(555) 123-4567",
    "card": "4111 1111 1111 1111",
    "digits": "4111111111111111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "compact": "GB29NWBK60161331926819",
    "name": "Zyxanna",
    "cyrillic": "\u0410\u043d\u043d\u0430",
}
SECRETS = {
    "openai": "sk-proj-Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4G",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "own": "dg_0123456789ab_Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4GZx81mKq02Lp",
    "stripe": "sk_live_Zx81mKq02LpQ7vNc55tY",
}
# Words of people, and the marks between which a marker may stand.
AROUND = st.text(alphabet="abc xyz,.;:!?\n()\"'\u00e9\u3042", max_size=2 * PIECE_CHARS)
EDGES = st.sampled_from([" ", "\n", ", ", " (", ": ", "\t"])


@given(before=AROUND, edge=EDGES, after=AROUND, marker=st.sampled_from(sorted(PERSONAL.values())))
def test_no_personal_data_stays(before: str, edge: str, after: str, marker: str) -> None:
    """At any place and depth, in prose and in JSON within a text."""
    redactor = Redactor("redacted", ["Zyxanna Qworpel", PERSONAL["cyrillic"]])
    text = f"{before}{edge}{marker} {after}"
    value = {"a": [{"text": text}, json.dumps({"said": text}, ensure_ascii=False)]}
    assert marker not in json.dumps(redactor.redact(value), ensure_ascii=False)


@given(before=AROUND, edge=EDGES, after=AROUND, marker=st.sampled_from(sorted(SECRETS.values())))
def test_no_secret_stays(before: str, edge: str, after: str, marker: str) -> None:
    """Also where personal data may stay."""
    assert marker not in Redactor("full").redact(f"{before}{edge}{marker} {after}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: correct-horse", "password: [SECRET_DETECTED]"),
        (r"{\"api_key\": \"abcdefgh\"}", r"{\"api_key\": \"[SECRET_DETECTED]\"}"),
        ("Authorization: Bearer abcdefghij", "Authorization: Bearer [SECRET_DETECTED]"),
        ("postgres://desk:secret@host/db", "postgres://desk:[SECRET_DETECTED]@host/db"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\nABC\n-----END RSA PRIVATE KEY-----",
            "[SECRET_DETECTED]-----END RSA PRIVATE KEY-----",
        ),
        ("input_tokens: 123456", "input_tokens: 123456"),
    ],
)
def test_named_secrets(text: str, expected: str) -> None:
    """The name stays, so that a reader sees what was there."""
    assert without_secrets(text) == expected


@pytest.mark.parametrize(
    "text",
    [UUID, f"classify:{UUID}", "2026-11-30T00:31:12+00:00", "49.00 USD", "0.00001234", "v1.2.3",
     "pay_4", "T-1001"],
)  # fmt: skip
def test_what_operators_need_stays(text: str) -> None:
    """Ids of threads, times, amounts and versions."""
    assert without_personal_data(text) == text


def test_ids_keep_their_digits_and_lose_addresses() -> None:
    """A ticket's number is no phone number; some desks number customers by their address."""
    redactor = Redactor("redacted", ["Plan"])
    given = {"ticket_id": "15551234567", "langgraph_node": "plan", "customer_id": "a@x.example"}
    assert redactor.redact(given) == {**given, "customer_id": "[email]"}


def test_names_of_contacts_are_learned() -> None:
    """Who comes with an address is masked from then on, in what was seen before as well."""
    redactor = Redactor("redacted")
    assert redactor.redact("Hello Bob") == "Hello Bob"
    contact = {"id": "c1", "email": "bob@x.example", "name": "Bob Stone", "text": "Hello Bob"}
    masked = {"id": "c1", "email": "[email]", "name": "[name] [name]", "text": "Hello [name]"}
    assert redactor.redact(contact) == masked
    assert redactor.redact("Hello Bob") == "Hello [name]"


# What the functions look for, as one pattern that tries each place: plain, and slow.
UUID_FIRST, _, OTHERS = NUMBERS.pattern.partition("|")
AT_EACH_PLACE = re.compile(
    f"{UUID_FIRST}|(?P<email>{ADDRESS.pattern})|{OTHERS}", re.VERBOSE
)  # fmt: skip
PIECES = [
    *PERSONAL.values(), UUID, "+1 (935) 555-0199", "@", "%40", "x@y", "@12 ", ".", "-", " ", "(",
    ")", "/", "\\n", "\n", "0", "00", "+", "7", "abc", "\u00e9", "_", '"', "[", "]",
    # A phone number in Arabic-Indic digits.
    "+49 171 5550199".translate({ord(str(n)): 0x660 + n for n in range(10)}),
]  # fmt: skip
GLUED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join)


def masked_at_each_place(text: str) -> str:
    """The text as the one pattern masks it."""
    return AT_EACH_PLACE.sub(
        lambda found: found[0] if found.lastgroup == "uuid" else f"[{found.lastgroup}]", text
    )


@given(text=GLUED)
@example("+1 (935) 555-0199@x.example")
@example("1234567@y-+49 171 5550199@x.example")
def test_what_is_glued_together_is_masked_from_its_beginning(text: str) -> None:
    """No less than by the plain way; of an address behind a number the domain goes as well."""
    plain = masked_at_each_place(text)
    masked = without_personal_data(text)
    assert masked == without_personal_data(plain, of_id=True)
    assert not ADDRESS.search(masked)
    assert not ADDRESS.search(without_personal_data(text, of_id=True))


def test_a_phone_before_an_address_keeps_no_prefix() -> None:
    """Both go whole."""
    assert without_personal_data("Call +1 (935) 555-0199@x.example") == "Call [phone][email]"


def test_names_of_values_that_are_data_are_masked() -> None:
    """Some tools list customers by name or number; what a program calls a value stays."""
    redactor = Redactor("redacted", ["Zyxanna Qworpel", "status"])
    given = {"Zyxanna Qworpel": 1, "+49 171 5550199": {"status": "ok", UUID: "ok"}}
    masked = {"[name] [name]": 1, "[phone]": {"status": "ok", UUID: "ok"}}
    assert redactor.redact(given) == masked


def test_numbers_are_masked_as_their_digits_are() -> None:
    """A phone or a card without its marks; amounts, counts and ids stay."""
    given = {"phone": 491715550199, "cards": [4111111111111111], "amount": 12_345_678,
             "customer_id": 491715550199, "is_new": True}  # fmt: skip
    masked = {**given, "phone": "[phone]", "cards": ["[card]"]}
    assert Redactor("redacted").redact(given) == masked
    assert Redactor("full").redact(given) == given
    assert json.loads(TraceText("redacted").of(given)) == masked


def test_one_text_under_two_names_is_masked_by_each() -> None:
    """A desk may number its customers by their phone."""
    number = "+49 171 5550199"
    text = TraceText("redacted")
    assert json.loads(text.of({"customer_id": number})) == {"customer_id": number}
    assert json.loads(text.of({"to": number})) == {"to": "[phone]"}


def test_arguments_of_a_tool_tell_a_contact() -> None:
    """Their name stands beside an address at the top, in none of the values."""
    text = TraceText("redacted")
    args = {"name": "Bob Stone", "email": "bob@x.example", "note": "Bob called"}
    text.learn(args)
    assert json.loads(text.of(args)) == {
        "name": "[name] [name]", "email": "[email]", "note": "[name] called",
    }  # fmt: skip
