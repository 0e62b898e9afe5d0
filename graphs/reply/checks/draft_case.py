"""The input of a rule: the draft as a reader sees it, and the facts that it may use."""

from dataclasses import dataclass
from functools import cached_property

from graphs.reply.assemble import without_sentences
from graphs.reply.facts import Facts
from graphs.state import Claim, Draft, Grounding, Ticket
from graphs.text.bounds import normalized
from graphs.text.markdown import read
from graphs.text.tokens import visible


def plain(text: str) -> str:
    """The text in compatibility form, without invisible characters."""
    return visible(normalized("NFKC", visible(text)))


@dataclass(frozen=True)
class Case:
    """A draft held against its facts; `language` is the ticket's, or None when it is unknown.

    `text` is what the model or a reviewer wrote: the draft without the sentences that code adds.
    `left_open` are the questions that the model says it cannot answer.
    """

    text: str
    claims: tuple[Claim, ...]
    left_open: frozenset[str]
    facts: Facts
    ticket: Ticket
    language: str | None
    prompt: str
    grounding: Grounding

    @classmethod
    def of(
        cls,
        draft: Draft,
        facts: Facts,
        ticket: Ticket,
        language: str | None = None,
        prompt: str = "",
        grounding: Grounding = "verified",
    ) -> "Case":
        """The case of a draft as a reader sees it, so that nothing is disguised."""
        own = [plain(sentence) for sentence in facts["sentences"]]
        text, _ = without_sentences(plain(draft["text"]), own)
        claims = tuple(draft.get("claims") or ())
        left_open = frozenset(draft.get("unanswered") or ())
        return cls(text, claims, left_open, facts, ticket, language, prompt, grounding)

    @cached_property
    def sources(self) -> str:
        """Everything that the company's own systems say."""
        said = [f"{source['title']}\n{source['text']}" for source in self.facts["sources"]]
        return "\n".join([*said, *self.facts["sentences"]])

    def texts_of(self, claim: Claim) -> list[str]:
        """The sources that the claim quotes, whole, as a reader sees them."""
        quoted = {(quote["kind"], quote["id"]) for quote in claim["evidence"]}
        found = [s for s in self.facts["sources"] if (s["kind"], s["id"]) in quoted]
        return [self.seen[source["text"]] for source in found]

    @cached_property
    def seen(self) -> dict[str, str]:
        """Each source's text without marks, by the text; read once, whatever the claims."""
        return {source["text"]: read(source["text"]).text for source in self.facts["sources"]}

    @cached_property
    def asked(self) -> str:
        """What the customer said, their name included."""
        ticket = self.ticket
        return f"{ticket['subject']}\n{ticket['body']}\n{ticket['customer_name'] or ''}"
