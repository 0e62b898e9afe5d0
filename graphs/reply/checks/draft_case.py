"""The input of a rule: the draft as a reader sees it, and the facts that it may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from graphs.reply.facts import Facts
from graphs.state import Draft, Ticket
from graphs.text.bounds import normalized
from graphs.text.normalize import folded, sentences, squeezed
from graphs.text.tokens import content_words, visible

# Japanese writes no space behind the last three.
SENTENCE_ENDS = "\n.!?。！？"


def plain(text: str) -> str:
    """The text in compatibility form, without invisible characters."""
    return visible(normalized("NFKC", visible(text)))


def without_sentences(text: str, sentences: Sequence[str]) -> tuple[str, list[str]]:
    """The text without the sentences that code words, each once, and those that do not stand in it.

    A sentence counts only where it stands by itself: between line breaks or other sentences.
    """
    missing = []
    # The longest first: one may begin as another does.
    for sentence in sorted(sentences, key=len, reverse=True):
        at = _place(text, sentence)
        if at is None:
            missing.append(sentence)
        else:
            text = f"{text[:at].rstrip()}\n{text[at + len(sentence) :].lstrip()}"
    return text.strip(), missing


def _place(text: str, sentence: str) -> int | None:
    """Where the sentence stands by itself; no part of the text is copied on the way there."""
    at = text.find(sentence)
    while at >= 0:
        begin, end = at, at + len(sentence)
        while begin and text[begin - 1] in " \t":
            begin -= 1
        opens = not begin or text[begin - 1] in SENTENCE_ENDS
        closes = end == len(text) or text[end].isspace() or sentence[-1] in SENTENCE_ENDS[4:]
        if opens and closes:
            return at
        at = text.find(sentence, at + 1)
    return None


@dataclass(frozen=True)
class Case:
    """A draft held against its facts; `language` is the ticket's, or None when it is unknown.

    `text` is what the model or a reviewer wrote: the draft without the sentences that code adds.
    `unsaid` are those of them that the draft lacks.
    """

    text: str
    unsaid: tuple[str, ...]
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
        own = [plain(sentence) for sentence in facts["sentences"]]
        text, unsaid = without_sentences(plain(draft["text"]), own)
        citations = tuple(draft["citations"])
        return cls(text, tuple(unsaid), citations, facts, ticket, language, prompt)

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
        effects = [value for effect in self.facts["effects"] for value in effect["values"]]
        people = [f"{p['part']} {p['who']}" for p in self.facts["handed_over"]]
        said, dropped = self.facts["sentences"], self.facts["undone"]
        return "\n".join([*effects, *self.facts["payments"], *people, *said, *dropped])

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
        handed = (part["sentence"] for part in self.facts["handed_over"])
        texts = (*(p["text"] for p in self.facts["passages"]), *self.facts["payments"], *handed)
        return frozenset(squeezed(s) for text in texts for s in sentences(folded(plain(text))))

    def quotes(self, sentence: str) -> bool:
        """Whether a folded sentence stands word for word in an article, a payment or a hand-off."""
        return squeezed(sentence) in self.quotable
