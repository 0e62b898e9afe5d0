"""A reply neither claims nor promises an action that was not carried out."""

import re
from collections.abc import Iterator

from graphs.reply.checks.dates import stated_dates
from graphs.reply.checks.deed_patterns import ACT, CONDITION, DONE, FIRST, HAND_OVER, JAPANESE, WHO
from graphs.reply.checks.draft_case import Case
from graphs.reply.checks.idioms import asks, says_in_short
from graphs.reply.checks.promises import COMMITMENT
from graphs.text.language import language_of
from graphs.text.normalize import folded, joined, sentences
from graphs.text.tokens import content_words

# "We looked at it, and will ...": the subject stands before the "and".
SUBJECT = rf"\b(?:{WHO}|(?:we|i|team|colleague)\b[^,;:]{{1,120}},? and)"
# Each word in one way only: a word that two of these forms fit would double the time.
HOW = r"(?:\s(?:already|also|now|just|then|all|\w+ly)(?!\w))*"
# What "we will ..." and "we have ..." may be followed by without a deed.
NO_DEED = (
    r"(?:be (?:happy|glad|able|pleased|there|here)|need|not|never|no|been|seen|found|looked|checked"
    r"|read|received|noted|noticed|understood|understand|reviewed|listed|included|explained|help"
    r"|described|answered|summari[sz]ed|gathered|identified|located|confirm(?:ed)? that|attached"
    r"|tried|asked|learned|appreciated|enjoyed|missed|heard|set out|based)\b"
)
PARTICIPLE = r"(?:\w+(?:ed|lt|pt)|sent|made|done|given|put|taken|paid|got|begun|let|set|had|told)\b"
WILL = re.compile(rf"{SUBJECT}(?:'ll|\s(?:will|shall|(?:am|are|is)\s(?:going to|about to)))"
                  rf"{HOW}\s(?!{NO_DEED})\w+")  # fmt: skip
HAVE = re.compile(rf"{SUBJECT}(?:'ve|\s(?:have|has|had)){HOW}\s(?!{NO_DEED}){PARTICIPLE}")
DOING = re.compile(
    r"\b(?:i'm|we're|i am|we are|our team is|a colleague is)(?:\s(?:now|currently|already|just))*"
    r"\s(?!sorry|writing|looking|asking|referring|missing|hoping|seeing|using|having)\w+ing\b"
)
_ACTED = (
    r"(?:cancell?ed|deleted|removed|(?:up|down)graded|approved|(?:de|re)?activated|unlocked"
    r"|escalated|forwarded|reset|extended|processed|resolved|fixed|restored|closed|granted|accepted"
    r"|changed|updated|transferred|issued|scheduled|prioriti[sz]ed|confirmed|sent|shipped|replaced"
    r"|suspended|terminated|enabled|disabled|handled|corrected|adjusted|applied|completed|added"
    r"|increased|reduced|reversed|voided|settled|merged|migrated|moved|recovered|renewed|assigned|flagged|recorded)\b"
)
PASSIVE = re.compile(
    rf"\b(?:has|have|had)\sbeen{HOW}\s{_ACTED}|\b(?:was|were|will be|'ll be|is being"
    rf"|are being|is|are)"
    rf"(?:\snow|\salready|\sherewith|\shereby|\s\w+ly)?\s{_ACTED}|^\W*(?:approved|done|cancell?ed"
    rf"|deleted|escalated|fixed|resolved|upgraded)\b"
)
COMPLETED = re.compile(
    rf"\b(?:has|have|had)\sbeen|\b(?:your|the|this)\b[^,;]{{1,60}}\b(?:was|were|is now|are now|is"
    rf" already|are already)\s{_ACTED}|^\W*(?:approved|done|cancell?ed|deleted|escalated|fixed)\b"
)
YOU_WILL = re.compile(
    r"\byou(?:'ll|\s(?:will|shall|are going to|can expect to))(?:\s(?:also|soon|then|shortly))?"
    r"\s(?:receive|get|hear|have|be\s\w+ed)\b|\b(?:please )?expect (?:a|an|our|the|us|to hear)\b"
)
OTHER = re.compile(
    r"\b(?:consider it|it is|it's|all|already) (?:done|taken care of|sorted|settled)\b"
    r"|on (?:its|the)"
    r" way\b|\brest assured\b|\b(?:let|allow) me (?:to )?(?!know|explain|see|summari|start"
    r"|answer)\w+"
    r"|\byou have my word|\bcount on (?:us|me|it)\b|\bapproved\b"
    r"|\bmake sure (?:that )?(?:we|this is)"
    r"|\b(?:we|i) (?:hereby |just |already )?(?:cancell?ed|deleted|removed|upgraded"
    r"|approved|escalated"
    r"|forwarded|unlocked|extended|fixed|resolved|sent|called|restored|changed|issued|granted)\b"
)
ENGLISH = (WILL, HAVE, DOING, PASSIVE, YOU_WILL, OTHER)
# Share of a sentence's words that one sentence of an article must hold to have announced the act.
ANNOUNCED = 0.75


def actions(case: Case) -> Iterator[str]:
    """A deed may be stated when a hand-off backs it, announced when an article says so.

    Code states what was done otherwise, once; stated again it would be another deed.
    """
    for sentence in sentences(case.folded):
        if not _acts(sentence) or case.quotes(sentence):
            continue
        if not (tells_hand_over(case, sentence) or _announced(case, sentence)):
            yield (
                f"Nothing done backs {sentence.strip()[:300]!r}: neither state nor promise an "
                "action. What was done is stated in sentences of its own."
            )
    if any(_acts(s) for s in sentences(joined(case.folded))) and not any(
        _acts(s) for s in sentences(case.folded)
    ):
        yield "A word of action is broken in two: leave it out."


def _acts(sentence: str) -> bool:
    """Whether the main clause says that the company does something; a question does not."""
    if asks(sentence):
        return False
    clause = CONDITION.sub(" ", sentence)
    if says_in_short(clause):
        return True
    if any(pattern.search(clause) for pattern in ENGLISH) or JAPANESE.search(clause):
        return True
    if language_of(sentence)[0] == "en":
        return False
    return bool(ACT.search(clause) and (FIRST.search(clause) or DONE.search(clause)))


def tells_hand_over(case: Case, sentence: str) -> bool:
    """Whether the sentence tells of a hand-off that happened, and promises nothing beside it."""
    people = [folded(part["who"]) for part in case.facts["handed_over"] if part["who"]]
    named = HAND_OVER.search(sentence) or any(who in sentence for who in people)
    handed = bool(case.facts["handed_over"]) and named
    more = COMMITMENT.search(sentence) or stated_dates(sentence) or " and will " in sentence
    return bool(handed and not more and len(re.findall(_ACTED, sentence)) <= 1)


def _announced(case: Case, sentence: str) -> bool:
    """Whether one sentence of a cited article says it, by the company if the draft says so."""
    clause = CONDITION.sub(" ", sentence)
    if HAVE.search(clause) or COMPLETED.search(clause):
        return False
    first = bool(FIRST.search(clause))
    if first and DONE.search(clause) and not WILL.search(clause):
        return False
    wanted = content_words(sentence)
    return len(wanted) > 1 and any(
        len(wanted & words) >= ANNOUNCED * len(wanted) and (not first or FIRST.search(said))
        for said, words in case.said_by_articles
    )
