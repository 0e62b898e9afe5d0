"""Offline mood: anger, urgency and the wish for a person, in several languages.

Only what is said outright counts. Sarcasm ("great job, as always") is not noticed.
"""

import re

from tools.models import Urgency

# Each hint is a chance of its own: of ten tickets with this word, how many are angry.
ANGER: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        # Furious, outraged; thieves and scams.
        (r"\bfurious\b|\boutrag\w+|\bdisgust\w+|\bscam\w*|\bthie(?:f|ves)\b|\bfraudsters?\b"
         r"|\bsteal(?:s|ing)?\b|\byou stole\b|\bcrooks?\b|\bstinksauer\b|\bw[üu]tend|\bemp[öo]r\w+"
         r"|\babzock\w*|\bbetr[üu]ger|\bunversch[äa]mt\w*|\bfurieux|\bfurieuse|\bvoleurs?\b"
         r"|\barnaque\w*|\bescroc\w*|\bscandaleux|\bfurios[oa]s?\b|\bladr(?:ones|i|ões|[óo]n)\b"
         r"|\bestafa\w*|\bindignad[oa]|\btruff\w+|\bvergogna|\bvergonha|\bgolpistas?\b|\bwoedend"
         r"|\boplicht\w*|\bschandalig|\bdieven\b|ふざけるな|詐欺|泥棒|激怒|最悪", 0.7),
        # What somebody thinks of the company.
        (r"\bangry\b|\bunacceptable\b|\bridiculous\b|\bworst\b|\bterrible\b|\bpathetic\b"
         r"|\binakzeptabel|\bfrechheit|\binacceptable\b|\bhonteux|\binaceptable\b"
         r"|\binaccettabile|\binaceit[áa]vel|\bonacceptabel|\bbelachelijk"
         r"|許せない|ひどい|怒って", 0.55),
        # Insults.
        (r"\bincompetent\b|\bidiots?\b|\bstupid\b|\bmorons?\b|\bliars?\b|\bclowns\b|\bidioten?\b"
         r"|\blügner\b|\bincapables?\b|\bmenteurs?\b|\bidiotas?\b|\bmentirosos?\b|\bincompetenti\b"
         r"|\bbugiardi\b|\bleugenaars\b|無能|嘘つき|バカ", 0.55),
        # Threats of the law.
        (r"\blawyers?\b|\battorney|\bsue (?:you|your)\b|\blawsuit|\blegal action|\banwalt\b"
         r"|\bverklage\w*|\bavocat\b|\babogad[oa]\b|\bavvocato\b|\badvogad[oa]\b|\badvocaat\b"
         r"|弁護士|訴え", 0.55),
        (r"\bfed up\b|\bsick of\b|\bannoy\w+|\bdisappoint\w+|\bfrustrat\w+|\bawful\b|\bhorrible\b"
         r"|\bfuck\w*|\bgod ?damn\w*|\bdamn\w*|\bbloody\b|\bshit\w*|\bbullshit|\bcrap\b|\bwtf\b"
         r"|\bver[äa]rger\w+|\bentt[äa]usch\w+|\bscheiß\w*|\bscheiss\w*|\bd[ée][çc]u\w*|\bmerde\b"
         r"|\bdecepcion\w*|\bmierda\b|\bdelus[oa]\b|\bmerda\b|\bdecepcionad[oa]|\bteleurgesteld"
         r"|\bverdomme|がっかり|いい加減", 0.4),
        (r"[!！]{2,}", 0.3),
    )
)  # fmt: skip
WANTS_HUMAN = re.compile(
    r"\b(?:speak\w*|talk\w*|chat\w*|connect me|put me through|transfer me|direct me|contact\w*"
    r"|reach\w*|get in touch) (?:to |with |an? |the |your |some |real |live |human |free )*"
    r"(?:human|person|people|manager|supervisor|agent|operator|assistant|someone|somebody|body|one)\b"
    r"|real (?:human|person)\b|human (?:agent|being)|live agent|\bmy lawyer\b"
    r"|\bfile a complaint\b|\b(?:want|need|demand|get me|ask(?:ing)? for|call|where is|give me)"
    r" (?:an? |your |the |some |real |live )+(?:manager|supervisor|human|person|agent)\b"
    # The same wish in German, French, Spanish, Italian, Portuguese, Dutch, Japanese.
    r"|\b(?:mit|einen) (?:\w+ )?(?:menschen|mitarbeiter\w*|person|vorgesetzten|chef)\b"
    r"|\b(?:parler|contacter|discuter) (?:\w+ )?(?:[àa]|avec|une?) (?:\w+ )?"
    r"(?:humain|personne|responsable|conseiller|quelqu)"
    r"|\bhabl\w+ con (?:\w+ )?(?:persona|humano|alguien|agente|encargado|responsable|supervisor)"
    r"|\bparlare con (?:\w+ )?(?:persona|umano|qualcuno|operatore|responsabile)"
    r"|\bfalar com (?:\w+ )?(?:pessoa|humano|algu[ée]m|atendente|gerente|respons[áa]vel)"
    r"|\b(?:met een|een) (?:\w+ )?(?:mens|medewerker|persoon|manager)\b (?:spreken|praten)"
    r"|(?:人間|人|担当者|責任者|オペレーター)(?:と|に)(?:直接)?(?:話|つない|代わ|連絡)",
    re.IGNORECASE,
)
URGENCY: tuple[tuple[Urgency, re.Pattern[str]], ...] = (
    ("critical", re.compile(
        r"\boutage\b|(?:everyone|nobody|whole team)[^.]{0,80} (?:cannot|can't|can|locked)"
        r"|data (?:loss|is gone)|\bhacked\b|\bbreach\b|\bgehackt\b|datenverlust|\bpirat[ée]\b"
        r"|\bhackead[oa]\b|\bhackerat[oa]\b|乗っ取", re.IGNORECASE)),
    ("high", re.compile(
        r"\burgent\w*|\basap\b|\bimmediately\b|\bright now\b|\bdeadline\b|\bblocked\b"
        r"|\bdringend|\bsofort\b|\burgen(?:te|temente|tie)\b|\bimm[ée]diatement|\binmediat\w+"
        r"|\bsubito\b|\bimediat\w+|\bdringend\b|\bonmiddellijk|至急|緊急", re.IGNORECASE)),
    ("low", re.compile(
        r"no (?:rush|hurry)|\bjust wondering\b|\bwhenever\b|\bwhen you have time\b|keine eile"
        r"|pas press[ée]|sin prisa|senza fretta|sem pressa|geen haast|急ぎではありません",
        re.IGNORECASE)),
)  # fmt: skip
LETTERS = re.compile(r"[^\W\d_]{3,}")
SHOUTED_SHARE = 0.5


def anger_score(text: str) -> float:
    """Between 0 and 1: hints combine as independent chances; shouting in capitals is one more."""
    calm = 1.0
    for pattern, weight in ANGER:
        calm *= 1 - weight if pattern.search(text) else 1
    words = LETTERS.findall(text)
    shouted = sum(word.isupper() for word in words)
    if len(words) >= 4 and shouted > len(words) * SHOUTED_SHARE:
        calm *= 0.6
    return round(1 - calm, 2)


def urgency(text: str, anger: float) -> Urgency:
    """The first urgency whose words occur; anger makes it at least high."""
    for name, pattern in URGENCY:
        if pattern.search(text):
            return "high" if name == "low" and anger >= 0.5 else name
    return "high" if anger >= 0.5 else "normal"
