"""Chat models that know the shipped tickets: one answers well, others lie in what they draft.

A good one reads each question, and says what the articles that it was shown say, word for word or
in the customer's language, with the whole sentence as evidence. It never sees an expectation of
what the service should do: only what a person would know who has read the articles.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property

from langchain_core.messages import BaseMessage
from pydantic import Field

from app.models.offline.chat_model import OfflineChatModel
from app.quality.evaluation.dataset import OR, Case, Effect, read_dataset
from app.quality.evaluation.verdict import plain, says
from tests.doubles.eval_texts import IN_LANGUAGE, LANGUAGES, NOT_OURS, QUESTIONS
from tests.doubles.openai_double import TRIAGE, JsonObject
from tools.subscriptions import CANCEL

MARKER = re.compile(r"^\s*(?:[-*] |\d+[.)] )")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"*])")
ENDS = re.compile(r"(?<=[.!?。])\s*")
WISH = re.compile(r"refund|back|cancel|rembourser|返金|meant", re.IGNORECASE)
NO_MAILING: JsonObject = {"audience": None, "subject": "", "body": "", "unsure": False}


class KnowingModel(OfflineChatModel):
    """A good drafter and an honest verifier."""

    model_name: str = "knowing"
    cases: list[Case] = Field(default_factory=read_dataset)

    def _text(self, question: str, messages: list[BaseMessage]) -> str:
        given: JsonObject = {}
        for message in messages[1:]:
            given |= json.loads(str(message.content))
        answers: dict[str, Callable[[JsonObject], JsonObject]] = {
            "Classification": self.classification,
            "Proposal": self.proposal,
            "Reply": self.reply,
            "Support": self.support,
            "Mailing": lambda _given: NO_MAILING,
            "Summary": lambda _given: {"text": "They wrote before."},
        }
        return json.dumps(answers[question](given), ensure_ascii=False)

    def case_of(self, given: JsonObject) -> Case:
        """The ticket that is asked about; its body may have been cut to what is new."""
        ticket = given["ticket"]
        alike = [case for case in self.cases if case.ticket.subject == ticket["subject"]]
        new = ticket["body"].strip()
        exact = [case for case in alike if new in case.ticket.body]
        return (exact or alike)[0]

    def classification(self, given: JsonObject) -> JsonObject:
        """What the ticket asks, in its own words."""
        case = self.case_of(given)
        questions = list(self.questions(case, given["ticket"]["body"]))
        calm = "answered" in case.expect.outcome or case.expect.effects
        return {
            **TRIAGE,
            "intents": list(dict.fromkeys(q["intent"] for q in questions)),
            "questions": questions,
            "language": language_of(case),
            "wants_human": case.group == "anger_legal" and not calm,
            "nothing_asked": "ignored" in case.expect.outcome and not calm,
        }

    def questions(self, case: Case, body: str) -> list[JsonObject]:
        """One for each entry, those about money for the specialist of money."""
        texts = QUESTIONS.get(case.id, [body])
        said = [*case.expect.must_say, *[""] * len(texts)][: len(texts)]
        asked = []
        for number, (text, words) in enumerate(zip(texts, said, strict=True)):
            apart = NOT_OURS.get(case.id) == number
            money = bool(case.expect.effects) and not words and not apart
            intent = "escalate" if apart else "billing" if money else "general"
            queries = [] if money else searches(case, words)
            asked.append({"intent": intent, "text": text, "queries": queries, "new": True})
        return asked

    def proposal(self, given: JsonObject) -> JsonObject:
        """The effects that the customer wishes for, as far as they can be named."""
        wishes = self.case_of(given).expect.effects
        paid = {payment["id"]: payment for payment in given["facts"].get("payments", [])}
        asked = {"reason": "The customer asks for it.", "wish": wish_in(given["ticket"]["body"])}
        refunds = [refund_of(wish, paid) | asked for wish in wishes if wish.tool != CANCEL.name]
        ends = [
            {"subscription_id": wish.ids[0], **asked} for wish in wishes if wish.tool == CANCEL.name
        ]
        return {"refunds": refunds, "cancellations": ends, "unsure": not wishes}

    def reply(self, given: JsonObject) -> JsonObject:
        """A claim for each question that one of the sources answers."""
        case, facts = self.case_of(given), given["facts"]
        claims: list[JsonObject] = []
        for question, needed in zip(facts["questions"], needs(case, facts), strict=True):
            claims += self.claims_on(case, question["id"], needed, facts["sources"])
        answered = {claim["question"] for claim in claims}
        left = [q["id"] for q in facts["questions"] if q["id"] not in answered]
        return {"claims": claims, "unanswered": left}

    def claims_on(
        self, case: Case, question: str, needed: Sequence[str], sources: list[JsonObject]
    ) -> list[JsonObject]:
        """What is needed to answer the question, if all of it was found."""
        found = [evidence_for(words, case, sources) for words in needed]
        if not found or not all(found):
            return []
        claims = {quote["quote"]: quote for quote in found if quote}
        return [
            {"question": question, "text": self.worded(case, quote["quote"]), "evidence": [quote]}
            for quote in claims.values()
        ]

    def worded(self, case: Case, quote: str) -> str:
        """The sentence, in the customer's language if that is another."""
        said = quote.splitlines()[-1]
        return IN_LANGUAGE.get(case.id) or MARKER.sub("", said).replace("*", "").strip()

    def support(self, given: JsonObject) -> JsonObject:
        """Whether the evidence says it: in the same words, or in a translation that is known."""
        claim, quotes = given["facts"]["claim"], given["facts"]["evidence"]
        said = [plain(quote["quote"]) for quote in quotes]
        true = claim in self.translated or any(plain(claim) in quote for quote in said)
        return {"supported": bool(true), "reason": "The evidence was compared word for word."}

    @cached_property
    def translated(self) -> set[str]:
        """Claims in other languages that are true."""
        return set(IN_LANGUAGE.values())


class LyingModel(KnowingModel):
    """Drafts what an attacker wants beside a true quote; `blind` verifies whatever it says."""

    model_name: str = "lying"
    lies: list[str]
    blind: bool = False
    drafted: int = 0

    def worded(self, case: Case, quote: str) -> str:
        """A lie, each time another one."""
        self.drafted += 1
        return self.lies[self.drafted % len(self.lies)]

    def support(self, given: JsonObject) -> JsonObject:
        """As honest as the other, or not at all."""
        return {"supported": True, "reason": "Yes."} if self.blind else super().support(given)


def language_of(case: Case) -> str:
    """What a model reads off the text."""
    found = [language for language, ids in LANGUAGES.items() if case.id in ids]
    return case.ticket.language or (found or ["en"])[0]


def searches(case: Case, words: str) -> list[str]:
    """What a model would search for: the topic, as the help center calls it."""
    first = [id_.replace("-", " ") for id_ in case.expect.articles[:2] if id_ != "*"]
    return [*first, words.split(OR, maxsplit=1)[0]][:3] if words else first[:1]


def needs(case: Case, facts: JsonObject) -> list[list[str]]:
    """By question of the facts: the words that answer it; none when no article does."""
    said = case.expect.must_say
    if len(facts["questions"]) == 1:
        return [[words for words in said if words]]
    texts = QUESTIONS.get(case.id, [])
    by_text = {text: words for text, words in zip(texts, said, strict=False) if words}
    return [[by_text[q["text"]]] if q["text"] in by_text else [] for q in facts["questions"]]


def evidence_for(words: str, case: Case, sources: list[JsonObject]) -> JsonObject | None:
    """The sentence or list item of a fitting article that holds one of the wordings."""
    articles = [source for source in sources if source["kind"] == "article"]
    for id_ in case.expect.articles:
        for source in articles:
            for quote in statements(source["text"]) if source["id"] == id_ else ():
                if any(says(plain(quote), wording) for wording in words.split(OR)):
                    return {"kind": "article", "id": id_, "quote": quote}
    return None


def statements(text: str) -> list[str]:
    """The sentences of paragraphs, and the items of lists below the line that introduces them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    prose = [line for line in lines if not line.startswith(("#", "|", "```"))]
    found, lead = [], ""
    for line in prose:
        if MARKER.match(line):
            found.append(f"{lead}\n{line}".strip())
            continue
        *whole, last = SENTENCE.split(line)
        lead = last if last.endswith(":") else ""
        found += [*whole, *([] if lead else [last])]
    return found


def refund_of(wish: Effect, paid: dict[str, JsonObject]) -> JsonObject:
    """A refund in full, unless the customer names an amount."""
    id_ = wish.ids[-1]
    amount = wish.amount_minor or paid.get(id_, {}).get("amount_minor", 0)
    return {"payment_id": id_, "amount_minor": amount}


def wish_in(body: str) -> str:
    """The first sentence that asks for money or for an end; else all that was written."""
    said = [sentence.strip() for sentence in ENDS.split(body)]
    return next((sentence for sentence in said if WISH.search(sentence)), body)
