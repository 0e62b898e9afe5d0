"""A reply promises no money that was not moved, and hides no effect that was done."""

import re
from collections.abc import Iterator
from itertools import pairwise

from graphs.reply.checks.amounts import MONEY
from graphs.reply.checks.draft_case import Case
from graphs.text.normalize import joined, sentences

# Words that give money back, and words that commit the company otherwise; folded text.
REFUND = re.compile(
    r"refund|reimburs|repay|repaid|pa(?:y|id) (?:it |that |this |you )?back|money back"
    r"|return(?:ed|ing)? (?:you |of )?(?:your|the) money|chargeback"
    r"|(?:zahl|uberweis)\w{0,40} [^.]{0,60}\bzuruck\b|stort\w{0,40} [^.]{0,60}\bterug\b"
    r"|erstatt|gutschrift|gutgeschrieben|gutschreib|ruckzahl|zuruckzahl|zuruckgezahlt"
    r"|zuruckuberw|geld zuruck|rembours|rendre (?:votre|l')\s?argent|reembols"
    r"|reintegr\w{0,20} \w{1,30} dinero"
    r"|devol(?:v|uc|ut)|devuelv|rimbors|restitui|estorn|ressarc|terugbeta|terugstort|geld terug"
    r"|vergoed|返金|払い戻|払戻|ご返却|退款|退还|退錢|환불|возврат|верн[её]м|возмест"
)
_CREDIT = r"(?<!carte de )(?<!tarjeta de )(?<!cartao de )(?<!carta di )credit(?![ -]?cards?)"
COMMITMENT = re.compile(
    REFUND.pattern + rf"|{_CREDIT}|compensat|discount|voucher|coupon|free of charge|for free\b"
    r"|free (?:month|year|of cost|upgrade)|waiv|guarantee|promis[ei]|we owe you|goodwill"
    r"|storn|rabatt|gutschein|kostenlos|kostenfrei|garanti|versprech|versproch|entschadig|kulanz"
    r"|annuler[^.]{0,20}facture|gratuit|bon d'achat|remise|geste commercial|dedommag"
    r"|promett|promets"
    r"|descuento|gratis|cupon|garantiz|indemniz|compens|promet|sconto|buono sconto|gratuit|risarc"
    r"|desconto|korting|tegoed|schadeloos|beloof|beloven|garande"
    r"|割引|無料|クーポン|補償|保証し|お約束|賠償|折扣|补偿|免费|할인|보상|скидк|компенс|бесплатн"
)
REFUND_WORD = re.compile(r"(?:refund|reimburse|repay|erstatt|rembours|reembols|rimbors)\w{0,4}")
# Beside an amount these say that money goes to the customer.
GIVING = re.compile(
    r"\b(?:will|shall|going to|return|send|give|gave|pay|transfer|wire|back|receive|get"
    r"|owe)\b|'ll\b"
    r"|\b(?:uberweis|zahlen|schick|zuruck|bekomm|erhalt)\w*|\b(?:versons|verser|recevr|enverr)\w*"
    r"|\b(?:recibir|enviar|pagar|abonar|ricever|invier|pagher|receber|ontvang|krijg|overmak)\w*"
    r"|お支払い|振り込|差し上げ"
)


def commitments(case: Case) -> Iterator[str]:
    """Code states each effect, so only an article or a payment line may be quoted word for word."""
    for sentence in sentences(case.folded):
        gives = MONEY.search(sentence.upper()) and GIVING.search(sentence)
        if (COMMITMENT.search(sentence) or gives) and not case.quotes(sentence):
            yield (
                f"No article backs {sentence.strip()[:300]!r}: leave it out, or quote the "
                "article's sentence word for word. What was done is stated in sentences of its own."
            )
    if _hides_a_word(case.folded):
        yield "A word of commitment is broken in two: leave it out."


def effects_stated(case: Case) -> Iterator[str]:
    """What was done, what was not, and who goes on is said in the sentences that code adds."""
    for sentence in case.unsaid:
        yield f"The reply does not say {sentence!r}: add this sentence as it stands."


def mentions(text: str, amount: str) -> int:
    """How often the amount stands there by itself: "49.00 USD" does not state "9.00 USD"."""
    return len(re.findall(rf"(?<![\d.,]){re.escape(amount.casefold())}(?![a-z0-9])", text))


def _hides_a_word(text: str) -> bool:
    """Whether a word of commitment appears, also one broken by signs, lines or a space."""
    if len(COMMITMENT.findall(joined(text))) > len(COMMITMENT.findall(text)):
        return True
    words = text.split()
    return any(
        REFUND_WORD.fullmatch((left + right).rstrip(".,;:!?")) and not REFUND.search(right)
        for left, right in pairwise(words)
        if len(left) <= 9 and not REFUND.search(left)
    )
