"""Measure the support test: precision and recall of letting a claim pass, by threshold.

Run: python -m tests.bench.support [../shared/data/kb/banking_documents.jsonl]
Supported claims are quotes and the paraphrases below; unsupported ones are made from quotes of
another article, with a negation turned, a number changed or a name changed.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.commands.articles import read_source
from graphs.reply.checks import grounding
from graphs.reply.checks.draft_case import Case
from graphs.reply.facts import Facts
from graphs.text.normalize import sentences
from graphs.text.tokens import content_words
from tests.bench.options import command_line

ROOT = Path(__file__).parents[2]
QUOTES_BY_ARTICLE = 6
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# As a model words an answer: other order, shorter, joined or split, simple synonyms.
PARAPHRASES = {
    "upload-error-e42": [
        "E42 appears when the upload is larger than the storage left in your workspace.",
        "Split files larger than 2 GB into parts, or compress them.",
        "Keep the tab open until the progress bar reaches the end.",
        "For large files, the desktop app or a cable connection is more reliable.",
        "When E42 stops an upload, nothing already in the workspace is lost.",
        "Sign out and sign in again to start a fresh upload session.",
    ],
    "opening-hours": [
        "You can reach Fernboard support Monday to Friday between 08:00 and 18:00 Central European "
        "Time.",
        "We answer in English, German and Japanese.",
        "Questions about invoices or plans are answered Monday to Friday.",
        "In Tokyo, our opening hours are 16:00 to 02:00.",
    ],
    "cancel-subscription": [
        "An owner or billing manager can cancel under Settings > Billing > Plan.",
        "Your workspace keeps working until the end of the period already paid.",
        "Once the plan has ended, the workspace is read-only.",
        "Choose Reactivate on the same page to continue.",
        "The page shows the date on which your plan ends after you confirm.",
    ],
    "api-keys": [
        "Create a key under Settings > Developer > API keys with New key.",
        "Keys begin with fb_ and are shown in full only once.",
        "If you rotate a key, the old and new one both work for 24 hours.",
        "We suggest an expiry date of 90 days.",
        "Do not put keys into source code or support tickets.",
    ],
    "storage-limits": [
        "Pro and Annual include 200 GB per workspace.",
        "The Team plan has 100 GB for each seat, shared by everyone.",
        "Earlier versions of files and the Trash count towards storage.",
        "New uploads stop with error E42 when the storage is full.",
        "The text of boards and cards does not count.",
    ],
    "two-factor-authentication": [
        "Switch it on under Profile > Security, with an authenticator app or a security key.",
        "Download the ten recovery codes and keep them away from your phone.",
        "Every recovery code works once.",
        "An owner or admin can choose Reset two-factor next to your name.",
    ],
    "sync-problems": [
        "Check Help > Sync activity to see whether the app is paused or offline.",
        "Both devices need the same account and workspace.",
        "Files larger than 2 GB or locked in another program never sync.",
        "Make sure that at least 1 GB of disk space is free.",
    ],
    "vat-and-tax": [
        "Add your VAT number under Settings > Billing > Billing details.",
        "With a valid VAT number the invoice may show no VAT.",
        "Please ask your accountant, since we cannot give tax advice.",
    ],
    "webhooks-troubleshooting": [
        "Your server must answer within 10 seconds, or the delivery is a timeout.",
        "After 3 days of failed deliveries the webhook is switched off.",
        "Use Send again to repeat a delivery.",
    ],
    "passwort-zuruecksetzen": [
        "Wählen Sie auf der Anmeldeseite Passwort vergessen und folgen Sie dem Link.",
        "Das Passwort muss mindestens 12 Zeichen haben.",
        "Der Link ist 60 Minuten gültig.",
    ],
    "oeffnungszeiten": [
        "Der Support ist Montag bis Freitag von 08:00 bis 18:00 Uhr geöffnet.",
        "Kritische Ausfälle bearbeiten wir rund um die Uhr.",
    ],
}


class Claim(NamedTuple):
    """A sentence, the text it cites, whether that text says it, and how the sentence was made."""

    text: str
    passage: str
    supported: bool
    kind: str


def articles(kb: Path | None) -> dict[str, str]:
    """The text of each article: the demo's, or those of a file of JSON lines."""
    if kb is None:
        return {article.id: article.content for article in read_source(ROOT / "app/demo/articles")}
    rows = map(json.loads, kb.read_text().splitlines())
    return {row["id"]: row["content"] for row in rows}


def claims(texts: dict[str, str]) -> Iterator[Claim]:
    """Quotes and paraphrases that hold, and what is made from quotes that does not."""
    random_ = random.Random(7)  # noqa: S311  # a sample, not a secret
    for id_, lines in PARAPHRASES.items():
        for line in lines if id_ in texts else []:
            yield Claim(line, texts[id_], True, "paraphrase")
            yield from broken(line, texts[id_])
    for id_, text in texts.items():
        told = [re.sub(r"[*`#|]|^\s*(?:-|\d+\.)\s", "", s).strip() for s in sentences(text)]
        told = [s for s in told if len(content_words(s)) >= 4 and not s.endswith(("?", ":"))]
        for quote in random_.sample(told, min(QUOTES_BY_ARTICLE, len(told))):
            yield Claim(quote, text, True, "quote")
            yield from broken(quote, text)
            other = random_.choice([one for one in texts if one != id_])
            yield Claim(quote, texts[other], False, "other article")


def broken(quote: str, text: str) -> Iterator[Claim]:
    """The quote with a negation turned, a number changed, and a name changed."""
    if turned := turn(quote):
        yield Claim(turned, text, False, "negation")
    changed = re.sub(r"\d+", lambda found: str(int(found[0]) * 3 + 1), quote, count=1)
    if changed != quote:
        yield Claim(changed, text, False, "number")
    numbers = list(dict.fromkeys(re.findall(r"\b\d+\b", text)))
    if (own := re.search(r"\b\d+\b", quote)) and (others := [n for n in numbers if n not in quote]):
        yield Claim(quote.replace(own[0], others[0], 1), text, False, "number of the article")
    name = re.search(r"(?<=\s)[A-Z][a-z]{3,}(?:\s[A-Z][a-z]+)*", quote)
    if name:
        yield Claim(quote.replace(name[0], "Zanzibar Turbo"), text, False, "name")


def turn(quote: str) -> str | None:
    """The opposite of a sentence, when it has a verb that is easily turned."""
    without = re.sub(r"\b(?:does not|do not|cannot)\b", "can", quote, count=1)
    if without != quote:
        return without
    turned = re.sub(r"\b(is|are|can|will|may|ist|sind)\b", r"\1 not", quote, count=1)
    return turned if turned != quote and " not not" not in turned else None


def refused(claim: Claim) -> bool:
    """Whether the rule objects to the claim when it cites its text."""
    facts: Facts = {
        "effects": [],
        "sentences": [],
        "payments": [],
        "passages": [{"article_id": "a", "title": "", "text": claim.passage, "part": "general"}],
        "handed_over": [],
        "undone": [],
        "objections": [],
        "guidance": [],
    }
    draft, asked = claim.text, {"subject": "", "body": "", "language": None, "customer_name": None}
    case = Case.of({"text": draft, "citations": ["a"]}, facts, asked, None, "")  # type: ignore[arg-type]
    return any(True for _ in grounding.support(case))


class Score(NamedTuple):
    """Of the claims let pass, the share that holds; of those that hold, the share let pass."""

    precision: float
    recall: float
    caught: dict[str, float]


def score(sample: list[Claim], threshold: float) -> Score:
    """Judge the sample at one threshold, and tell by kind the share that was refused."""
    grounding.SUPPORTED = threshold
    refusals = [(claim, refused(claim)) for claim in sample]
    passed = [claim for claim, no in refusals if not no]
    holds = [claim for claim in sample if claim.supported]
    good = sum(claim.supported for claim in passed)
    kinds = dict.fromkeys(claim.kind for claim in sample)
    caught = {
        kind: sum(no for c, no in refusals if c.kind == kind) / sum(c.kind == kind for c in sample)
        for kind in kinds
    }
    return Score(good / max(1, len(passed)), good / len(holds), caught)


def main() -> None:
    """Print a table by threshold."""
    parser = command_line("tests.bench.support", __doc__)
    parser.add_argument("articles", nargs="?", type=Path, help="JSON lines; else the demo's")
    sample = list(claims(articles(parser.parse_args().articles)))
    print(f"{len(sample)} claims")  # noqa: T201
    for threshold in THRESHOLDS:
        precision, recall, caught = score(sample, threshold)
        kinds = ", ".join(f"{kind} {rate:.2f}" for kind, rate in caught.items())
        print(f"{threshold:.1f} precision {precision:.3f} recall {recall:.3f}; refused: {kinds}")  # noqa: T201


if __name__ == "__main__":
    main()
