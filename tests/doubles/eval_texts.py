"""What a good model reads in the shipped tickets: their questions, and claims in their language.

The words of each question are the ticket's, by the id of the case.
"""

QUESTIONS: dict[str, list[str]] = {
    "several-01": ["How do I reset my password", "where can I download invoices?"],
    "several-02": ["1) what does E42 mean?", "2) when is support open?"],
    "several-03": ["how do I invite someone", "how do I remove someone", "is there a Linux app?"],
    "several-04": [
        "How can I make 2FA compulsory?",
        "Also how many API requests per minute are allowed per key?",
    ],
    "several-05": [
        "Can I export one board as CSV?",
        "And what's not included in a workspace export?",
    ],
    "several-06": [
        "What's the max. file size",
        "how many rows can a CSV import have",
        "how long does an invitation stay valid?",
    ],
    "several-07": ["Which iOS do I need for the app?", "Also, how do I switch to Japanese?"],
    "several-08": [
        "How do I connect my Google Calendar?",
        "And how can I get a daily summary instead of single mails?",
    ],
    "several-09": ["Where do I change our credit card", "where is the VAT number entered?"],
    "several-10": [
        "Please refund one of the two Pro plan charges.",
        "And how do I reset my password?",
    ],
    "several-11": [
        "Please cancel my Pro plan.",
        "Before that: how can I export everything?",
    ],
    "several-12": ["How do I mute a board?", "And when will you offer a Slack integration?"],
    "several-13": ["When are you open", "do non-profits get a discount?"],
    "several-14": [
        "Can I restore a card from the trash?",
        "For how long?",
        "And what about a deleted workspace?",
    ],
    "several-15": [
        "How many seconds does our server have to answer a webhook",
        "how often do you retry?",
    ],
    "several-16": ["How much storage comes with Pro?", "And how much with Team?"],
    "several-17": [
        "do you support OpenID Connect?",
        "can owners still log in with a password once SSO is required?",
        "how many recovery codes do we get?",
    ],
    "several-18": ["if the desktop app updates itself", "whether boards work without internet."],
    "several-19": [
        "Do you bill in euros?",
        "How long after a failed payment does our workspace become read only?",
    ],
    "several-20": ["Can guests see the member list?", "Can an admin see invoices?"],
    "several-21": ["how long are backups kept", "how long the activity log?"],
    "several-22": ["First I saw E51", "then E17. What do these two mean?"],
    "several-23": [
        "When was my last Pro payment",
        "within how many days can a monthly plan be refunded?",
    ],
    "several-24": [
        "How do I invite a guest to just one board?",
        "PS: is there a shortcut for search?",
    ],
    "several-25": ["What's the price of the annual plan", "when does an upgrade start?"],
    "several-26": ["Where do I create a key?", "Which header do I send it in?"],
    "several-27": [
        "Laptop: sync is stuck.",
        "Phone: no notifications arrive. What can I check on each?",
    ],
    "several-28": [
        "How do I delete my personal account?",
        "And please have a person call me about our contract.",
    ],
    "held_out-36": [
        "Where do I switch on quiet hours?",
        "And whom do I talk to about becoming a reseller in Poland?",
    ],
    "held_out-37": [
        "Please refund the extra storage (pay_5002).",
        "Also, I am writing a thesis on remote work and would like to interview your CEO.",
    ],
    "held_out-38": [
        "How do I mute a board?",
        "Also a colleague wrote on a card that he wants to kill himself, what do I do?",
    ],
}
# What a model sees to be no specialist's, by the number of the question.
NOT_OURS: dict[str, int] = {"several-28": 1, "held_out-36": 1, "held_out-37": 1, "held_out-38": 1}

IN_LANGUAGE: dict[str, str] = {
    "languages-04": "Sie können jede Rechnung unter Settings > Billing > Invoices als PDF "
    "herunterladen.",
    "languages-05": "Öffnen Sie Settings > Members, wählen Sie das Menü neben dem Namen und dort "
    "Remove from workspace.",
    "languages-06": "Nach der Erstattung dauert es 5 bis 10 Werktage, bis das Geld auf der Karte "
    "ist.",
    "languages-08": "Choisissez « Forgot password? » sur la page de connexion ; le lien pour le "
    "nouveau mot de passe est valable 60 minutes.",
    "languages-09": "Le support est ouvert du lundi au vendredi de 08:00 à 18:00, heure d'Europe "
    "centrale.",
    "languages-10": "L'erreur E42 signifie que votre envoi est plus grand que l'espace de stockage "
    "qui reste à votre espace de travail, ou que la session d'envoi a été perdue.",
    "languages-13": "Elija «Forgot password?» en la página de acceso; el enlace para la nueva "
    "contraseña es válido durante 60 minutos.",
    "languages-14": "Puede descargar cada factura en PDF en Settings > Billing > Invoices.",
    "languages-15": "La aplicación móvil necesita iOS 16 o posterior, o Android 10 o posterior.",
    "languages-17": "La API acepta hasta 120 solicitudes por minuto y por clave.",
    "languages-18": "Il supporto è aperto dal lunedì al venerdì dalle 08:00 alle 18:00, ora "
    "dell'Europa centrale.",
    "languages-19": "Apra il menu della bacheca e scelga Export; per i fogli di calcolo selezioni "
    "CSV.",
    "languages-20": "La carta di credito si cambia in Settings > Billing > Payment method con "
    "«Replace card».",
    "languages-21": "Nei piani Pro e Annual sono inclusi 200 GB per ogni spazio di lavoro.",
    "languages-23": "Escolha «Forgot password?» na página de entrada; o link para a nova senha "
    "vale por 60 minutos.",
    "languages-24": "Para cancelar a assinatura, o proprietário abre Settings > Billing > Plan e "
    "escolhe «Cancel subscription».",
    "languages-25": "Um único arquivo pode ter até 2 GB, seja qual for o plano.",
    "languages-26": "Um convite vale por 7 dias.",
    "languages-28": "Kies op de aanmeldpagina «Forgot password?»; de link voor het nieuwe "
    "wachtwoord is 60 minuten geldig.",
    "languages-29": "De helpdesk is open van maandag tot en met vrijdag van 08:00 tot 18:00 uur "
    "Midden-Europese tijd.",
    "languages-30": "Foutmelding E17 betekent dat dezelfde kaart of hetzelfde bestand op twee "
    "plaatsen is gewijzigd; u kiest welke versie u wilt behouden.",
    "languages-31": "Ja, in de desktop-app en de mobiele app, als u de borden vooraf als "
    "Available offline hebt gemarkeerd.",
    "languages-34": "サインインページで「Forgot password?」を選ぶと、パスワードを再設定する"
    "リンクが届きます。リンクの有効時間は60分です。",
    "languages-38": "E42は、アップロードするファイルがワークスペースの残り容量より大きいか、"
    "アップロードのセッションが切れたことを示すエラーです。",
    "languages-41": "Een plek op Team kost 199.00 USD per maand.",
    "held_out-08": "Unter Profile > Notifications stellen Sie ein, ob Mails sofort, als Daily "
    "summary oder nie kommen.",
    "held_out-39": "Wybierz „Forgot password?” na stronie logowania, podaj adres, którego używasz "
    "we Fernboard, i otwórz link, który Ci wyślemy.",
    "held_out-40": "En CSV-import kan højst have 10.000 rækker.",
    "mail_noise-25": "Der Fehler E42 bedeutet, dass Ihr Upload größer ist als der freie Speicher "
    "Ihres Arbeitsbereichs, oder dass die Upload-Sitzung verloren ging.",
}


def numbered(group: str, first: int, last: int) -> set[str]:
    """The ids of a part of a group."""
    return {f"{group}-{number:02d}" for number in range(first, last + 1)}


# All others are English.
LANGUAGES: dict[str, set[str]] = {
    "de": numbered("languages", 1, 7)
    | {"mail_noise-03", "mail_noise-25", "thanks_loops-04", "thanks_loops-14", "anger_legal-08"}
    | {"anger_legal-15", "attacks-22", "held_out-08"},
    "pl": {"held_out-39"},
    "da": {"held_out-40"},
    "fr": numbered("languages", 8, 12) | {"mail_noise-04", "thanks_loops-05", "anger_legal-09"},
    "es": numbered("languages", 13, 17) | {"thanks_loops-06", "anger_legal-14"},
    "it": numbered("languages", 18, 22) | {"thanks_loops-07"},
    "pt": numbered("languages", 23, 27) | {"thanks_loops-08"},
    "nl": numbered("languages", 28, 32) | {"thanks_loops-09"},
    "ja": numbered("languages", 33, 39) | {"mail_noise-05", "thanks_loops-10", "anger_legal-21"},
}
