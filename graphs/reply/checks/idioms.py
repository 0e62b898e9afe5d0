"""Patterns for actions and concessions as ellipses or idioms (on normalised text)."""

import re

COURTESY = re.compile(
    r"^\W*(?:hello|hi|dear|good (?:morning|afternoon|day)|thank|thanks|many thanks|sorry|apolog"
    r"|(?:i|we)(?: a|')(?:m|re) (?:very |so |really )?sorry|(?:i|we) (?:sincerely )?apologi"
    r"|(?:i|we) (?:hope|understand|appreciate)|i see that you|you (?:wrote|asked|said|mention)"
    r"|(?:please )?(?:let us|let me) know|(?:please )?feel free"
    r"|if you have (?:any )?(?:other|more|furth"
    r"|any)|(?:i|we)(?:'ll| will| would| are| am|'m|'re) (?:be )?(?:happy|glad)|(?:best|kind|warm)"
    r" regards|sincerely|have a (?:nice|great|good)|here (?:is|are)|this is how|(?:please )?(?:try|"
    r"follow) (?:these|the following|this)|in short|to answer your|regarding your"
    r"|hallo|guten tag|liebe|sehr geehrte|danke|vielen dank|es tut (?:mir|uns) leid|entschuldig"
    r"|wir bitten um|(?:mit )?(?:freundlichen|besten|viele) gru|bei (?:weiteren )?fragen|gern\b"
    r"|bonjour|merci|cher|chere|desole|je suis desole|nous sommes desoles|cordialement|n'hesitez"
    r"|hola|gracias|estimad|lamento|lamentamos|disculp|saludos|no dude|si tiene (?:mas|otras)"
    r"|ciao|buongiorno|gentile|grazie|mi dispiace|ci dispiace|cordiali saluti|non esiti|resto a"
    r"|ola\b|prezad|obrigad|lamento|sentimos muito|desculp|atenciosamente|se tiver"
    r"|beste|geachte|bedankt|dank u|het spijt|met vriendelijke|als u (?:nog )?vragen"
    r"|こんにちは|お問い合わせ|お世話|ご連絡|ご不便|申し訳|よろしく|いつも)"
)

# "Account deleted.", "All fixed.": a noun and a participle, with no verb that could weaken them.
_PARTICIPLES = (
    r"(?:cancell?|delet|remov|upgrad|downgrad|approv|activat|unlock|escalat|forward|extend|process"
    r"|resolv|fix|restor|clos|grant|accept|chang|updat|transferr?|issu|revers|void|settl|refund"
    r"|credit|schedul|confirm|ship|replac|correct|adjust|complet|waiv|clear|releas|return|handl)ed"
    r"|sent|paid|reset|done|repaid"
    # de and nl, fr, then es, it and pt
    r"|ge\w{3,}(?:t|en|d)|\w+iert|\w+gezegd|verwijderd|erledigt|veranlasst|behoben|genehmigt"
    r"|bewilligt|(?:supprim|annul|resili|rembours|approuv|activ|regl|envoy|corrig|valid)ee?s?"
    r"|resolue?|transmise?|\w{3,}[ai]d[oa]s?|resuelt[oa]|hech[oa]|\w{3,}[aiu]t[oa]|feit[oa]"
)
ELLIPSIS = re.compile(
    rf"^\W*(?!(?:is|are|if|when|not|no|keep|have|get|make|please|bitte)\b)(?:\w+\s){{1,2}}"
    rf"(?:now\s|already\s)?(?:{_PARTICIPLES})\W*$"
)
_OWED = r"(?:charge|payment|invoice|fee|bill|amount|money|sum|dollars?|euros?|duplicate)s?"
_WE_DO = (
    r"(?:void|nullify|delete|remove|cancel|upgrade|cut|drop|reverse|credit|issue|grant|approve"
    r"|unlock|extend|close|fix|waive|forgive|cover)"
)
IDIOM = re.compile(
    rf"\b(?:is|are) (?:all )?on (?:us|the house)\b|\bon the house\b|\b{_OWED} (?:is|are|was|were)"
    rf" (?:now )?(?:void|gone|yours|off|settled)\b|\b(?:is|are) yours\b"
    rf"|\b(?:we|i) (?:now |just |will |gladly |also )?{_WE_DO}\b"
    r"|\byou (?:now )?(?:owe|pay)(?: us)? nothing\b|\bnothing to pay\b|\bno charge\b"
    r"|\bnext one free"
    r"|\bhalf (?:the )?price\b|\bhalf off\b|(?:percent|per cent|%) (?:off|less)\b"
    r"|\bleave (?:it|this|that) (?:with|to) (?:us|me)\b|\bwe(?:'re| are) on it\b"
    r"|\bfix (?:is|will be) (?:coming|on)\b|\bare working on\b"
    r"|\b\w+ (?:has |have )?(?:agreed to (?:it|this|that|your)|signed (?:it |this |that )?off"
    r"|ok'?(?:ay)?e?d (?:it|this)|said yes|gave (?:it )?(?:the |a )?green light)"
    r"|\b(?:case|claim|request|matter|dispute) (?:is|was) (?:now )?"
    r"(?:settled|won|accepted|closed)\b"
)
# A question opens with a verb or a question word; "..., okay?" behind a statement is none.
OPENER = re.compile(
    r"^\W*(?:(?:so|and|but|or|also|then|hello|hi|dear|sorry)\b[^?]{0,30}?[,:]?\s)?(?:(?:do|does|did"
    r"|can|could|may|might|would|will|shall|should|is|are|was|were|am|have|has|had|which|what|when"
    r"|where|who|whom|whose|why|how|if|anything|any)\b|(?:welche\w*|was|wann|wo|wer|warum|wie|kann"
    r"|konn\w+|haben|hat|ist|sind|mocht\w+|darf|soll\w*|gibt|quel\w*|que|quoi|quand|ou|qui|pourquoi"
    r"|comment|est-ce|pouvez|avez|souhaitez|cual\w*|cuando|donde|quien|por que|como|puede|tiene|ha"
    r"|desea|quale|quali|cosa|quando|dove|chi|perche|come|puo|vuole|qual|quais|onde|quem|pode|deseja"
    r"|welke|wat|wanneer|waar|wie|waarom|hoe|kunt|heeft|wilt)\b|[¿])"
)
# These tell something inside a question.
TELLING = re.compile(r"\b(?:did|do) you (?:already )?know\b|\bare you aware\b|\bhave you heard\b"
                     r"|wussten sie|saviez-vous|sabia (?:usted )?que")  # fmt: skip


def says_in_short(sentence: str) -> bool:
    """Whether the sentence tells a deed or a gift by an ellipsis or an idiom."""
    if COURTESY.match(sentence):
        return False
    return bool(ELLIPSIS.search(sentence) or IDIOM.search(sentence))


def asks(sentence: str) -> bool:
    """Whether the sentence only asks; Japanese marks it at its end."""
    said = sentence.strip()
    if not said.endswith(("?", "？")):
        return False
    return said.endswith("か？") or bool(OPENER.search(said) and not TELLING.search(said))
