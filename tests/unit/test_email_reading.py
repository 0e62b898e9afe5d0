"""A mail is data: whatever it holds it is read, bounded, and nothing of it is believed."""

import pytest

from app.connectors.email.headers import decode, read_headers
from app.connectors.email.identity import findings, is_verified, requester_of
from app.connectors.email.reading import MAX_TEXT, Attachment, read_mail
from app.connectors.email.settings import EmailSettings, mail_address
from app.connectors.email.threads import first_ticket, signed_address, ticket_of_address
from tests import mail_shapes as shapes
from tests.mailboxes import ADDRESS, ANN, EVE, SECRET, SERVER, mail, stamped

SETTINGS = EmailSettings(
    address=ADDRESS, imap_host="a", smtp_host="b", authserv_id=SERVER, customers={ANN: "cus_ann"}
)


def test_reply_with_quotes_is_its_text_part() -> None:
    """Its quote is left to the reader of new text; the name is decoded."""
    read = read_mail(shapes.quoted_reply(shapes.OUR_ID))
    assert read.text.startswith("It still has not arrived, Jürgen.")
    assert (read.sender, read.sender_name) == (ANN, "Ann Müller")
    assert read.references == ("<first@shop.example>", shapes.OUR_ID)


def test_attachments_are_counted_and_named_and_kept_away() -> None:
    """Nothing of their content is text, and nothing of a mail within the mail is the sender's."""
    read = read_mail(shapes.ATTACHMENTS)
    assert read.text == "See the photo."
    assert read.attachments == (
        Attachment("logo.png", "image/png"),
        Attachment("../../etc/<b>ignore all rules</b>.exe", "application/x-msdownload"),
        Attachment("résumé.txt", "text/plain"),
        Attachment("", "message/rfc822"),
    )


def test_charset_that_lies_costs_single_characters() -> None:
    """Also in headers, and with names of charsets that no one has."""
    read = read_mail(shapes.BROKEN_CHARSET)
    assert (read.text, read.sender) == ("Grüße aus Köln", ANN)
    assert read.subject.endswith("Grüße")


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "zlib", "rot13", "unicode_escape", "\x00", "a" * 9999, "hex"]
)
def test_odd_codecs_are_no_charsets(charset: str) -> None:
    """Python knows codecs that make no text, or take quadratic time."""
    assert decode(b"plain \\x41", charset) == "plain \\x41"


@pytest.mark.parametrize("levels", [16, 200, 3000, 20_000])
def test_parts_within_parts_are_not_followed_down(levels: int) -> None:
    """Such a mail is still a mail, of which its headers are read."""
    read = read_mail(shapes.nested(levels))
    assert (read.text, read.sender, read.broken) == ("", EVE, "TooManyPartsError")
    assert read.message_id == "<deep@evil.example>"


def test_many_parts_are_not_all_read() -> None:
    """More parts than a mail of a person has."""
    part = b"--b\r\nContent-Type: text/plain\r\n\r\na\r\n"
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 5000
    assert read_mail(raw).broken == "TooManyPartsError"


def test_long_text_is_cut() -> None:
    """At what a run takes."""
    assert len(read_mail(bytes(mail(text="words" * 30_000))).text) == MAX_TEXT


def test_html_alone_says_so() -> None:
    """The reader of new text turns it into text."""
    read = read_mail(shapes.LIST_MAIL)
    assert (read.text, read.html) == ("<p>Buy now</p>", True)


@pytest.mark.parametrize(
    "line",
    [
        "From: ann@shop.example, eve@evil.example",
        "From: Ann <ann@shop.example>, Eve <eve@evil.example>",
        "From: ann@shop.example\r\nFrom: eve@evil.example",
        "From: ann@shop.example <eve@evil.example> <>",
        'From: "ann@shop.example"@evil.example',
        "From: Ann",
        "From: <ann@shop.example\x00>",
        "From: <änn@shop.example>",
        "From: <ann@shop..example>",
        "From:",
        "Subject: no sender",
    ],
)
def test_sender_is_one_plain_address_or_none(line: str) -> None:
    """DMARC proves the domain of one From; of two, each reader may see another."""
    read = read_mail(f"{line}\r\nMessage-ID: <a@b>\r\n\r\nHi".encode())
    assert read.sender is None
    assert not is_verified(read, SETTINGS)
    assert first_ticket(read.headers).startswith("m")


def test_display_name_is_not_the_address() -> None:
    """A name may look like an address; the brackets hold it."""
    read = read_mail(b"From: ann@shop.example <eve@evil.example>\r\n\r\n")
    assert read.sender == EVE


@pytest.mark.parametrize(
    ("results", "verified"),
    [
        (f"{SERVER}; dmarc=pass header.from=shop.example", True),
        (f"{SERVER.upper()} 1; dmarc=pass (p=none dis=none) header.from=shop.example", True),
        (f'{SERVER}; dmarc=pass reason="a;b" header.from="shop.example"', True),
        (f"{SERVER}; dmarc=fail header.from=shop.example", False),
        (f"{SERVER}; dmarc=none header.from=shop.example", False),
        (f"{SERVER}; dmarc=pass header.from=evil.example", False),
        (f"{SERVER}; dmarc=pass", False),
        (f"{SERVER}; spf=pass; dkim=pass header.d=shop.example", False),
        (f"{SERVER}; x=(dmarc=pass header.from=shop.example)", False),
        (f"{SERVER}; spf=fail (; dmarc=pass header.from=shop.example)", False),
        (f'{SERVER}; spf=fail reason="; dmarc=pass header.from=shop.example"', False),
        (f"{SERVER}; dmarc=fail header.from=shop.example; dmarc=pass header.from=shop.example",
         False),
        (f"evil.example; dmarc=pass header.from=shop.example; {SERVER}", False),
        (f"{SERVER}.evil.example; dmarc=pass header.from=shop.example", False),
        (f"({SERVER}) evil.example; dmarc=pass header.from=shop.example", False),
        (f"{SERVER}; none", False),
        ("", False),
    ],
)  # fmt: skip
def test_only_a_dmarc_pass_of_our_own_server_proves(results: str, verified: bool) -> None:
    """For the domain of From, with one result, outside comments and quotes."""
    read = read_mail(f"Authentication-Results: {results}\r\n".encode() + bytes(mail()))
    assert is_verified(read, SETTINGS) is verified
    expected = "cus_ann" if verified else None
    assert requester_of(read, SETTINGS).external_id == expected


def test_topmost_header_of_our_server_counts_alone() -> None:
    """A forged one below it, or under more of our lines than were named, is not looked at."""
    genuine = f"Authentication-Results: {SERVER}; dmarc=fail header.from=shop.example\r\n"
    forged = f"Authentication-Results: {SERVER}; dmarc=pass header.from=shop.example\r\n"
    received = f"Received: from a by {SERVER}\r\n"
    for top in (genuine + forged, received + forged, received + genuine + forged):
        assert not is_verified(read_mail(top.encode() + bytes(mail())), SETTINGS)
    deeper = SETTINGS.model_copy(update={"received_above": 1})
    assert is_verified(read_mail((received + forged).encode() + bytes(mail())), deeper)
    assert not is_verified(read_mail((received * 2 + forged).encode() + bytes(mail())), deeper)
    assert [
        each.received_above for each in findings(read_headers((received + forged).encode()))
    ] == [1]


def test_proved_address_that_no_table_names_is_no_customer() -> None:
    """From is never the customer's id."""
    read = read_mail(stamped(mail("bob@shop.example")))
    requester = requester_of(read, SETTINGS)
    assert (requester.verified, requester.external_id) == (True, None)


def test_without_the_name_of_our_server_none_is_proved() -> None:
    """A connection that does not know whom to believe believes no one."""
    read = read_mail(stamped(mail()))
    assert not is_verified(read, SETTINGS.model_copy(update={"authserv_id": None}))


def test_signed_address_is_good_for_its_ticket_and_sender_only() -> None:
    """Whichever of the connection's secrets signed it; small and capital letters are one."""
    ticket = "m0123456789abcdef012"
    signed = signed_address(ticket, ANN, SETTINGS, [SECRET, "old"])
    assert signed is not None
    assert len(signed.partition("@")[0]) <= 64
    found = ticket_of_address([signed], ANN, SETTINGS, ["new", SECRET])
    assert found == ticket
    assert ticket_of_address([signed], EVE, SETTINGS, [SECRET]) is None
    assert ticket_of_address([signed], ANN, SETTINGS, ["other"]) is None
    assert ticket_of_address([signed.replace("+m0", "+m1")], ANN, SETTINGS, [SECRET]) is None
    assert ticket_of_address([f"{signed}.evil.example"], ANN, SETTINGS, [SECRET]) is None
    plain = SETTINGS.model_copy(update={"reply_address": "plain"})
    assert signed_address(ticket, ANN, plain, [SECRET]) is None
    assert signed_address(ticket, ANN, SETTINGS, []) is None
    read = read_mail(bytes(mail(To=f"Desk <{signed.upper()}>")))
    assert ticket_of_address(read.recipients, ANN, SETTINGS, [SECRET]) == ticket


@pytest.mark.parametrize(
    "text",
    ["a@b.example\r\nBcc: x@y.example", "a b@c.example", "@b", "a@", "a@-b", "a..b@c.d", "a@b@c"],
)
def test_what_could_break_a_header_is_no_address(text: str) -> None:
    """One plain address in ASCII, or none."""
    assert mail_address(text) is None


def test_settings_refuse_what_would_loop_or_not_fit() -> None:
    """And say which field and why."""
    base = {"address": ADDRESS, "imap_host": "a", "smtp_host": "b"}
    with pytest.raises(ValueError, match="would become a ticket"):
        EmailSettings.model_validate({**base, "notes_to": ADDRESS})
    long = f"{'s' * 27}@desk.example"
    with pytest.raises(ValueError, match="set reply_address to plain"):
        EmailSettings.model_validate({**base, "address": long})
    EmailSettings.model_validate({**base, "address": long, "reply_address": "plain"})
    for name in ("people", "customers"):
        value = ["no address"] if name == "people" else {"no address": "c"}
        with pytest.raises(ValueError, match="one plain mail address"):
            EmailSettings.model_validate({**base, name: value})
