"""Sentences about a run that code says to a customer; those about effects are with the tools."""

from tools.wording import Phrase

THANKS = Phrase(
    en="Thank you for your message.",
    de="Vielen Dank für Ihre Nachricht.",
    fr="Merci pour votre message.",
    es="Gracias por su mensaje.",
    it="Grazie per il messaggio.",
    pt="Obrigado pela sua mensagem.",
    nl="Bedankt voor uw bericht.",
    ja="お問い合わせありがとうございます。",
)
UNDONE = Phrase(
    en="We did not carry out the rest of your request: {about}.",
    de="Den Rest Ihrer Anfrage haben wir nicht ausgeführt: {about}.",
    fr="Nous n'avons pas effectué le reste de votre demande : {about}.",
    es="No hemos realizado el resto de su solicitud: {about}.",
    it="Non abbiamo eseguito il resto della Sua richiesta: {about}.",
    pt="Não executamos o restante do seu pedido: {about}.",
    nl="De rest van uw verzoek hebben wij niet uitgevoerd: {about}.",
    ja="ご依頼のうち、次の内容は実行いたしませんでした：{about}。",
)
DECLINED = Phrase(
    en="We have looked at your request and did not carry it out as it stands.",
    de="Wir haben Ihre Anfrage geprüft und so nicht ausgeführt.",
    fr="Nous avons examiné votre demande et ne l'avons pas effectuée telle quelle.",
    es="Hemos revisado su solicitud y no la hemos realizado tal como está.",
    it="Abbiamo esaminato la richiesta e non l'abbiamo eseguita così com'è.",
    pt="Analisamos o seu pedido e não o executamos como está.",
    nl="Wij hebben uw verzoek bekeken en zo niet uitgevoerd.",
    ja="ご依頼を確認しましたが、そのままの形では実行いたしませんでした。",
)
WHICH_PAYMENT = Phrase(
    en="Which payment do you mean? Please answer with one of these:\n{choices}",
    de="Welche Zahlung meinen Sie? Bitte antworten Sie mit einer von diesen:\n{choices}",
    fr="De quel paiement s'agit-il ? Veuillez répondre avec l'un de ceux-ci :\n{choices}",
    es="¿A qué pago se refiere? Responda, por favor, con uno de estos:\n{choices}",
    it="Di quale pagamento si tratta? Risponda, per favore, con uno di questi:\n{choices}",
    pt="A que pagamento se refere? Responda, por favor, com um destes:\n{choices}",
    nl="Welke betaling bedoelt u? Antwoord alstublieft met een van deze:\n{choices}",
    ja="どのお支払いについてのお問い合わせでしょうか。次の中からお選びください。\n{choices}",
)
