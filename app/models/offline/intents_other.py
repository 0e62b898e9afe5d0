"""What tickets in other languages say about their intent: the common words of a help desk.

German, French, Spanish, Italian, Portuguese, Dutch and Japanese; each pattern is one meaning.
"""

from app.models.offline.intents_en import Weights
from graphs.state import Intent

TWICE = (
    r"(?:doppelt|zweimal|zwei mal) (?:\w+ )?(?:abgebucht|belastet|berechnet|bezahlt)"
    r"|\b(?:d[ée]bit\w+|factur\w+|pr[ée]lev\w+|pay\w+) (?:\w+ ){0,2}(?:deux fois|en double)"
    r"|\bcobr\w+ (?:\w+ ){0,2}(?:dos veces|el doble|duas vezes|em dobro)|doble cargo|cobrança dupla"
    r"|\baddebit\w+ (?:\w+ ){0,2}(?:due volte|doppi\w)|doppio addebito|pagato due volte"
    r"|(?:twee keer|dubbel|tweemaal) (?:\w+ )?(?:afgeschreven|betaald|belast|in rekening)"
    r"|二重(?:に)?(?:請求|課金|引き落と)|(?:二|2)回(?:も)?(?:請求|課金|引き落と)"
)
REFUND = (
    r"r(?:ü|ue)ckerstatt\w*|erstattung|geld zur(?:ü|ue)ck|erstatten|rembours\w+|reembols\w+"
    r"|devoluci[óo]n|rimbors\w+|terugbetal\w+|geld terug|返金|払い戻"
)
PAYMENT = (
    r"\brechnung(?:en)?\b|abbuchung|abgebucht|zahlung|lastschrift|\bfactur(?:e|es|a|as|en|ur)\b"
    r"|\bpaiements?\b|\bpr[ée]l[èe]vements?\b|\bpagos?\b|\bcargos?\b|\bfattur[ae]\b|\bpagament[oi]s?\b"
    r"|\bcobranças?\b|\bfaturas?\b|\bbetaling(?:en)?\b|\brekening\b|請求|支払|領収書|課金"
)
CANCEL = (
    r"\b(?:abo\w*|abonnement) (?:\w+ )?k(?:ü|ue)ndig\w*"
    r"|\bk(?:ü|ue)ndig\w+ .{0,20}(?:abo|abonnement)|r[ée]sili\w+|annuler .{0,15}abonnement"
    r"|cancelar .{0,15}(?:suscripci[óo]n|assinatura)"
    r"|(?:annullare|disdire) .{0,15}abbonamento|abonnement .{0,15}opzeggen"
    r"|(?:サブスク\w{0,8}|定期購読|契約).{0,4}(?:解約|キャンセル)"
)
ERROR = (
    r"\bfehler(?:meldung|code)?\b|\berreur\b|\berror(?:es)?\b|\berrore\b|\berro\b|\bfout(?:melding|code)?\b"
    r"|エラー|\bproblemas? t[ée]cnico|\bst(?:ü|ue)rzt .{0,15}ab\b|\bplant(?:e|é)\b|落ちる|不具合"
)
BROKEN = (
    r"\bfunktionier\w+ (?:\w+ )?nicht|geht nicht|\bkaputt\b|schl(?:ä|ae)gt (?:\w+ )?fehl"
    r"|fehlgeschlagen|ne (?:marche|fonctionne) (?:pas|plus)|[ée]chou\w+"
    r"|\bno funciona|\bfalla\b|\bn[ãa]o funciona|\bfalha\b|\bnon funziona|\bfallisce\b"
    r"|werkt (?:\w+ )?niet|\bmislukt\b|\bkapot\b|動かない|動きません|できない|できません|失敗"
)
SIGN_IN = (
    r"\bpass?wort\b|\bkennwort\b|mot de passe|contrase[ñn]a|\bsenha\b|palavra-passe|\bwachtwoord\b"
    r"|パスワード|\banmelden\b|me connecter|iniciar sesi[óo]n|inloggen|ログイン"
)
TOPIC = (
    r"(?:ö|oe)ffnungszeiten|heures d.ouverture|horarios?\b|hor[áa]rio|orari\w? di apertura"
    r"|openingstijden|営業時間|\blieferung|\blivraison|\benv[íi]os?\b|\bentregas?\b|\bspedizione"
    r"|\blevering\b|配送|\bdatenschutz|\bexport\w*|エクスポート|\bespor\w+|\bbestellung\b|\bcommande\b"
    r"|\bpedido\b|\bordine\b|\bbestelling\b|注文|言語|\bsprache\b|\blangue\b|\bidiomas?\b"
)
WHERE_INVOICES = (
    r"\bwo .{0,20}\brechnungen|\bo[ùu] .{0,25}\bfactures|\bd[óo]nde .{0,25}\bfacturas"
    r"|\bdove .{0,25}\bfatture|\bonde .{0,25}\bfaturas|\bwaar .{0,25}\bfacturen"
    r"|(?:請求書|領収書).{0,6}(?:ダウンロード|方法)"
)
HOW_TO = (
    r"\bwie (?:kann|k(?:ö|oe)nnen|mache|l(?:ä|ae)dt)\b|\bcomment (?:puis|faire|est|je|on)\b"
    r"|\bc[óo]mo (?:puedo|se|hago)\b|\bcome (?:posso|si|faccio)\b|\bcomo (?:posso|fa[çc]o|se)\b"
    r"|\bhoe (?:kan|moet|doe)\b|方法|どうすれば|どうやって|\bwo (?:finde|kann)\b"
    r"|\bo[ùu] (?:puis|trouver)"
)
FRAUD = (
    r"\bgestohlen|\bbetrug|\bgehackt|\bvol[ée]e?\b|\bfraude\b|\bpirat[ée]\w*|\brobad[oa]|\bhackead[oa]"
    r"|\brubat[oa]|\bfrode\b|\bhackerat[oa]|\broubad[oa]|\bgestolen|盗まれ|不正利用|乗っ取"
)
WORLD: dict[Intent, Weights] = {
    "billing": ((TWICE, 3), (REFUND, 3), (PAYMENT, 1.5), (CANCEL, 2)),
    "technical": ((ERROR, 2), (BROKEN, 2), (SIGN_IN, 2.5)),
    "general": ((TOPIC, 2.5), (WHERE_INVOICES, 4.5), (HOW_TO, 0.6)),
    "escalate": ((FRAUD, 3),),
}
