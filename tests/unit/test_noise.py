"""Mails that ask nothing are known as such, and no question is taken for one of them."""

import pytest

from graphs.text.noise import Reading
from graphs.text.noise.headers import TELLING, VALUE_CHARS, kind_by_headers, telling
from graphs.text.noise.reading import only_thanks, reading_of
from graphs.text.noise.wordings import Text, holds, wordings
from tests.unit.mails import ASKING, AWAY, BOUNCES, NEWSLETTERS, RECEIPTS, THANKS, Mail

LANGUAGES = ["de", "en", "es", "fr", "it", "ja", "nl", "pt"]
REPLY = "Sign out and sign in again. Then upload the file once more; it takes a minute."
QUESTION = "How do I export my data?"


def each(mails: dict[str, list[Mail]]) -> list[tuple[str, Mail]]:
    """Every mail with its language."""
    return [(language, mail) for language, found in mails.items() for mail in found]


@pytest.mark.parametrize(("language", "mail"), each(AWAY))
def test_notice_of_absence_is_an_automatic_reply(language: str, mail: Mail) -> None:
    """By its wording alone, in every language."""
    assert reading_of(mail.ticket()) == "auto_reply", language


@pytest.mark.parametrize("language", RECEIPTS)
def test_receipt_is_an_automatic_reply(language: str) -> None:
    """Another desk that says it has our mail would be answered for ever."""
    assert reading_of(RECEIPTS[language].ticket()) == "auto_reply"


@pytest.mark.parametrize("language", BOUNCES)
def test_returned_mail_is_a_bounce(language: str) -> None:
    """Also when the mail that came back held a question of ours."""
    assert reading_of(BOUNCES[language].ticket()) == "bounce"


@pytest.mark.parametrize("language", NEWSLETTERS)
def test_newsletter_is_bulk(language: str) -> None:
    """Two signs of a footer, and no question."""
    assert reading_of(NEWSLETTERS[language].ticket()) == "bulk"


@pytest.mark.parametrize(
    ("language", "body"), [(code, body) for code, bodies in THANKS.items() for body in bodies]
)
def test_thanks_alone_asks_nothing(language: str, body: str) -> None:
    """Every word is one of courtesy, or the customer's name."""
    assert reading_of(Mail("Re: Your ticket", body).ticket("Ann Lee")) == "thanks", language


@pytest.mark.parametrize(("language", "mail"), each(ASKING))
def test_question_is_never_lost(language: str, mail: Mail) -> None:
    """It is read as any ticket, or a person reads it; also a model's word does not lose it."""
    assert reading_of(mail.ticket()) in (None, "doubtful"), language
    assert not only_thanks(mail.ticket()), language


def test_doubtful_mail_goes_to_a_person() -> None:
    """A notice of absence by its subject, around something that asks."""
    doubted = [mail for _, mail in each(ASKING) if reading_of(mail.ticket()) == "doubtful"]
    assert len(doubted) >= 8


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto-Submitted": "auto-replied"}, "auto_reply"),
        ({"AUTO-SUBMITTED": "auto-generated; owner-email=a@example.org"}, "auto_reply"),
        ({"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}, "auto_reply"),
        ({"X-Auto-Response-Suppress": "All"}, "auto_reply"),
        ({"X-Autoreply": "yes"}, "auto_reply"),
        ({"Precedence": "auto_reply"}, "auto_reply"),
        ({"Precedence": "bulk", "Auto-Submitted": "auto-replied"}, "auto_reply"),
        ({"Return-Path": "<>", "Auto-Submitted": "auto-replied"}, "auto_reply"),
        ({"Content-Type": "multipart/report; report-type=disposition-notification"}, "auto_reply"),
        ({"Content-Type": 'multipart/report; report-type="delivery-status"'}, "bounce"),
        ({"From": "Mail Delivery System <MAILER-DAEMON@example.org>"}, "bounce"),
        ({"X-Failed-Recipients": "a@example.org"}, "bounce"),
        ({"Return-Path": " < > "}, "bounce"),
        ({"Precedence": "list"}, "bulk"),
        ({"List-Id": "<news.example.org>"}, "bulk"),
        ({"List-Unsubscribe": "<mailto:leave@example.org>"}, "bulk"),
        ({"Auto-Submitted": "no"}, None),
        ({"X-Auto-Response-Suppress": "DR, RN, NRN, OOF"}, None),
        ({"Precedence": "normal"}, None),
        ({"X-Autoreply": "no"}, None),
        ({"Return-Path": "<ann@example.org>", "Content-Type": "multipart/alternative"}, None),
        ({"X-Mailer": "auto-replied", "Subject": "List-Id"}, None),
    ],
)
def test_headers_tell_before_any_wording(headers: dict[str, str], kind: Reading | None) -> None:
    """What a header says holds whatever the text asks."""
    assert kind_by_headers(headers) == kind
    assert reading_of(Mail("Export", QUESTION).ticket(**headers)) == kind


def test_only_telling_headers_are_kept() -> None:
    """No address of the customer's, no route, and no long value."""
    given = {"Received": "from a by b", "To": "us@example.org", "List-Id": "x" * 5000}
    assert telling(given) == {"list-id": "x" * VALUE_CHARS}
    assert all(name == name.lower() for name in TELLING)


@pytest.mark.parametrize("body", [REPLY, f"Ann wrote:\n{REPLY.upper()}", f"{REPLY}\nAnn"])
def test_our_own_reply_is_an_echo(body: str) -> None:
    """Whatever became of its letters, lines and marks."""
    assert reading_of(Mail("Re", body).ticket(), ["Older.", REPLY]) == "echo"


@pytest.mark.parametrize(
    "body",
    [f"{REPLY} I did. What now?", f"{REPLY} {'It did not help me at all. ' * 10}", "Upload."],
)
def test_answer_to_our_reply_is_no_echo(body: str) -> None:
    """A customer who quotes us and goes on is heard."""
    assert reading_of(Mail("Re", body).ticket(), [REPLY]) is None


def test_echo_that_was_set_apart_as_a_quote_is_known() -> None:
    """Nothing new stands above it."""
    ticket = Mail("Re", " ").ticket()
    ticket["set_apart"] = [{"kind": "quote", "text": f"> {REPLY}"}]
    assert reading_of(ticket, [REPLY]) == "echo"
    assert reading_of(ticket, []) == "empty"


@pytest.mark.parametrize("body", ["", "  \n\t", "...", "-- "])
def test_empty_message_goes_to_a_person(body: str) -> None:
    """Only a subject, or an attachment that no reader here sees."""
    assert reading_of(Mail("See attachment", body).ticket()) == "empty"


def test_thanks_that_may_answer_a_question_is_read() -> None:
    """We asked, so "ok, thanks" may be a yes."""
    mail = Mail("Re", "Ok, thank you")
    assert reading_of(mail.ticket(), ["Which payment do you mean?", "All is well."]) == "thanks"
    assert reading_of(mail.ticket(), ["Shall we cancel it?"]) is None
    assert not only_thanks(mail.ticket(), ["Shall we cancel it?"])


@pytest.mark.parametrize(
    ("body", "agreed"),
    [
        ("Thank you, my boss is happy with the outcome", True),
        ("Danke, mein Chef freut sich", True),
        ("Thanks, what about the second one?", False),
        ("Thanks, E42 again", False),
        ("Thanks, the export fails", False),
        ("Thanks, however my boss disagrees", False),
        ("I am happy with the outcome", False),
        (f"Thank you. {'My boss is happy. ' * 20}", False),
    ],
)
def test_model_alone_makes_no_ticket_vanish(body: str, *, agreed: bool) -> None:
    """Code must find thanks, and no question, number, matter or contradiction."""
    assert only_thanks(Mail("Re", body).ticket()) == agreed


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_use(language: str) -> None:
    """A use without wordings would find nothing and say nothing."""
    known = wordings()
    assert sorted(known) == LANGUAGES
    assert known[language].keys() == known["en"].keys()
    assert all(said and all(cue.strip() for cue in said) for said in known[language].values())


def test_wording_is_found_by_whole_words() -> None:
    """ "back" is no "backup"; what ends in a star is the beginning of words."""
    assert holds(Text("I am BACK.").in_words("en"), wordings()["en"]["away"])
    assert not holds(Text("backup").in_words("en"), (" back ",))
    assert holds(Text("Réponses").in_words("fr"), (" reponse",))


@pytest.mark.parametrize("subject", ["Where is my refund?", "Refund my payment", "Export fails"])
def test_thanks_below_a_question_are_read(subject: str) -> None:
    """A new ticket may ask in its subject; behind "Re:" or a reply of ours it is an old text."""
    for body, kept in (("Thanks a lot!", None), ("👍", "empty")):
        assert reading_of(Mail(subject, body).ticket()) == kept
        assert not only_thanks(Mail(subject, body).ticket())
        assert reading_of(Mail(f"Re: {subject}", body).ticket()) == "thanks"
        assert reading_of(Mail(subject, body).ticket(), ["Here you are."]) == "thanks"


def test_word_of_a_matter_is_no_name() -> None:
    """In no language: "thanks" is a word of several."""
    assert reading_of(Mail("Help", "ok thanks Refund").ticket()) is None


@pytest.mark.parametrize("said", ["Please refund pay_1002.", "The export is empty since Monday."])
def test_message_above_the_footer_of_a_newsletter_is_not_lost(said: str) -> None:
    """A person answered it, and the newsletter was quoted without a mark."""
    footer = "You are receiving this because you subscribed.\nUnsubscribe | View in browser"
    assert reading_of(Mail("Re: News", f"{said}\n\n{footer}").ticket()) == "doubtful"


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Notes", "I am on vacation. Restore the notes."),
        ("On vacation", "I am on vacation. Restore the notes."),
        ("Re: notes", "I'm out of the office. Restore it!"),
        ("Notizen", "Ich bin im Urlaub. Stellt die Notizen wieder her."),
        ("Notizen", "Ich bin im Urlaub. Notizen sofort wiederherstellen!"),
        ("Notes", "Je suis actuellement en congés. Restaurez les notes."),
    ],
)
def test_order_in_a_notice_of_absence_is_read_by_a_person(subject: str, body: str) -> None:
    """A few words that no notice holds may be an order; no mail leaves, since a machine may read
    it."""
    assert reading_of(Mail(subject, body).ticket()) in ("doubtful", None)


@pytest.mark.parametrize("line", ["Merry Christmas", "Ann Lee", "Kind regards", "Hi there"])
def test_pleasantries_of_a_notice_hide_no_order(line: str) -> None:
    """What is no greeting and no name may be one: then a person looks at it."""
    body = f"I am out of the office until Monday.\n{line}"
    expected = "doubtful" if line == "Hi there" else "auto_reply"
    assert reading_of(Mail("Re: Your ticket", body).ticket()) == expected


@pytest.mark.parametrize(
    "body",
    [
        "Thanks, it worked for one day and now it is closed for me",
        "Thank you, it was working and now is closed",
        "Thanks, that worked. Now it is closed again.",
        "Danke, hat geklappt, jetzt ist das Problem wieder",
        "Danke, das Problem ist noch",
        "Gracias, funcionó un día",
        "Grazie, ha funzionato e adesso problema",
        "Obrigado, funcionou uma semana",
        "Bedankt, het probleem is weer een probleem",
    ],
)
def test_thanks_for_what_broke_again_are_read(body: str) -> None:
    """Every word may be one of courtesy, and together they tell of trouble."""
    assert reading_of(Mail("Re: Your ticket", body).ticket()) is None
    assert not only_thanks(Mail("Re: Your ticket", body).ticket())


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Undeliverable", "The mail you sent to my boss was undeliverable. Send it again to him."),
        ("Undeliverable", "Your newsletter could not be delivered. Take Ben off the list."),
        ("Unzustellbar", "Euer Brief war unzustellbar. Schickt ihn noch einmal an die Firma."),
    ],
)
def test_person_who_tells_of_a_returned_mail_is_not_lost(subject: str, body: str) -> None:
    """A report has more than one wording, a server's codes, or nothing else to say."""
    assert reading_of(Mail(subject, body).ticket()) == "doubtful"


@pytest.mark.parametrize(
    "body",
    [
        "Your message could not be delivered.\n550 5.1.1 <ann@example.org>: no such user",
        "This is the mail system at host mx.example.org. I could not deliver your mail: user "
        "unknown.",
        "Delivery has failed to these recipients: ann@example.org. The mailbox is full.",
    ],
)
def test_report_of_a_mail_server_is_a_bounce(body: str) -> None:
    """Also without its headers."""
    assert reading_of(Mail("Undeliverable: Your ticket", body).ticket()) == "bounce"
