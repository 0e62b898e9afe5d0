"""The few sentences that code itself says to a customer, in the languages it can say them in."""

from datetime import datetime
from typing import Literal

from graphs.text.language import iso_language
from tools.models import Handoff

Key = Literal["thanks", "taken_by", "taken", "queued", "refunded", "cancelled", "mailed", "undone",
              "declined", "part_by", "part"]  # fmt: skip

_PHRASES: dict[str, dict[Key, str]] = {
    "en": {
        "thanks": "Thank you for your message.",
        "taken_by": "{who} from our team will read it and answer you here.",
        "taken": "A member of our team will read it and answer you here.",
        "queued": "You are number {position} in the queue; our team is back on {time}.",
        "refunded": "We have refunded {amount} for {about}.",
        "cancelled": "We have cancelled your {about} subscription.",
        "mailed": "We have sent your mail to {about}.",
        "undone": "We did not carry out the rest of your request: {about}.",
        "declined": "We have looked at your request and did not carry it out as it stands.",
        "part_by": "{who} from our team will look at your question about {part}.",
        "part": "A colleague will look at your question about {part}.",
    },
    "de": {
        "thanks": "Vielen Dank für Ihre Nachricht.",
        "taken_by": "{who} aus unserem Team wird sie lesen und Ihnen hier antworten.",
        "taken": "Jemand aus unserem Team wird sie lesen und Ihnen hier antworten.",
        "queued": "Sie sind Nummer {position} in der Reihe; unser Team ist ab {time} wieder da.",
        "refunded": "Wir haben {amount} für {about} erstattet.",
        "cancelled": "Wir haben Ihr Abonnement {about} gekündigt.",
        "mailed": "Wir haben Ihre Mail an {about} gesendet.",
        "undone": "Den Rest Ihrer Anfrage haben wir nicht ausgeführt: {about}.",
        "declined": "Wir haben Ihre Anfrage geprüft und so nicht ausgeführt.",
        "part_by": "Ihre Frage zum Thema {part} sieht sich {who} aus unserem Team an.",
        "part": "Ihre Frage zum Thema {part} sieht sich eine Kollegin oder ein Kollege an.",
    },
    "fr": {
        "thanks": "Merci pour votre message.",
        "taken_by": "{who}, de notre équipe, va le lire et vous répondre ici.",
        "taken": "Un membre de notre équipe va le lire et vous répondre ici.",
        "queued": "Vous êtes numéro {position} dans la file ; notre équipe revient le {time}.",
        "refunded": "Nous avons remboursé {amount} pour {about}.",
        "cancelled": "Nous avons résilié votre abonnement {about}.",
        "mailed": "Nous avons envoyé votre message à {about}.",
        "undone": "Nous n'avons pas effectué le reste de votre demande : {about}.",
        "declined": "Nous avons examiné votre demande et ne l'avons pas effectuée telle quelle.",
        "part_by": "{who}, de notre équipe, va examiner votre question concernant {part}.",
        "part": "Un collègue va examiner votre question concernant {part}.",
    },
    "es": {
        "thanks": "Gracias por su mensaje.",
        "taken_by": "{who}, de nuestro equipo, lo leerá y le responderá aquí.",
        "taken": "Una persona de nuestro equipo lo leerá y le responderá aquí.",
        "queued": "Es el número {position} de la cola; nuestro equipo vuelve el {time}.",
        "refunded": "Hemos reembolsado {amount} por {about}.",
        "cancelled": "Hemos cancelado su suscripción {about}.",
        "mailed": "Hemos enviado su correo a {about}.",
        "undone": "No hemos realizado el resto de su solicitud: {about}.",
        "declined": "Hemos revisado su solicitud y no la hemos realizado tal como está.",
        "part_by": "{who}, de nuestro equipo, verá su pregunta sobre {part}.",
        "part": "Una persona de nuestro equipo verá su pregunta sobre {part}.",
    },
    "it": {
        "thanks": "Grazie per il messaggio.",
        "taken_by": "{who} del nostro team lo leggerà e Le risponderà qui.",
        "taken": "Una persona del nostro team lo leggerà e Le risponderà qui.",
        "queued": "È il numero {position} in coda; il nostro team torna il {time}.",
        "refunded": "Abbiamo rimborsato {amount} per {about}.",
        "cancelled": "Abbiamo disdetto il Suo abbonamento {about}.",
        "mailed": "Abbiamo inviato la Sua mail a {about}.",
        "undone": "Non abbiamo eseguito il resto della Sua richiesta: {about}.",
        "declined": "Abbiamo esaminato la richiesta e non l'abbiamo eseguita così com'è.",
        "part_by": "{who} del nostro team esaminerà la domanda su {part}.",
        "part": "Un collega esaminerà la domanda su {part}.",
    },
    "pt": {
        "thanks": "Obrigado pela sua mensagem.",
        "taken_by": "{who}, da nossa equipe, vai ler e responder aqui.",
        "taken": "Uma pessoa da nossa equipe vai ler e responder aqui.",
        "queued": "Você é o número {position} da fila; nossa equipe volta em {time}.",
        "refunded": "Reembolsamos {amount} por {about}.",
        "cancelled": "Cancelamos a sua assinatura {about}.",
        "mailed": "Enviamos o seu e-mail para {about}.",
        "undone": "Não executamos o restante do seu pedido: {about}.",
        "declined": "Analisamos o seu pedido e não o executamos como está.",
        "part_by": "{who}, da nossa equipe, vai ver a sua pergunta sobre {part}.",
        "part": "Um colega vai ver a sua pergunta sobre {part}.",
    },
    "nl": {
        "thanks": "Bedankt voor uw bericht.",
        "taken_by": "{who} van ons team zal het lezen en u hier antwoorden.",
        "taken": "Iemand van ons team zal het lezen en u hier antwoorden.",
        "queued": "U bent nummer {position} in de wachtrij; ons team is er weer op {time}.",
        "refunded": "Wij hebben {amount} voor {about} terugbetaald.",
        "cancelled": "Wij hebben uw abonnement {about} opgezegd.",
        "mailed": "Wij hebben uw mail verzonden aan {about}.",
        "undone": "De rest van uw verzoek hebben wij niet uitgevoerd: {about}.",
        "declined": "Wij hebben uw verzoek bekeken en zo niet uitgevoerd.",
        "part_by": "{who} van ons team zal uw vraag over {part} bekijken.",
        "part": "Een collega zal uw vraag over {part} bekijken.",
    },
    "ja": {
        "thanks": "お問い合わせありがとうございます。",
        "taken_by": "担当の{who}が拝見し、こちらでお返事いたします。",
        "taken": "担当者が拝見し、こちらでお返事いたします。",
        "queued": "現在の順番は{position}番目です。担当者は{time}に戻ります。",
        "refunded": "{about}の{amount}を返金いたしました。",
        "cancelled": "{about}の定期購入を解約いたしました。",
        "mailed": "{about}にメールを送信いたしました。",
        "undone": "ご依頼のうち、次の内容は実行いたしませんでした：{about}。",
        "declined": "ご依頼を確認しましたが、そのままの形では実行いたしませんでした。",
        "part_by": "{part}に関するご質問は、担当の{who}が確認いたします。",
        "part": "{part}に関するご質問は、別の担当者が確認いたします。",
    },
}  # fmt: skip
_PARTS = {
    "en": {"billing": "billing", "technical": "the technical problem", "general": "our service"},
    "de": {"billing": "Abrechnung", "technical": "Technik", "general": "Allgemeines"},
    "fr": {"billing": "la facturation", "technical": "le problème technique",
           "general": "notre service"},
    "es": {"billing": "facturación", "technical": "el problema técnico",
           "general": "nuestro servicio"},
    "it": {"billing": "fatturazione", "technical": "il problema tecnico",
           "general": "il nostro servizio"},
    "pt": {"billing": "cobrança", "technical": "o problema técnico", "general": "nosso serviço"},
    "nl": {"billing": "facturatie", "technical": "het technische probleem",
           "general": "onze dienst"},
    "ja": {"billing": "お支払い", "technical": "技術的な問題", "general": "サービス"},
}  # fmt: skip
LANGUAGES = tuple(_PHRASES)


def spoken(language: str | None) -> str:
    """The language that we say our sentences in for a code such as "pt-BR"; else English."""
    code = iso_language(language)
    return code if code in _PHRASES else "en"


def phrase(key: Key, language: str | None, **values: str | int) -> str:
    """One sentence in the language, its places filled; values are inserted as they are.

    Raises:
        KeyError: a place of the sentence has no value.
    """
    return _PHRASES[spoken(language)][key].format(**values)


def part_name(part: str, language: str | None) -> str:
    """What a part of a ticket is called in the language; an unknown part keeps its name."""
    return _PARTS[spoken(language)].get(part, part)


def who_goes_on(handoff: Handoff, language: str | None, part: str | None = None) -> str:
    """Who answers the ticket, or its part: a name, or the place in the queue and the opening."""
    agent, place, opens_at = handoff["agent"], handoff["queue_position"], handoff["opens_at"]
    topic = part_name(part, language) if part else ""
    if agent:
        return phrase("part_by" if part else "taken_by", language, who=agent["name"], part=topic)
    told = phrase("part" if part else "taken", language, part=topic)
    if not (place and opens_at):
        return told
    back = f"{datetime.fromisoformat(opens_at):%Y-%m-%d %H:%M} UTC"
    return f"{told} {phrase('queued', language, position=place, time=back)}"
