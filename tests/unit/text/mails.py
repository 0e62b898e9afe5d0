"""Mails as mail programs write them, each with the customer's new text; blanks do not count."""

from typing import NamedTuple


class Mail(NamedTuple):
    """A body as a helpdesk posts it, what of it is new, and the kinds that are set apart."""

    name: str
    body: str
    new_text: str
    kinds: str = ""


Q = "How do I export my contacts?"
DE = "Wie kann ich meine Kontakte exportieren?"
REFUNDED = "We have refunded 9.00 USD for Pro plan."
GMAIL = "On Tue, Nov 24, 2026 at 9:14 AM Acme <support@acme.example> wrote:"
BLOCK = (
    "From: Acme Support <support@acme.example>\nSent: Monday, November 23, 2026 4:02 PM\n"
    "To: Ann Lee <ann@example.org>\nSubject: RE: Export\n\nDo you still need a refund?"
)
MSO = '<p class="MsoNormal">{}</p>'
WHOLE = "<html><head><style>p{{margin:0}}</style></head><body>{}</body></html>"

TOP = [
    Mail("gmail", f"{Q}\n\n{GMAIL}\n\n> {REFUNDED}\n> Bye\n", Q, "quote"),
    Mail("gmail_without_marks", f"{Q}\n\n{GMAIL}\n\n{REFUNDED}\nBye", Q, "quote"),
    Mail("gmail_wrapped", f"{Q}\n\nOn Tue, Nov 24, 2026 at 9:14 AM Acme Support Europe via Desk\n"
         f"<support+t-1001@acme.example> wrote:\n\n> {REFUNDED}", Q, "quote"),
    Mail("outlook_block", f"{Q}\n\n{BLOCK}", Q, "quote"),
    Mail("outlook_rule", f"{Q}\n\n________________________________\n{BLOCK}", Q, "quote"),
    Mail("outlook_stars", f"{Q}\n\n*From:* Acme <support@acme.example>\n*Sent:* Monday\n"
         f"*To:* Ann\n*Subject:* RE: Export\n\n{REFUNDED}", Q, "quote"),
    Mail("outlook_old", f"{Q}\n\n-----Original Message-----\n{BLOCK}", Q, "quote"),
    Mail("outlook_recipients", f"{Q}\n\nFrom: Acme\nSent: Monday\nTo: Ann Lee;\n\tBen Ray;\n\tCy\n"
         f"Cc: Dee\nSubject: Export\n\n{REFUNDED}", Q, "quote"),
    Mail("apple", f"{Q}\n\n> On 24 Nov 2026, at 09:14, Acme <s@acme.example> wrote:\n>\n"
         f"> {REFUNDED}", Q, "quote"),
    Mail("thunderbird", f"{Q}\n\nOn 24.11.26 09:14, Acme Support wrote:\n> {REFUNDED}", Q, "quote"),
    Mail("yahoo", f"{Q}\n\n    On Tuesday, November 24, 2026 at 09:14:00 AM GMT+1, Acme "
         f"<s@acme.example> wrote:  \n \n {REFUNDED}", Q, "quote"),
    Mail("proton", f"{Q}\n\nSent with Proton Mail secure email.\n\nOn Tuesday, 24 November 2026 at "
         f"09:14, Acme <s@acme.example> wrote:\n\n> {REFUNDED}", Q, "signature quote"),
    Mail("reply_above", f"{Q}\n\n##- Please type your reply above this line -##\n\n{REFUNDED}",
         Q, "quote"),
    Mail("nested", f"{Q}\n\n> Thanks\n>\n>> {REFUNDED}\n>>> refund me\n", Q, "quote"),
    Mail("german_outlook", f"{DE}\n\nVon: Acme <s@acme.example>\nGesendet: Montag, 23. November "
         "2026 16:02\nAn: Jan\nBetreff: AW: Export\n\nBrauchen Sie noch eine Erstattung?",
         DE, "quote"),
    Mail("german_gmail", f"{DE}\n\nAm Di., 24. Nov. 2026 um 09:14 Uhr schrieb Acme "
         "<s@acme.example>:\n\n> Wir haben 9,00 EUR erstattet.", DE, "quote"),
    Mail("german_thunderbird", f"{DE}\n\nAm 24.11.26 um 09:14 schrieb Acme:\n> Hallo", DE, "quote"),
    Mail("german_gmx", f"{DE}\n\nGesendet: Dienstag, 24. November 2026 um 09:14 Uhr\nVon: Acme "
         "<s@acme.example>\nAn: jan@example.de\nBetreff: Export\n\nWir haben erstattet.",
         DE, "quote"),
    Mail("french_outlook", "Où est ma facture ?\n\nDe : Acme <s@acme.example>\nEnvoyé : lundi 23 "
         "novembre 2026 16:02\nÀ : Luc\nObjet : RE: Facture\n\nNous avons remboursé 9,00 EUR.",
         "Où est ma facture ?", "quote"),
    Mail("french_gmail", "Où est ma facture ?\n\nLe mar. 24 nov. 2026 à 09:14, Acme "
         "<s@acme.example> a écrit :\n\n> Nous avons remboursé.", "Où est ma facture ?", "quote"),
    Mail("spanish_outlook", "¿Dónde está mi factura?\n\nDe: Acme <s@acme.example>\nEnviado: lunes, "
         "23 de noviembre de 2026 16:02\nPara: Eva\nAsunto: RE: Factura\n\nHemos reembolsado.",
         "¿Dónde está mi factura?", "quote"),
    Mail("italian_outlook", "Dov'è la mia fattura?\n\nDa: Acme <s@acme.example>\nInviato: lunedì 23 "
         "novembre 2026 16:02\nA: Paola\nOggetto: R: Fattura\n\nAbbiamo rimborsato.",
         "Dov'è la mia fattura?", "quote"),
    Mail("portuguese_outlook", "Onde está a minha fatura?\n\nDe: Acme <s@acme.example>\nEnviada: "
         "segunda-feira, 23 de novembro de 2026 16:02\nPara: Rui\nAssunto: RE: Fatura\n\nOlá",
         "Onde está a minha fatura?", "quote"),
    Mail("dutch_outlook", "Waar is mijn factuur?\n\nVan: Acme <s@acme.example>\nVerzonden: maandag "
         "23 november 2026 16:02\nAan: Jan\nOnderwerp: RE: Factuur\n\nWij hebben terugbetaald.",
         "Waar is mijn factuur?", "quote"),
    Mail("japanese_outlook", "請求書はどこですか？\n\n差出人: Acme <s@acme.example>\n送信日時: 2026年11月"
         "23日 16:02\n宛先: 田中\n件名: RE: 請求書\n\n返金しました。", "請求書はどこですか？", "quote"),
    Mail("french_original", "Merci de fermer mon compte.\n\n----- Message d'origine -----\nDe : "
         "Acme\nRemboursement", "Merci de fermer mon compte.", "quote"),
]  # fmt: skip
BETWEEN = [
    Mail("refund_no", "> Do you still need a refund?\nNo.", "No.", "quote"),
    Mail("thanks", f"Many thanks!\n\n> {REFUNDED}", "Many thanks!", "quote"),
    Mail("bottom", f"{GMAIL}\n> Which version do you use?\n\n4.2 on Windows.", "4.2 on Windows.",
         "quote"),
    Mail("inline", f"Hi,\n\n{GMAIL}\n> Which version?\n\n4.2\n\n> Refund?\n\nNo, thanks.\n",
         "Hi,\n\n4.2\n\nNo, thanks.", "quote quote"),
    Mail("inline_and_signature", "> Which version?\n4.2\n> Refund?\nNo.\n\nBest regards\nAnn Lee",
         "4.2\nNo.", "quote quote signature"),
    Mail("bottom_german", "Am 23.11.26 um 16:02 schrieb Acme:\n> Welche Version?\n\n4.2\n-- \nJan "
         "Kurz", "4.2", "quote signature"),
    Mail("quote_alone", f"{GMAIL}\n\n> {REFUNDED}\n", "", "quote"),
    Mail("marks_alone", "> Please refund 49.00 USD\n> Ann", "", "quote"),
    Mail("you_wrote", "On Monday you wrote:\n> Refund?\nNo, I want the invoice of 3 May.",
         "No, I want the invoice of 3 May.", "quote"),
]  # fmt: skip
FORWARDED = [
    Mail("phishing", f"Is this mail from you?\n\n---------- Forwarded message ---------\n{BLOCK}",
         "Is this mail from you?", "forward"),
    Mail("outlook_fw", "Is this real?\n\nFrom: Bank <a@b.example>\nSent: Monday\nTo: Ann\n"
         "Subject: FW: Cancel my plan\n\nRefund me.", "Is this real?", "forward"),
    Mail("apple", f"FYI\n\nBegin forwarded message:\n\n{BLOCK}", "FYI", "forward"),
    Mail("german", "Ist das echt?\n\n-------- Weitergeleitete Nachricht --------\nBetreff: Abo\n"
         "Von: X <x@y.example>\n\nBitte kündigen Sie.", "Ist das echt?", "forward"),
    Mail("german_apple", "Ist das echt?\n\nAnfang der weitergeleiteten Nachricht:\n\nVon: X\nAn: Y"
         "\nBetreff: Z\n\nBitte kündigen.", "Ist das echt?", "forward"),
    Mail("french", "C'est vous ?\n\n---------- Forwarded message ---------\nDe : X <x@y.example>\n"
         "Date: lun. 23 nov. 2026\nSubject: Remboursement\n\nRemboursez.", "C'est vous ?",
         "forward"),
    Mail("spanish", "¿Es suyo?\n\n---------- Forwarded message ---------\nDe: X <x@y.example>\n\n"
         "Reembolso", "¿Es suyo?", "forward"),
    Mail("italian", "È vostra?\n\nInizio messaggio inoltrato:\n\nDa: X\nA: Y\nOggetto: Z\n\nSaldo",
         "È vostra?", "forward"),
    Mail("portuguese", "É de vocês?\n\n---------- Mensagem encaminhada ---------\nDe: X\n\nPague",
         "É de vocês?", "forward"),
    Mail("dutch", "Is dit van jullie?\n\n---------- Doorgestuurd bericht ---------\nVan: X\n\nBetaal",
         "Is dit van jullie?", "forward"),
    Mail("alone", BLOCK, "", "forward"),
    Mail("alone_signed", f"Best regards,\nAnn Lee\n\n---------- Forwarded message ---------\n{BLOCK}",
         "", "signature forward"),
]  # fmt: skip
SIGNED = [
    Mail("dashes", f"{Q}\n\n-- \nAnn Lee\nFraud Prevention Team\nFirst Bank", Q, "signature"),
    Mail("dashes_bare", f"{Q}\n\n--\nAnn Lee\nFraud Prevention Team\n+49 30 1234567", Q,
         "signature"),
    Mail("four_lines", f"{Q}\n\nKind regards,\nAnn Lee\nFraud Prevention Team\nFirst Bank Ltd.",
         Q, "signature"),
    Mail("no_sign_off", f"{Q}\n\nMaria Lopez\nFraud Prevention Team\nFirst Bank\n"
         "Tel. +49 30 1234567", Q, "signature"),
    Mail("sign_off_and_name", f"{Q}\n\nBest, Ann", Q, "signature"),
    Mail("thanks_and_name", f"{Q}\n\nThanks,\nAnn", Q, "signature"),
    Mail("slogan", f"{Q}\n\nRegards\nAnn Lee\nSales Manager, Acme Inc.\nwww.acme.example | "
         "+1 555 123 4567\nWe make your refunds easy.", Q, "signature"),
    Mail("postscript", f"{Q}\n\nBest regards\nAnn\n\nPS: Can I pay by invoice?",
         f"{Q}\n\nPS: Can I pay by invoice?", "signature"),
    Mail("iphone", f"{Q}\n\nSent from my iPhone", Q, "signature"),
    Mail("android", f"{Q}\n\nGet Outlook for Android<https://aka.ms/x>", Q, "signature"),
    Mail("iphone_fr", "Où est ma facture ?\n\nEnvoyé de mon iPhone", "Où est ma facture ?",
         "signature"),
    Mail("iphone_es", "¿Dónde está?\n\nEnviado desde mi iPhone", "¿Dónde está?", "signature"),
    Mail("iphone_it", "Dov'è?\n\nInviato da iPhone", "Dov'è?", "signature"),
    Mail("iphone_pt", "Onde está?\n\nEnviado do meu iPhone", "Onde está?", "signature"),
    Mail("iphone_nl", "Waar is het?\n\nVerstuurd vanaf mijn iPhone", "Waar is het?", "signature"),
    Mail("iphone_ja", "どこですか？\n\niPhoneから送信", "どこですか？", "signature"),
    Mail("german_office", f"{DE}\n\nMit freundlichen Grüßen\ni. A. Lena Vogt\nLeiterin Einkauf\n"
         "Muster GmbH, Hauptstraße 1, 10115 Berlin\nGeschäftsführer: Max Muster", DE, "signature"),
    Mail("german_footer_english", f"{Q}\n\nViele Grüße\nLena Vogt\n\nMuster GmbH\nAmtsgericht "
         "Charlottenburg HRB 12345", Q, "signature"),
    Mail("french_office", "Où est ma facture ?\n\nCordialement,\nLuc Petit\nDirecteur des ventes\n"
         "Tél. : 01 23 45 67 89", "Où est ma facture ?", "signature"),
    Mail("japanese", "どこですか？\n\nよろしくお願いいたします\n田中 太郎\n株式会社アクメ\n"
         "TEL: 03-1234-5678", "どこですか？", "signature"),
]  # fmt: skip
LEGAL = [
    Mail("english", f"{Q}\n\nThis e-mail and any attachments are confidential and intended solely "
         "for the addressee. If you are not the intended recipient, cancel any use of it.", Q,
         "disclaimer"),
    Mail("titled", f"{Q}\n\nDISCLAIMER: The views in this mail are mine. Refunds are not promised.",
         Q, "disclaimer"),
    Mail("title_alone", f"{Q}\n\nCONFIDENTIALITY NOTICE\nYour plan was cancelled.", Q,
         "disclaimer"),
    Mail("wrapped", f"{Q}\n\nThis message is for the intended recipient and may\ncontain material "
         "that is legally privileged. If you have received\nit by mistake, delete it.", Q,
         "disclaimer"),
    Mail("german", f"{Q}\n\nDiese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der "
         "richtige Adressat sind, vernichten Sie diese Mail.", Q, "disclaimer"),
    Mail("trees", f"{Q}\n\nPlease consider the environment before printing this e-mail.", Q,
         "disclaimer"),
    Mail("banner", "CAUTION: This email originated from outside of the organization. Do not click "
         f"links.\n\n{Q}", Q, "disclaimer"),
]  # fmt: skip
HEADED = [
    Mail("mime", "Received: from mx.example\nMessage-ID: <1@x.example>\nMIME-Version: 1.0\n"
         f"Content-Type: text/plain\n\n{Q}", Q, "headers"),
    Mail("form", f"Name: Ann Lee\nEmail: ann@example.org\nTopic: Fraud\nMessage: {Q}", Q,
         "headers"),
    Mail("form_below", f"Ihr Name: Jan\nE-Mail: jan@example.de\n\nNachricht:\n{DE}", DE, "headers"),
]  # fmt: skip
HTML = [
    Mail("gmail", f'<div dir="ltr">{Q}</div><br><div class="gmail_quote"><div class="gmail_attr">'
         f'{GMAIL}</div><blockquote class="gmail_quote">{REFUNDED}</blockquote></div>', Q, "quote"),
    Mail("outlook", WHOLE.format(MSO.format(Q) + MSO.format("&nbsp;") + "<div>" + MSO.format(
         "<b>From:</b> Acme<br><b>Sent:</b> Monday<br><b>To:</b> Ann<br><b>Subject:</b> RE: X")
         + "</div>" + MSO.format(REFUNDED)), Q, "quote"),
    Mail("outlook_web", f'<div>{Q}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg" '
         'dir="ltr"><b>From:</b> Acme<br><b>Sent:</b> Monday<br><b>To:</b> Ann<br><b>Subject:</b> '
         f"RE: X</div><div>{REFUNDED}</div>", Q, "quote"),
    Mail("apple", f'<html><body>{Q}<br><div><blockquote type="cite"><div>On 24 Nov 2026, at 09:14, '
         f"Acme wrote:</div>{REFUNDED}</blockquote></div></body></html>", Q, "quote"),
    Mail("thunderbird", f'<html><body><p>{Q}</p><div class="moz-cite-prefix">On 24.11.26 09:14, '
         f'Acme wrote:<br></div><blockquote type="cite">{REFUNDED}</blockquote></body></html>', Q,
         "quote"),
    Mail("yahoo", f'<div>{Q}</div><div class="yahoo_quoted"><div>On Tuesday, Acme wrote:</div>'
         f"<div>{REFUNDED}</div></div>", Q, "quote"),
    Mail("inline", "<blockquote>Version?</blockquote><p>4.2</p><blockquote>Refund?</blockquote>"
         "<p>No.</p>", "4.2\n\nNo.", "quote quote"),
    Mail("signature", f'<div>{Q}<br clear="all"><br>-- <br><div class="gmail_signature">Ann Lee'
         "<br>Fraud Prevention Team</div></div>", Q, "signature signature"),
    Mail("iphone", f'<html><body dir="auto">{Q}<br><br><div dir="ltr">Sent from my iPhone</div>'
         "</body></html>", Q, "signature"),
    Mail("broken_lines", f"Hello,<br>\n{Q}<br />\nThanks", f"Hello,\n{Q}\nThanks"),
    Mail("entities", "<p>1 &lt; 2 &amp; a &gt; b</p>", "1 < 2 & a > b"),
    Mail("not_shown", f"<p>{Q}</p><div style='display:none'>refund</div>", Q, "html_hidden"),
    Mail("not_visible", f"<p>{Q}</p><i style='VISIBILITY : hidden'>refund</i>", Q, "html_hidden"),
    Mail("no_size", f"<p>{Q}</p><span style='font-size:0px;'>refund</span>", Q, "html_hidden"),
    Mail("no_height", f"<p>{Q}</p><div style='max-height:0;overflow:hidden'>refund</div>", Q,
         "html_hidden"),
    Mail("see_through", f"<p>{Q}</p><div style='opacity:0'>refund</div>", Q, "html_hidden"),
    Mail("white", f"<p>{Q}</p><font color='#FFFFFF'>refund</font>", Q, "html_hidden"),
    Mail("white_on_black", "<div style='background:#000'><p style='color:#fff'>Why?</p></div>",
         "Why?"),
    Mail("same_colour", "<p>Why?</p><p style='color:red;background-color:red'>refund</p>", "Why?",
         "html_hidden"),
    Mail("attribute", f"<p>{Q}</p><p hidden>refund</p><p aria-hidden='true'>refund</p>", Q,
         "html_hidden html_hidden"),
    Mail("sheet", "<style>.x, #y {display:none} p {margin:0}</style><p>Why?</p><p class='x'>refund"
         "</p><p id='y'>refund</p>", "Why?", "html_hidden html_hidden"),
    Mail("comment", f"<p>{Q}</p><!-- refund pay_1001 -->", Q, "html_hidden"),
    Mail("script", f"<p>{Q}</p><script>refund()</script>", Q, "html_hidden"),
    Mail("far_away", f"<p>{Q}</p><p style='position:absolute; left:-9999px'>refund</p>", Q,
         "html_hidden"),
    Mail("references", f"<p>{Q}&#8203;&#1;&#917569;&#x202e;</p>", Q, "hidden_characters"),
    Mail("text_around", f"{Q}\n<div style='display:none'>refund</div>", Q, "html_hidden"),
]  # fmt: skip
KEPT = [
    Mail("plain", Q, Q),
    Mail("two_paragraphs", f"Hello,\n\n{Q}\n\nIt is urgent.", f"Hello,\n\n{Q}\n\nIt is urgent."),
    Mail("from_to", "From: and To: are swapped in my export.", "From: and To: are swapped in my "
         "export."),
    Mail("sent_by_mistake", "Sent from my account by mistake, can you undo it?",
         "Sent from my account by mistake, can you undo it?"),
    Mail("my_account", "Von meinem Konto wurden 49 EUR abgebucht.",
         "Von meinem Konto wurden 49 EUR abgebucht."),
    Mail("thanks_first", "Thanks,\nI still cannot log in.", "Thanks,\nI still cannot log in."),
    Mail("thanks_only", "Thanks,\nAnn", "Thanks,\nAnn"),
    Mail("list", "It fails in:\n\nSettings\nExport\nContacts", "It fails in:\n\nSettings\nExport\n"
         "Contacts"),
    Mail("confidential", "Is my data confidential? Who is the intended recipient of an export?",
         "Is my data confidential? Who is the intended recipient of an export?"),
    Mail("attachments", "Ich kann keine Anhänge öffnen, den Absender kenne ich nicht.",
         "Ich kann keine Anhänge öffnen, den Absender kenne ich nicht."),
    Mail("dashes_between", "First:\n--\nthe import fails. Why?\n--\nthe export as well.",
         "First:\n--\nthe import fails. Why?\n--\nthe export as well."),
    Mail("request_after_sign_off", f"{Q}\n\nBest regards\nAnn\n\nAnd please close my old account.",
         f"{Q}\n\nBest regards\nAnn\n\nAnd please close my old account."),
    Mail("angle", "Settings > Sync shows <none>, a < b", "Settings > Sync shows <none>, a < b"),
    Mail("address", "Write to <ann@example.org> or <https://example.org>.",
         "Write to <ann@example.org> or <https://example.org>."),
    Mail("steps", "1. Open Settings\n2. Click Export\n3. Error E42 appears", "1. Open Settings\n"
         "2. Click Export\n3. Error E42 appears"),
    Mail("mailing", "Mail all customers.\nSubject: Downtime\nText: We are down on 3 May.",
         "Mail all customers.\nSubject: Downtime\nText: We are down on 3 May."),
]  # fmt: skip
UNSEEN = [
    Mail("tags", f"{Q}\U000e0072\U000e0065\U000e0066", Q, "hidden_characters"),
    Mail("zero_width", "How do I ex\u200bport my con\u2060tacts?", Q),
    Mail("bidi", f"\u202e{Q}\u202c", Q),
    Mail("controls", f"{Q}\x07", Q),
]
GROUPS = {"top": TOP, "between": BETWEEN, "forwarded": FORWARDED, "signed": SIGNED,
          "legal": LEGAL, "headed": HEADED, "html": HTML, "kept": KEPT, "unseen": UNSEEN}  # fmt: skip
MAILS = [mail._replace(name=f"{group}_{mail.name}") for group, of in GROUPS.items() for mail in of]
