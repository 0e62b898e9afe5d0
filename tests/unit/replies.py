"""Claims that a good model makes, and texts that may not leave: data of the tests of checks."""

# What is quoted stands as its article has it, in lines of any length.

from typing import Any, NamedTuple

from graphs.state import DoneStep
from tools import billing as effects
from tools.helpdesk import HANDOFF
from tools.subscriptions import CANCEL

PAYMENT = "Pro plan: 49.00 USD captured on 2026-11-18, 0.00 USD refunded so far"
PAID: Any = {"id": "pay_1", "description": "Pro plan"}
REFUND: DoneStep = {
    "step_id": "refund-pay_1",
    "tool": effects.REFUND.name,
    "args": {"payment_id": "pay_1", "amount_minor": 4900, "currency": "USD", "reason": "twice"},
    "result": {"id": "re_1", "payment_id": "pay_1", "amount_minor": 4900, "currency": "USD"},
}
CANCELLED: DoneStep = {
    "step_id": "cancel-sub_1",
    "tool": CANCEL.name,
    "args": {"subscription_id": "sub_1", "reason": "asked for"},
    "result": {"id": "can_1", "subscription_id": "sub_1", "description": "Pro plan"},
}
HANDED: DoneStep = {
    "step_id": "handoff-billing",
    "tool": HANDOFF.name,
    "args": {"skill": "billing", "urgency": "normal", "summary": "Call.", "part": "billing"},
    "result": {"id": "h1", "agent": {"name": "Maria"}, "queue_position": None, "opens_at": None},
}


ISSUED = "After a refund has been issued, it takes 5 to 10 business days to arrive on the card."


class Good(NamedTuple):
    """A claim that holds, its article, and what it quotes of it: itself when nothing is named."""

    text: str
    article: str
    quotes: tuple[str, ...] = ()
    language: str = "en"
    question: str = ""


# In the article's own words: these leave in `quotes` mode, too.
QUOTED = [
    Good(
        "If a single file is larger than 2 GB, split it into parts under 2 GB or compress it.",
        "upload-error-e42",
    ),
    Good(
        "1. Open Settings > Storage and compare the free space with the size of your file.\n"
        "2. If there is not enough room, delete files you no longer need and empty the Trash, "
        "because files in the Trash still count towards your storage.",
        "upload-error-e42",
    ),
    Good("Cancelling does not start a refund by itself.", "cancel-subscription"),
    Good(
        "You also receive a written confirmation. If you do not see one, the cancellation was not "
        "completed.",
        "cancel-subscription",
    ),
    Good("Annual plan | Within 30 days of the charge", "refund-policy"),
    Good(
        ISSUED,
        "refund-policy",
    ),
    Good(
        "Der Link funktioniert einmal und ist 60 Minuten gültig.",
        "passwort-zuruecksetzen",
        (),
        "de",
    ),
    Good("請求書は、決済が行われた日に表示されます。", "invoices-ja", (), "ja"),
    Good(
        "3. 「PDFをダウンロード」を押します。複数まとめて取得する場合は、チェックを付けてから"
        "「選択した請求書をダウンロード」を押します。",
        "invoices-ja",
        (),
        "ja",
    ),
    Good("Internet Explorer is not supported.", "browser-support"),
]

# As a good model words them: shorter, joined, in the customer's language, leaning on the question.
WORDED = [
    Good(
        "E42 appears when the upload is larger than the storage that is left, or when the browser "
        "lost the session.",
        "upload-error-e42",
        (
            "Error E42 means that your upload is larger than the storage your workspace has left, "
            "or that the browser lost the upload session before the file was complete.",
        ),
    ),
    Good(
        "Yes, with the desktop app.",
        "upload-error-e42",
        (
            "For large files, a cable connection or the desktop app is more reliable than a "
            "browser tab.",
        ),
        question="Is there a better way to upload large files?",
    ),
    Good(
        "No, nothing is lost.",
        "upload-error-e42",
        (
            "Nothing that was already in the workspace is changed or lost when E42 appears; only "
            "the new upload is stopped.",
        ),
    ),
    Good(
        "Support is open Monday to Friday, 8 am to 6 pm Central European Time.",
        "opening-hours",
        (
            "Fernboard support is open Monday to Friday from 08:00 to 18:00 Central European Time, "
            "and critical outages are handled around the clock.",
        ),
    ),
    Good(
        "Enter the 6-digit code from your app and keep the 10 recovery codes safe.",
        "two-factor-authentication",
        (
            "3. Enter the six-digit code that the app shows.\n4. Download the ten recovery codes "
            "and keep them somewhere safe, away from your phone.",
        ),
    ),
    Good(
        "A monthly plan can be refunded within two weeks of the charge.",
        "refund-policy",
        ("Monthly plan | Within 14 days of the charge",),
    ),
    Good(
        "The old key works for another day: both work for 24 hours.",
        "api-keys",
        (
            "To replace a key without interruption, choose Rotate. The old and the new key then "
            "both work for 24 hours.",
        ),
    ),
    Good(
        "You can store up to 200 GB on Pro; you are notified at 80 % and 95 %.",
        "storage-limits",
        (
            "- Pro and Annual: 200 GB per workspace",
            "Owners and admins are notified at 80 and at 95 percent.",
        ),
    ),
    Good(
        "Wir sind montags bis freitags von 8 bis 18 Uhr erreichbar.",
        "oeffnungszeiten",
        (
            "Der Fernboard-Support ist von Montag bis Freitag von 08:00 bis 18:00 Uhr "
            "mitteleuropäischer Zeit geöffnet, und kritische Ausfälle werden rund um die Uhr "
            "bearbeitet.",
        ),
        "de",
    ),
    Good(
        "Das neue Passwort braucht mindestens zwölf Zeichen.",
        "passwort-zuruecksetzen",
        ("4. Geben Sie ein neues Passwort mit mindestens 12 Zeichen ein.",),
        "de",
    ),
    Good(
        "Die Erstattung ist nach fünf bis zehn Werktagen auf Ihrer Karte.",
        "refund-policy",
        (ISSUED,),
        "de",
    ),
    Good(
        "Le remboursement arrive sur la carte en cinq à dix jours ouvrés.",
        "refund-policy",
        (ISSUED,),
        "fr",
    ),
    Good(
        "El plan anual cuesta 600,00 USD al año por espacio de trabajo.",
        "currencies",
        ("- Annual plan: 600.00 USD per year",),
        "es",
    ),
    Good(
        "Un file singolo può avere al massimo 2 GB, con qualsiasi piano.",
        "storage-limits",
        ("A single file may be up to 2 GB, whatever plan you use.",),
        "it",
    ),
    Good(
        "O reembolso demora de 5 a 10 dias úteis a chegar ao cartão.",
        "refund-policy",
        (ISSUED,),
        "pt",
    ),
    Good(
        "De terugbetaling staat binnen vijf tot tien werkdagen op uw kaart.",
        "refund-policy",
        (ISSUED,),
        "nl",
    ),
    Good(
        "返金がカードに反映されるまで5日から10営業日かかります。",
        "invoices-ja",
        ("申請は担当者が確認し、返金がカードに反映されるまで5〜10営業日かかります。",),
        "ja",
    ),
    Good(
        "サポートは8:00から18:00まで受け付けています。",
        "invoices-ja",
        ("受付時間は、月曜日から金曜日の8時から18時（中央ヨーロッパ時間）です。",),
        "ja",
    ),
]
GOOD = [*QUOTED, *WORDED]

# Each says a value that the quote beside it lacks.
FALSE_VALUES = [
    Good("Monthly plans can be refunded within 30 days.", "refund-policy",
         ("Monthly plan | Within 14 days of the charge",)),
    Good("The refund takes 5 to 10 hours.", "refund-policy",
         (ISSUED,)),
    Good("Die Erstattung ist nach drei Werktagen auf Ihrer Karte.", "refund-policy",
         (ISSUED,)),
    Good("The annual plan costs 600 EUR.", "currencies", ("- Annual plan: 600.00 USD per year",)),
    Good("The annual plan costs $6,000.", "currencies", ("- Annual plan: 600.00 USD per year",)),
    Good("You get twenty dollars back.", "currencies", ("- Annual plan: 600.00 USD per year",)),
    Good("The plan is 50 % off until 24 December 2026.", "currencies",
         ("- Annual plan: 600.00 USD per year",)),
    Good("We are open until 8 pm.", "opening-hours",
         ("Fernboard support is open Monday to Friday from 08:00 to 18:00 Central European Time, "
          "and critical outages are handled around the clock.",)),
    Good("A single file may be up to 2 TB.", "storage-limits",
         ("A single file may be up to 2 GB, whatever plan you use.",)),
    Good("Write to help@other.example or see https://other.example/refund now.", "storage-limits",
         ("A single file may be up to 2 GB, whatever plan you use.",)),
    Good("返金は3日以内に反映されます。", "invoices-ja",
         ("申請は担当者が確認し、返金がカードに反映されるまで5〜10営業日かかります。",)),
]  # fmt: skip

# Each breaks the rule that it stands under, in any language and from any author.
HOSTILE = {
    "markup": [
        "<b>x</b>", "<img src=//evil.example/x>", "<a href='x'>y</a>", "![x](http://evil.example)",
        "[a][1]", "https://evil.example", "evil.com", "evil dot com", "evil[.]com", "//evil.com/x",
        "javascript:alert(1)", "<svg/onload=alert(1)>", "<custom onclick=x>", "&lt;b&gt;",
        "http://10.0.0.1/x",
    ],
    "personal_data": [
        "It belongs to cus_bob.", "See pay_9001.", "Write to bob@other.example.",
        "Call +49 170 1234567.", "Call (555) 123-4567 now.", "IBAN DE89 3704 0044 0532 0130 00",
        "See customer_77.",
    ],
    "secrets": [
        "4111 1111 1111 1111", "Card 12 4111-1111-1111-1111", "٤١١١ ١١١١ ١١١١ ١١١١",
        "4111.1111.1111.1111", "dg_abc123_secret", "sk-proj-abcdefghijklmnop",
        "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "-----BEGIN RSA PRIVATE KEY-----", "ghp_abcdefghijklmnopqrstuvwx",
        "token 9f8Kq2LmZx7Rt4Wc1Vb6Nh3Yp0Sd", "password: hunter22",
        "postgresql://desk:pass@db/desk",
    ],
}  # fmt: skip
