"""What a rule looks at: the draft as a reader sees it, and everything it may speak of."""

from dataclasses import dataclass
from functools import cached_property

from graphs.reply.facts import Facts
from graphs.state import Draft, Ticket
from graphs.text.bounds import normalized
from graphs.text.normalize import folded, sentences, squeezed
from graphs.text.phrases import LANGUAGES, phrase
from graphs.text.tokens import content_words, visible


def plain(text: str) -> str:
    """The text in compatibility form, without invisible characters."""
    return visible(normalized("NFKC", visible(text)))


@dataclass(frozen=True)
class Case:
    """A draft held against its facts; `language` is the ticket's, or None when nobody told it."""

    text: str
    citations: tuple[str, ...]
    facts: Facts
    ticket: Ticket
    language: str | None
    prompt: str

    @classmethod
    def of(
        cls, draft: Draft, facts: Facts, ticket: Ticket, language: str | None, prompt: str
    ) -> "Case":
        """The case of a draft as a reader sees it, so that nothing is disguised."""
        return cls(plain(draft["text"]), tuple(draft["citations"]), facts, ticket, language, prompt)

    @cached_property
    def folded(self) -> str:
        """The text without tricks of spelling."""
        return folded(self.text)

    @cached_property
    def passages(self) -> list[str]:
        """Title and text of each passage that was found."""
        return [f"{p['title']}\n{p['text']}" for p in self.facts["passages"]]

    @cached_property
    def cited(self) -> list[str]:
        """Title and text of each passage whose article the draft cites."""
        found = zip(self.facts["passages"], self.passages, strict=True)
        return [text for passage, text in found if passage["article_id"] in self.citations]

    @cached_property
    def said_by_articles(self) -> list[tuple[str, set[str]]]:
        """Each folded sentence of the cited passages, with its content words."""
        said = dict.fromkeys(s for passage in self.cited for s in sentences(folded(passage)))
        return [(sentence, content_words(sentence)) for sentence in said]

    @cached_property
    def records(self) -> str:
        """What the books say: effects, payments, who took over, and what was not done."""
        effects = [f"{effect['amount']} {effect['about']}" for effect in self.facts["effects"]]
        people = [f"{p['part']} {p['who']}\n{p['told']}" for p in self.facts["handed_over"]]
        return "\n".join([*effects, *self.facts["payments"], *people, *self.facts["undone"]])

    @cached_property
    def sources(self) -> str:
        """Everything that the company's own systems say."""
        return "\n".join([self.records, *self.passages])

    @cached_property
    def asked(self) -> str:
        """What the customer said, their name included."""
        ticket = self.ticket
        return f"{ticket['subject']}\n{ticket['body']}\n{ticket['customer_name'] or ''}"

    @cached_property
    def quotable(self) -> frozenset[str]:
        """The sentences of articles, payments and hand-offs, the company's word already."""
        told = (part["told"] for part in self.facts["handed_over"])
        texts = (*(p["text"] for p in self.facts["passages"]), *self.facts["payments"], *told)
        return frozenset(squeezed(s) for text in texts for s in sentences(folded(plain(text))))

    @cached_property
    def own(self) -> frozenset[str]:
        """The sentences about the run that code adds to a reply itself."""
        about = ", ".join(self.facts["undone"])
        said = [phrase("undone", language, about=about) for language in LANGUAGES if about]
        return frozenset(squeezed(s) for text in said for s in sentences(folded(plain(text))))

    def quotes(self, sentence: str) -> bool:
        """Whether a folded sentence stands word for word in an article, a payment or `own`."""
        said = squeezed(sentence)
        return said in self.quotable or said in self.own
