"""Mails in eight languages: what must not be answered, and what must not be lost."""

from typing import NamedTuple

from graphs.state import Ticket


class Mail(NamedTuple):
    """A mail without its headers, as a ticket holds it."""

    subject: str
    body: str

    def ticket(self, name: str | None = None, **headers: str) -> Ticket:
        """As the graph reads it."""
        return {
            "subject": self.subject, "body": self.body, "language": None, "customer_name": name,
            "headers": headers,
        }  # fmt: skip


AWAY = {
    "en": [
        Mail("Automatic reply: Your ticket", "I am out of the office until Monday, 5 May. For "
             "urgent matters please contact my colleague Ben (ben@example.org).\n\nKind regards\n"
             "Ann Lee\nHead of Sales"),
        Mail("Re: Charged twice", "Thank you for your email. I am currently out of the office with "
             "limited access to email and will respond when I return on 12 August."),
        Mail("Automatic reply: [T-1] Charged twice", "Hi,\nI'm out of the office from 24 "
             "December to 2 January with no access to email. If it is urgent, please contact my "
             "colleague Jane (jane@example.org).\n\nBest,\nJohn\n\n"
             "John Smith | Senior Account Manager | ACME"),
        Mail("Out of Office Re: Your ticket", "I will be out of office until Tuesday. For billing "
             "questions please contact billing@example.org."),
        Mail("Re: hello", "Thanks for reaching out! Our office is closed for the holidays and will "
             "reopen on January 3rd. We'll get back to you soon. Happy holidays!"),
        Mail("Out of office until 5 May", "Hello,\nI'm on annual leave and back on 5 May.\nUrgent? "
             "Please call my colleague.\nBest\nTom"),
    ],
    "de": [
        Mail("Automatische Antwort: Ihr Ticket", "Guten Tag,\nich bin vom 3. bis 14. August nicht "
             "im Büro. In dringenden Fällen wenden Sie sich bitte an meine Vertretung.\n\n"
             "Mit freundlichen Grüßen\nMax Muster"),
        Mail("AW: Rechnung", "Vielen Dank für Ihre Nachricht. Ich bin im Urlaub und ab dem 17.08. "
             "wieder erreichbar. Ihre E-Mail wird nicht weitergeleitet."),
        Mail("Automatische Antwort: Ihre Anfrage", "vielen Dank für Ihre Mail. Ich bin ab Montag, "
             "12.08., wieder im Haus. Ihre Mail wird nicht weitergeleitet.\nViele Grüße\nSabine"),
        Mail("Abwesenheitsnotiz", "Ich bin bis Freitag auf Dienstreise und antworte danach."),
    ],
    "fr": [
        Mail("Réponse automatique : Votre demande", "Bonjour,\nJe suis absent du bureau jusqu'au "
             "5 mai. En cas d'urgence, merci de contacter ma collègue.\nCordialement\nLuc"),
        Mail("Re: votre ticket", "Je suis actuellement en congés et je répondrai à votre message à "
             "mon retour."),
    ],
    "es": [
        Mail("Respuesta automática: Su ticket", "Hola,\nestoy fuera de la oficina hasta el 5 de "
             "mayo. Para temas urgentes contacte con mi compañera.\nUn saludo\nEva"),
        Mail("Re: ticket", "Actualmente estoy de vacaciones con acceso limitado al correo. "
             "Responderé a mi regreso."),
    ],
    "it": [
        Mail("Risposta automatica: Ticket", "Buongiorno,\nsono fuori ufficio fino al 5 maggio. Per "
             "urgenze contattare il mio collega.\nCordiali saluti\nPaola"),
        Mail("Re: ticket", "Sono in ferie e risponderò al mio rientro. Grazie per il messaggio."),
    ],
    "pt": [
        Mail("Resposta automática: Chamado", "Olá,\nestou fora do escritório até 5 de maio. Em "
             "caso de urgência contate minha colega.\nAtenciosamente\nRui"),
        Mail("Re: chamado", "Estou de férias e responderei à sua mensagem no meu retorno."),
    ],
    "nl": [
        Mail("Automatisch antwoord: Uw ticket", "Beste,\nik ben niet op kantoor tot 5 mei. Neem "
             "bij spoed contact op met mijn collega.\nMet vriendelijke groet\nJan"),
        Mail("Re: ticket", "Ik ben op vakantie en beantwoord uw bericht als ik terug ben."),
    ],
    "ja": [
        Mail("自動返信: お問い合わせ", "お世話になっております。5月5日まで休暇を"
             "いただいております。緊急の場合は担当の田中までご連絡ください。"),
        Mail("Re: お問い合わせ", "現在不在にしております。戻り次第、メールにて返信いたします。"),
    ],
}  # fmt: skip
RECEIPTS = {
    "en": Mail("Re: [#123]", "Thank you for contacting Acme. We have received your message and "
               "will respond shortly. Please do not reply to this email."),
    "de": Mail("Eingangsbestätigung", "Wir haben Ihre Nachricht erhalten und antworten bald."),
    "fr": Mail("Accusé de réception", "Nous avons bien reçu votre message et répondrons dans les "
               "meilleurs délais."),
}  # fmt: skip
BOUNCES = {
    "en": Mail("Undelivered Mail Returned to Sender", "This is the mail system. Your message could "
               "not be delivered to one or more recipients.\n\nIs it about your last invoice?"),
    "de": Mail("Unzustellbar: Ihr Ticket", "Die Nachricht konnte nicht zugestellt werden."),
    "fr": Mail("Non remis : votre ticket", "Votre message n'a pas pu être remis."),
    "es": Mail("Correo no entregado", "El mensaje no se ha podido entregar a ana@example.org."),
    "it": Mail("Impossibile recapitare: ticket", "Il messaggio non è stato recapitato."),
    "pt": Mail("Mensagem não entregue", "Sua mensagem não pôde ser entregue."),
    "nl": Mail("Onbestelbaar: ticket", "Uw bericht kon niet worden bezorgd."),
    "ja": Mail("配信不能: お問い合わせ", "メッセージを配信できません。宛先が見つかりません。"),
}  # fmt: skip
NEWSLETTERS = {
    "en": Mail("Big news", "Our spring sale is here.\nYou are receiving this because you signed up."
               "\nUnsubscribe"),
    "de": Mail("Neues", "Der Sommer ist da.\nSie erhalten diesen Newsletter, weil Sie angemeldet "
               "sind.\nIm Browser ansehen | Abmelden"),
    "fr": Mail("Nouveautés", "L'été arrive.\nVous recevez cet e-mail.\nSe désabonner"),
    "es": Mail("Novedades", "Llegó el verano.\nRecibes este correo por tu cuenta.\nDarse de baja"),
}  # fmt: skip
THANKS = {
    "en": ["Thank you!", "Thanks, it works now.", "Perfect, thank you very much for the quick "
           "help!\nBest regards\nAnn", "Thank you Mia, all good now.", "ty", "👍",
           "Great support, much appreciated. Have a great weekend!"],
    "de": ["Vielen Dank!", "Super, jetzt funktioniert es. Danke für die schnelle Hilfe!\nLG Ann",
           "Danke, hat geklappt.", "Danke Mia, das hat mir sehr geholfen!"],
    "fr": ["Merci beaucoup !",
           "Parfait, ça marche maintenant. Merci pour votre aide.\nCordialement"],
    "es": ["¡Muchas gracias!", "Perfecto, ya funciona. Gracias por su ayuda. Saludos"],
    "it": ["Grazie mille!", "Ottimo, ora funziona. Grazie per la risposta veloce.\nBuona giornata"],
    "pt": ["Muito obrigado!", "Perfeito, já está funcionando. Obrigada pela ajuda. Abraços"],
    "nl": ["Hartelijk dank!", "Super, het werkt weer. Bedankt voor de snelle hulp. Groeten"],
    "ja": ["ありがとうございました。", "無事に解決しました。迅速なご対応ありがとうございます。"],
}  # fmt: skip
# Each asks, complains or answers: a person or the workflow must see it.
ASKING = {
    "en": [
        Mail("Out of office", "My out of office reply does not work. How do I set it up?"),
        Mail("Automatic reply: invoice", "I am out of the office until Monday. Please cancel my "
             "subscription before Friday."),
        Mail("Automatic reply: invoice", "I am away. The export in the dashboard stays grey."),
        Mail("Vacation", "I am on vacation until Monday and the app crashes. Please respond."),
        Mail("Thanks", "Thank you, but it still does not work"),
        Mail("Thanks", "Thanks. Is it working now"),
        Mail("Re", "Thanks, yes please go ahead"),
        Mail("Re", "Thanks for nothing"),
        Mail("Re", "Thank you for the refund of pay_1"),
        Mail("Undeliverable: what is this?", "Why did I get this from you?"),
        Mail("Newsletter", "How do I unsubscribe from your newsletter?"),
        Mail("Re", "Thank you for contacting me. We have received your invoice and it is wrong."),
        Mail("Export", "?"),
        Mail("Automatic reply: x", "I am on leave. Please refund me and contact me at a@b.example"),
        Mail("Mail", "How can I unsubscribe and manage my email preferences"),
        Mail("Re", "Thank you Refund"),
    ],
    "de": [
        Mail("Abwesenheitsnotiz", "Ich bin im Urlaub. Bitte erstatten Sie die letzte Rechnung."),
        Mail("Hilfe", "Ich bin im Urlaub und kann mich nicht einloggen."),
        Mail("Server", "Der Server ist bis heute nicht erreichbar."),
        Mail("Danke", "Danke, aber es geht immer noch nicht"),
        Mail("Re", "Danke, ja bitte stornieren"),
        Mail("Abmelden", "Wie kann ich den Newsletter abbestellen?"),
    ],
    "fr": [
        Mail("Absence", "Je suis en vacances. Pouvez-vous annuler mon abonnement ?"),
        Mail("Merci", "Merci mais ça ne marche toujours pas"),
        Mail("Re", "Merci de me rembourser"),
    ],
    "es": [
        Mail("Fuera de la oficina", "Estoy de vacaciones. Necesito un reembolso de mi factura."),
        Mail("Gracias", "Gracias, pero no funciona"),
        Mail("Re", "Gracias por devolver mi dinero"),
    ],
    "it": [
        Mail("Assente", "Sono in ferie. Vorrei disdire il mio abbonamento."),
        Mail("Grazie", "Grazie, ma non funziona"),
        Mail("Re", "Grazie, quando arriva il rimborso"),
    ],
    "pt": [
        Mail("Ausente", "Estou de férias. Preciso cancelar minha assinatura."),
        Mail("Obrigado", "Obrigado, mas ainda não funciona"),
    ],
    "nl": [
        Mail("Afwezig", "Ik ben op vakantie. Kunt u mijn abonnement opzeggen?"),
        Mail("Dank", "Bedankt, maar het werkt nog steeds niet"),
    ],
    "ja": [
        Mail("不在のお知らせ", "休暇中です。解約の方法を教えてください。"),
        Mail("お礼", "ありがとうございます。まだログインできません。"),
        Mail("Re", "ありがとうございます。返金をお願いします。"),
    ],
}  # fmt: skip
