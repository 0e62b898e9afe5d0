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
GREETING = Phrase(
    en="Hello,",
    de="Guten Tag,",
    fr="Bonjour,",
    es="Hola:",
    it="Buongiorno,",
    pt="Olá,",
    nl="Hallo,",
    ja="お問い合わせいただきありがとうございます。",
)
GREETING_NAMED = Phrase(
    en="Hello {name},",
    de="Guten Tag {name},",
    fr="Bonjour {name},",
    es="Hola, {name}:",
    it="Buongiorno {name},",
    pt="Olá, {name},",
    nl="Hallo {name},",
    ja="{name}様",
)
WHICH_PAYMENT = Phrase(
    en="Which of these payments do you mean?\n{choices}",
    de="Welche dieser Zahlungen meinen Sie?\n{choices}",
    fr="De quel paiement parlez-vous ?\n{choices}",
    es="¿A cuál de estos pagos se refiere?\n{choices}",
    it="A quale di questi pagamenti si riferisce?\n{choices}",
    pt="A qual destes pagamentos se refere?\n{choices}",
    nl="Welke van deze betalingen bedoelt u?\n{choices}",
    ja="次のどのお支払いについてのお問い合わせでしょうか。\n{choices}",
)
WHICH_CODE = Phrase(
    en="Which error code do you see, for example {choices}?",
    de="Welchen Fehlercode sehen Sie, zum Beispiel {choices}?",
    fr="Quel code d'erreur voyez-vous, par exemple {choices} ?",
    es="¿Qué código de error ve, por ejemplo {choices}?",
    it="Quale codice di errore vede, per esempio {choices}?",
    pt="Que código de erro aparece, por exemplo {choices}?",
    nl="Welke foutcode ziet u, bijvoorbeeld {choices}?",
    ja="どのエラーコードが表示されていますか（例：{choices}）。",
)
