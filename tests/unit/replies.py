"""Replies as a good writer would send them, and as nobody may: data for the tests of the checks."""

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


class Good(NamedTuple):
    """A reply that passes, with the articles it cites and what was done.

    What code says of the effects and hand-offs stands below the text, unless it is in there.
    """

    text: str
    articles: tuple[str, ...] = ()
    language: str = "en"
    effects: tuple[DoneStep, ...] = ()
    payments: tuple[str, ...] = ()
    handed: tuple[DoneStep, ...] = ()


GOOD = [
    Good("Hello Eva,\n\nError E42 means that the upload is larger than the storage your workspace "
         "has left, or that the browser lost the upload session.\n\n1. Open Settings > Storage and "
         "compare the free space with the size of your file.\n2. Delete files you no longer need "
         "and empty the Trash.\n3. Sign out and sign in again.\n4. Upload the file again.\n\n"
         "Best regards", ("upload-error-e42",)),
    Good("If a single file is larger than 2 GB, split it into parts under 2 GB or compress it.",
         ("upload-error-e42",)),
    Good("I'm sorry that your upload fails. Please empty the Trash, because files in the Trash "
         "still count towards your storage. If E42 comes back, send us the upload id.",
         ("upload-error-e42",)),
    Good("Hi Lou, our support is open Monday to Friday from 08:00 to 18:00 Central European Time. "
         "Critical outages are handled around the clock.", ("opening-hours",)),
    Good("Thanks for asking! You can write to us at any time; messages that arrive outside the "
         "opening hours are read when support opens again.", ("opening-hours",)),
    Good("To cancel your subscription, open Settings > Billing > Plan and choose Cancel "
         "subscription. The workspace keeps working until the end of the period you have paid.",
         ("cancel-subscription",)),
    Good("After the plan has ended, the workspace becomes read-only. You can still open boards, "
         "download files and export your data.", ("cancel-subscription",)),
    Good("Cancelling does not delete the workspace. Only an owner or billing manager can cancel.",
         ("cancel-subscription",)),
    Good("Cancelling does not start a refund by itself.", ("cancel-subscription",)),
    Good("You also receive a written confirmation. If you do not see one, the cancellation was not "
         "completed.", ("cancel-subscription",)),
    Good("Duplicate charges are always refunded in full, monthly plans can be refunded within 14 "
         "days of the charge, and annual plans can be refunded within 30 days of the charge.",
         ("refund-policy",)),
    Good("Every refund request is reviewed by a person. Please give the invoice number, the date "
         "and amount of the charge, and the reason for your request.", ("refund-policy",)),
    Good("After a refund has been issued, it takes 5 to 10 business days to arrive on the card.",
         ("refund-policy",)),
    Good("Hello Ann,\n\nWe have refunded 49.00 USD for Pro plan.", (), "en", (REFUND,)),
    Good("Hello Ann, I am sorry about the double charge. We have refunded 49.00 USD for Pro "
         "plan. Kind regards", (), "en", (REFUND,), (PAYMENT,)),
    Good("Hello Ann, I am sorry about the double charge.", (), "en", (REFUND,), (PAYMENT,)),
    Good("We have cancelled your Pro plan subscription.", (), "en", (CANCELLED,)),
    Good("Hello Ann,", (), "en", (REFUND, CANCELLED)),
    Good("Wir haben Ihr Abonnement Pro plan gekündigt.", (), "de", (CANCELLED,)),
    Good("Guten Tag! Wir haben 49.00 USD für Pro plan erstattet. Mit freundlichen Grüßen",
         (), "de", (REFUND,)),
    Good("Bonjour !\nNous avons remboursé 49.00 USD pour Pro plan.\nCordialement", (),
         "fr", (REFUND,)),
    Good("Hola. Hemos reembolsado 49.00 USD por Pro plan. Saludos", (), "es", (REFUND,)),
    Good("Abbiamo rimborsato 49.00 USD per Pro plan.", (), "it", (REFUND,)),
    Good("Reembolsamos 49.00 USD por Pro plan.", (), "pt", (REFUND,)),
    Good("Wij hebben 49.00 USD voor Pro plan terugbetaald.", (), "nl", (REFUND,)),
    Good("Pro planの49.00 USDを返金いたしました。", (), "ja", (REFUND,)),
    Good("Hello Yui, I see one payment: Pro plan, 49.00 USD, captured on 2026-11-18. Which payment "
         "do you mean?", (), "en", (), (PAYMENT,)),
    Good("You paid 49.00 USD for the Pro plan on November 18, 2026.", (), "en", (), (PAYMENT,)),
    Good("Sie haben am 18.11.2026 für Pro plan 49.00 USD bezahlt.", (), "de", (), (PAYMENT,)),
    Good("These are the payments we have on record for you:\n" + PAYMENT, (), "en", (), (PAYMENT,)),
    Good("A colleague will look at your question about billing.", (), "en", (), (), (HANDED,)),
    Good("Maria will look at your billing question and answer here.", (), "en", (), (), (HANDED,)),
    Good("Your question about billing was handed to a colleague.", (), "en", (), (), (HANDED,)),
    Good("I have forwarded your billing question to a colleague.", (), "en", (), (), (HANDED,)),
    Good("Ihre Frage zum Thema Abrechnung sieht sich eine Kollegin oder ein Kollege an.", (), "de",
         (), (), (HANDED,)),
    Good("Guten Tag, der Fernboard-Support ist von Montag bis Freitag von 08:00 bis 18:00 Uhr "
         "mitteleuropäischer Zeit geöffnet. Kritische Ausfälle werden rund um die Uhr bearbeitet.",
         ("oeffnungszeiten",), "de"),
    Good("Wählen Sie auf der Anmeldeseite „Passwort vergessen?“ und geben Sie die Adresse Ihres "
         "Kontos ein. Der Link funktioniert einmal und ist 60 Minuten gültig.",
         ("passwort-zuruecksetzen",), "de"),
    Good("Das neue Passwort braucht mindestens 12 Zeichen. Sehen Sie auch im Spam-Ordner nach.",
         ("passwort-zuruecksetzen",), "de"),
    Good("お問い合わせありがとうございます。"
         "請求書は「設定 > 請求 > 請求書」の画面からPDFでダウンロードできます。",
         ("invoices-ja",), "ja"),
    Good("請求書は、決済が行われた日に表示されます。", ("invoices-ja",), "ja"),
    Good("You create an API key under Settings > Developer > API keys by choosing New key. The "
         "full key is shown only once.", ("api-keys",)),
    Good("To stop a key immediately, choose Revoke; this cannot be undone.", ("api-keys",)),
    Good("If the sync is paused, open Help > Sync activity and choose Resume. Files larger than "
         "2 GB never sync.", ("sync-problems",)),
    Good("Open Settings > Storage and sort the list by size. A single file may be up to 2 GB, "
         "whatever plan you use. Is there anything else we can help with?", ("storage-limits",)),
    Good("Each recovery code works once. If you have no recovery codes left, ask an owner or admin "
         "of your workspace to reset two-factor for you.", ("two-factor-authentication",)),
    Good("Hello Max, thank you for your message. I understand how annoying this is. Fernboard "
         "supports the two latest versions of Chrome, Edge, Firefox and Safari.",
         ("browser-support",)),
    Good("A failed delivery is repeated up to 6 times within 24 hours. If all deliveries fail for "
         "3 days, the webhook is switched off.", ("webhooks-troubleshooting",)),
    Good("On the invoice, tax has its own line. We cannot give tax advice; please ask your "
         "accountant.", ("vat-and-tax",)),
    Good("Nothing that was already in the workspace is lost when E42 appears. I hope this helps!",
         ("upload-error-e42",)),
]  # fmt: skip

# True words about what was done: code tells it once, so these would tell of another one.
AGAIN = [
    Good("49.00 USD has been refunded for your Pro plan.", (), "en", (REFUND,), (PAYMENT,)),
    Good("We have refunded 49.00 USD for your Pro plan.", (), "en", (REFUND,), (PAYMENT,)),
    Good("Hello Ann, a further refund: 49.00 USD.", (), "en", (REFUND,), (PAYMENT,)),
    Good("Your Pro plan subscription has been cancelled.", (), "en", (CANCELLED,)),
    Good("Your Pro plan is now cancelled, as you asked. Thank you.", (), "en", (CANCELLED,)),
    Good("Hello Ann,\n\nwe have cancelled your Pro plan.", (), "en", (CANCELLED,)),
    Good("Guten Tag, wir haben Ihnen 49.00 USD für Pro plan erstattet.", (), "de", (REFUND,)),
    Good("Bonjour, nous avons remboursé 49.00 USD pour Pro plan.", (), "fr", (REFUND,)),
    Good("Hola, hemos reembolsado 49.00 USD por Pro plan.", (), "es", (REFUND,)),
]

# Each says, with no effect and the articles below at hand, what was not done or stands nowhere.
HOSTILE = {
    "commitments": [
        "You will get a refund.", "We'll pay you back.", "r-e-f-u-n-d issued to you.",
        "We r e f u n d you.", "We r.e.f.u.n.d you.", "We re-fund you.", "We re fund you.",
        "We will r3fund you.", "We will rëfünd you.", "We will rеfund you.",
        "You get a free month.", "Your money is on the way.", "We waive your next invoice.",
        "Sie bekommen Ihr Geld zurück.", "Wir zahlen alles zurück.", "Nous vous remboursons.",
        "Le devolvemos su dinero.", "Le rimborsiamo tutto.", "Vamos estornar o valor.",
        "Wij storten het geld terug, terugbetaling volgt.",
        "全額を払い戻しいたします。", "我们会退款给您。",
        "Es gibt einen Gutschein.", "Vous recevrez un bon d'achat.", "Recibirá un descuento.",
        "Your account has been deleted.", "Your account was upgraded.",
        "Your plan is now cancelled.",
        "Your request is approved.", "Approved!", "We will call you.", "I'll call you back.",
        "I have escalated this to our engineers.", "I've escalated your case.",
        "We have unlocked your account.", "We are upgrading your workspace.", "Consider it done.",
        "Our team will contact you.", "Someone will get back to you.",
        "Let me cancel that for you.",
        "I just sent you an email.", "We deleted your data.", "You will receive a call from us.",
        "Rest assured, this is fixed.", "We will extend your trial.", "It has been fixed.",
        "Wir rufen Sie an.", "Ihr Konto wurde gelöscht.", "Wir haben Ihr Abo gekündigt.",
        "Ich habe Ihr Anliegen weitergeleitet.", "Ihr Antrag wurde genehmigt.",
        "Wir werden Ihr Konto freischalten.", "Nous vous appellerons.",
        "Votre compte a été supprimé.",
        "Nous avons annulé votre abonnement.", "J'ai transmis votre demande.",
        "Votre demande est approuvée.", "Le llamaremos.", "Su cuenta ha sido eliminada.",
        "Hemos cancelado su suscripción.", "He escalado su caso, su solicitud ha sido aprobada.",
        "La chiameremo.", "Il suo account è stato eliminato.", "Abbiamo annullato il suo piano.",
        "Vamos ligar para você.", "Sua conta foi excluída.", "Cancelamos a sua assinatura.",
        "Wij bellen u terug.", "Uw account is verwijderd.", "Wij hebben uw abonnement opgezegd.",
        "お電話いたします。", "アカウントを削除いたしました。",
        "サブスクリプションを解約しました。",
        "エンジニアに引き継ぎいたしました。",
    ],
    "money": [
        "The fee is five hundred dollars.", "It costs fünfhundert Euro.", "Voici cinq cents euros.",
        "Here are a hundred bucks.", "Son quinientos dólares.", "Sono cinquecento euro.",
        "São quinhentos euros.", "Het is vijfhonderd euro.", "五百円です。", "It is USD 500.",
        "It is 500 bucks.", "It is £20.", "It is ₹900.", "It is 5k dollars.",
        "It is twenty-five pounds.",
    ],
    "dates": [
        "It works by Friday.", "It is ready within 3 days.", "It is ready tomorrow.",
        "It is ready on 2026-12-24.", "It is ready by December 24.", "It ends next week.",
        "It is ready within three days.", "It is ready in a few days.", "It is ready in an hour.",
        "Es ist bis Freitag fertig.",
        "Es ist innerhalb von drei Tagen fertig.", "Fertig bis morgen.",
        "C'est prêt demain.", "C'est prêt dans trois jours.", "C'est prêt vendredi.",
        "Estará listo mañana.", "Estará listo en dos semanas.", "Sarà pronto domani.",
        "Sarà pronto entro tre giorni.", "Fica pronto amanhã.", "Fica pronto em duas semanas.",
        "Het is morgen klaar.", "Het is binnen drie dagen klaar.", "明日までに完了です。",
        "3日以内に完了です。", "金曜日に届きます。", "It is done by end of day.",
    ],
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
    "support": [
        "Files over 20 TB upload without trouble on every plan.",
        "Error E42 means that your computer has a dangerous virus.",
        "Nothing in the Trash counts towards your storage.",
        "Files in the Trash do not count towards your storage.",
        "If a single file is larger than 2 MB, split it into parts under 2 MB.",
        "Support is closed from Monday to Friday, all calls go unanswered.",
        "The moon rises over our marvellous data centre.",
    ],
}  # fmt: skip
