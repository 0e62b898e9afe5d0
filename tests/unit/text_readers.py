"""Every function of the product that reads a free text, and how a test calls it with one.

Found in the code: a parameter that holds text, and a pattern or a loop in the body. A new one
stands in READERS, or in EXCUSED with the reason why no text can make it slow.
"""

import ast
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from lxml.html import Element as HtmlElement  # type: ignore[import-untyped]
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams

from app.adapters.ports import passages
from app.adapters.webhooks import ssrf_guard
from app.api.http import strict_body, strict_query
from app.api.schemas import base
from app.commands import articles as files
from app.connectors import hooks
from app.connectors.chatwoot import changes as chatwoot_changes
from app.connectors.chatwoot import hook as chatwoot_hook
from app.connectors.chatwoot import texts as chatwoot_texts
from app.connectors.email import headers as mail_lines
from app.connectors.email import identity, threads, wire
from app.connectors.email import reading as mail_reading
from app.connectors.email import settings as mail_settings
from app.connectors.errors import ForgedHookError
from app.connectors.helpdesk import Requester
from app.connectors.request_tracker import rest2
from app.connectors.stripe import hooks as stripe_hooks
from app.connectors.zammad import hook as zammad_hook
from app.connectors.zendesk import hook as zendesk_hook
from app.console import forms
from app.console.routes.sign_in import own_path
from app.console.views.answers import typed_sums
from app.db.knowledge import articles, bm25, tokenize
from app.db.tables.knowledge import ArticleChunk
from app.errors import BodyError, InvalidRequestError
from app.formats import strict_json
from app.models.offline import (
    billing,
    exact,
    refund_wishes,
    reply,
    summary,
    trained,
    triage,
    wishes,
    words,
)
from app.models.offline.payment_ids import ids_in
from app.observability import masks, trace_parent
from app.services.connections.tickets import account_of
from app.services.runs import diff, merge_messages
from graphs import alarm, handoffs, held_questions, questions, quiet, ticket_parts
from graphs.llm import routing, structured_output, token_estimate
from graphs.llm.ask import shown
from graphs.nodes.classify import Classification, judged
from graphs.nodes.respond import Reply
from graphs.reply import (
    assemble,
    checks,
    names,
    partial_answer,
    problems,
    question_key,
    quotes,
    reusable_answer,
    sources,
    suggestion,
    values,
)
from graphs.reply import facts as reply_facts
from graphs.reply.checks import evidence
from graphs.reply.checks.draft_case import Case, plain
from graphs.reply.instructions import REPLY
from graphs.run import memory
from graphs.run.replay import UNKNOWN_TRIAGE as TRIAGE
from graphs.state import fresh_run
from graphs.text import (
    bounds,
    calendar_values,
    language,
    links,
    markdown,
    normalize,
    quantities,
    sentence_ends,
    tokens,
)
from graphs.text.new_text import characters, hidden, markup, signatures
from graphs.text.new_text import headers as mail_headers
from graphs.text.new_text import quotes as mail_quotes
from graphs.text.new_text import reading as message
from graphs.text.new_text import ticket as new_ticket
from graphs.text.new_text import wordings as mail_words
from graphs.text.noise import automatic, echo, headers, reading, thanks, wordings
from graphs.trained import features, model
from graphs.wishes import answers, cancellations, refunds
from graphs.wishes import quotes as wish_quotes
from graphs.wishes.clauses import Sentence, bare, clauses, touched
from graphs.wishes.words import languages
from tests.fakes import payment
from tests.unit.desk import ticket
from tests.unit.growth import Reader
from tests.unit.test_checks import ARTICLE, PAYMENT, REFUNDED, facts
from tools import quotable

ROOT = Path(__file__).parents[2]
HOOK_SECRET = "whsec_" + "A" * 43 + "="
PLACES = ("graphs", "tools", "app/models/offline", "app/db/knowledge", "app/services",
          "app/adapters", "app/api", "app/commands/articles.py",
          "app/connectors", "app/console", "app/observability/trace_parent.py",
          "app/observability/masks.py",
          "app/formats/strict_json.py")  # fmt: skip
# The types of parameters that hold a text, and the names of those that hold a word of ours.
TEXTS = {"str", "bytes", "Any", "JsonObject", "Ticket", "Draft", "Case", "Facts", "SupportState",
         "CachedAnswer", "Turn", "Conversation", "Memory", "Passage", "Classification"}  # fmt: skip
IDENTIFIER = re.compile(r".*_?(?:ids?|key|sha256)_?|tenant|kind|currency|role|config|language|code"
                        r"|skill|name|secrets|digest|known|_.*")  # fmt: skip
LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)
PATTERN_CALLS = {"search", "match", "fullmatch", "sub", "findall", "finditer", "split",
                 "splitlines", "normalize"}  # fmt: skip


Function = ast.FunctionDef | ast.AsyncFunctionDef


class Found(NamedTuple):
    """A function that reads text: "module:function", and whether it does so by patterns."""

    name: str
    patterns: bool


def text_readers() -> Iterator[Found]:
    """Every public function with a text among its parameters and a pattern or loop in its body."""
    for name, node in public_functions().items():
        inside = list(ast.walk(node))
        attributes = {n.attr for n in inside if isinstance(n, ast.Attribute)}
        patterns = bool(attributes & PATTERN_CALLS)
        # A coroutine asks the database or a tool; its loops are over their rows.
        loops = isinstance(node, ast.FunctionDef) and any(isinstance(n, LOOPS) for n in inside)
        if (patterns or loops) and _takes_text(node):
            yield Found(name, patterns)


@cache
def public_functions() -> dict[str, Function]:
    """The functions and methods of PLACES, as "module:function"."""
    found: dict[str, Function] = {}
    for place in PLACES:
        path = ROOT / place
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts).removesuffix(".__init__")
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, Function) and not node.name.startswith("_"):
                    found[f"{module}:{node.name}"] = node
    return found


def _takes_text(node: Function) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    typed = [a for a in arguments if a.annotation and not IDENTIFIER.fullmatch(a.arg)]
    words = {word for a in typed for word in re.findall(r"\w+", ast.unparse(a.annotation or a))}
    return bool(words & TEXTS)


# Functions with loops, by the beginning of their names; one with a pattern is named by itself.
COMMANDS = "asks a server: what it says is bounded, and read by `wire`"
STRUCTURES = "loops over steps, findings, rows or fields, and hands texts on whole"
EXCUSED = {
    **dict.fromkeys(("graphs.nodes.", "graphs.policy:", "graphs.policy_loosening:",
                     "graphs.run.replay:",
                     "graphs.run.compatibility:", "app.services.approvals.",
                     "app.adapters.", "app.api.routes."), STRUCTURES),
    "app.services.tenants.admins:": "names of keys, which operators made",
    "graphs.llm.pool:open_pool": "models and limits",
    "app.connectors.first_day:": STRUCTURES,
    "app.connectors.email.desk:view_of": STRUCTURES,
    "app.connectors.request_tracker.rest2:values": STRUCTURES,
    "app.connectors.request_tracker.rest2:key": STRUCTURES,
    "app.connectors.request_tracker.settings:our_status": "looks up one name",
    "app.connectors.zammad.settings:our_status": "looks up one name",
    "app.connectors.stripe.answers:read": STRUCTURES,
    "app.connectors.zendesk.reading:view_of": STRUCTURES,
    "app.connectors.email.store:section": "loops over names of a FETCH answer",
    **dict.fromkeys(
        [f"app.connectors.email.{name}" for name in
         ("imap:open", "imap:search", "imap:append", "store:heads", "store:root")], COMMANDS),
    "graphs.text.new_text.wordings:exactly": "names of ours",
    "graphs.text.new_text.ticket:shown_parts": "cuts each of its first parts",
    "graphs.llm.structured_output:note": "within `repeats_a_key`",
    "app.db.knowledge.bm25:indexed": "joins and hands texts on whole",
    "graphs.reply.suggestion:found_passages": STRUCTURES,
    "app.services.console.oidc_person:": "claims of a token that its provider signed",
    "app.console.views.": STRUCTURES,
    "app.console.views.run_filters:given": "one pattern of one character, on 200 of them",
    "app.api.views.stats_of_runs:connection_figures": "loops over figures",
    "app.services.approvals.people:folded": "the name of a key or of its person",
    "graphs.text.value_words:any_of": "words of ours",
    "graphs.questions:": STRUCTURES,
    "graphs.trained.model:unpack": "weights that our own command stored",
    "graphs.reply.quotes:numbers_agree": "numbers of list items",
    "graphs.text.quantities:number_of": "reads one match, within `figures_in`",
    "graphs.reply.reusable_answer:verified": STRUCTURES,
    "graphs.reply.said_by_code:said_by_code": STRUCTURES,
    "graphs.asked_about:": "hands on to `plainly_chosen`",
    "graphs.reply.partial_answer:": "tried as `partial_answer`",
    "graphs.reply.problems:": "tried as `problems`",
    "graphs.held_questions:": "tried as `share_words`",
    "graphs.handoffs:handed_questions": STRUCTURES,
    "graphs.handoffs:part_step": "tried as `handoff_brief` and `suggestion`",
    "graphs.support:node_failed": "classes of errors",
    "app.api.routes.events:read_position": "an id of digits, held to a pattern by the route",
    "app.models.offline.wish_words:": "names of lists of ours",
    "app.models.offline.words:": "phrases of ours, but for what stands in READERS",
    "app.models.offline.reply:passages": "loops over articles, and hands texts on whole",
    "graphs.alarm:phrase_pattern": "phrases of ours",
    "graphs.alarm:any_of": "phrases of ours",
    "graphs.alarm:words_of": "phrases of ours",
    "app.commands.articles:declared": "tried within `front_matter`'s reader",
    "graphs.wishes.amounts:minor_units": "reads one match, within `Wishes.asks_for`",
    "app.models.offline.billing:refunds_of": "hands on to `named_amounts`",
    "graphs.wishes.refunds:": "tried as `Wishes`, which `billing` asks",
    "app.api.http.openapi_document:": "the document of our own routes",
    "app.api.http.openapi_shared:name_shared_shapes": "the document of our own routes",
    "app.api.http.openapi_shared:refer": "the document of our own routes",
    "app.api.http.openapi_shared:inner": "the document of our own routes",
    "app.api.routes.policy:expected": "within 200 characters, held to a pattern by the route",
    "tools.wording:places": "phrases of ours",
    "tools.mail:mailing_words": "counts, and an audience's name of 50 characters",
    "graphs.reply.facts:added_sentences": "sentences of ours, about names of NAME_CHARS",
    "graphs.reply.checks.draft_case:of": "tried with each rule",
}  # fmt: skip

# In these a pattern alone needs no entry either: each is tried by itself.
PATTERNS_ALONE = ("graphs.nodes.",)

BENIGN = (
    "Hello Ann,\n\nFiles over 2 GB fail by 4 May 2026. See pay_1001, ann@example.com or "
    "https://example.com/help. We will delete it within 5 days. It takes one hundred dollars.\n"
)
CITED = ("upload-error-e42",)
JSON_SCOPE = {"headers": [(b"content-type", b"application/json")]}
SAID = "We have refunded 49.00 USD for Pro plan."
PAYMENTS = [payment("pay_1", 4900, "Pro plan"), payment("pay_2", 900, "Extra storage")]
ENGLISH = languages()["en"]
SUBSCRIPTIONS: list[Any] = [
    {"id": "sub_1", "description": "Team plan", "status": "active", "ends_at": None}
]
KNOWN = facts(done=[REFUNDED], payments=[PAYMENT], passages=[ARTICLE])
DECLARED = "Which files fail?"
SOURCE: sources.Source = {
    "kind": "article", "id": "a", "title": "Upload error E42", "text": ARTICLE["text"],
    "part": "technical", "questions": [DECLARED], "opens": True,
}  # fmt: skip
EXACT = reply.passages({"sources": [SOURCE]})
OFFLINE: dict[str, Any] = {
    "payments": PAYMENTS, "subscriptions": SUBSCRIPTIONS, "guidance": [], "audiences": ["all"],
    "questions": [{"id": "q1", "intent": "general", "text": DECLARED}], "sources": [SOURCE],
    "summary": "", "messages": [],
}  # fmt: skip


def draft_of(text: str) -> Case:
    """The text as the draft, and few facts."""
    return Case.of({"text": text, "citations": list(CITED)}, KNOWN, ticket("Help"), "en", REPLY)


def asked(text: str) -> Case:
    """The text as the ticket, beside a draft that makes every rule look for what was said."""
    return Case.of({"text": BENIGN, "citations": list(CITED)}, KNOWN, ticket(text), "en", REPLY)


def narrated(text: str) -> Case:
    """The text as the article that the same draft cites."""
    known = facts(done=[REFUNDED], passages=[{**ARTICLE, "text": text}])
    return Case.of({"text": BENIGN, "citations": list(CITED)}, known, ticket("Help"), "en", REPLY)


def quote(text: str) -> Any:
    """A quote of the one source."""
    return {"kind": "article", "id": "a", "quote": text}


def claim(text: str) -> Any:
    """A claim that its own words show."""
    return {"question": "q1", "text": text, "evidence": [quote(text[:4900]), quote(text)]}


def form_or_refusal(text: str) -> Any:
    """What the form says, or why it is none."""
    try:
        return forms.parse_form(text.encode())
    except (BodyError, InvalidRequestError) as error:
        return error


def sums_or_refusal(text: str) -> Any:
    """The sums that the text says, or why it says none."""
    try:
        return typed_sums(text, "Limits")
    except InvalidRequestError as error:
        return error


FOUND: Any = {"article_id": "a", "title": "Upload", "text": "", "score": 1.0}


def state(text: str) -> Any:
    """A run that begins, with the text as its ticket."""
    return {**fresh_run("00000000-0000-0000-0000-000000000001", ticket(text)), "findings": {}}


def tried(text: str) -> Any:
    """A run whose draft answers one of two questions about the text."""
    made = {**state(text), "plan": {"steps": []}, "questions": []}
    for n, intent in enumerate(("technical", "general"), 1):
        asked = {"id": f"q{n}", "intent": intent, "text": text, "queries": []}
        made["questions"].append(asked)
    return made


DRAFT: Any = {"text": BENIGN, "citations": [], "claims": [claim(BENIGN)], "unanswered": ["q2"]}


def triaged(text: str) -> Any:
    """A model's opinion that quotes the text, of a ticket that repeats it."""
    asked = [{"intent": "billing", "text": text[: len(text) // 2], "queries": [text]},
             {"intent": "technical", "text": text[1:], "queries": []}] * 3  # fmt: skip
    opinion = {
        "intents": ["billing", "technical"], "questions": asked, "urgency": "normal",
        "anger": 0.1, "language": text, "wants_human": False, "confidence": 0.9,
        "nothing_asked": False,
    }  # fmt: skip
    said = Classification.model_validate(opinion)
    return judged(said, ticket(text))


def answered(text: str) -> object:
    """A model's answer of many wrong fields, and the question asked again."""
    message = AIMessage(json.dumps({"text": text, "citations": [text], text[:9000]: 1}))
    checked = structured_output.check(Reply, message)
    data = [SystemMessage("Answer."), HumanMessage(text)]
    return structured_output.asked_again(data, f"{checked['parsing_error']}; {text}")


def wished(text: str, quote: str = "refund") -> object:
    """A refund that a model proposes with this quote of the text."""
    wishes_of = refunds.Wishes(wish_quotes.Said([text]), PAYMENTS)
    return wishes_of.asks_for((quote, "pay_1", 100)), wishes_of.are_plain([(quote, "pay_1", 100)])


def chunk(text: str) -> Any:
    """A stored part of an article."""
    found = ArticleChunk(title="Upload", text=text, position=0)
    return found, [found]


def refused(read: Callable[[str], object], error: type[Exception]) -> Reader:
    """A reader that may refuse its text."""

    def call(text: str) -> object:
        try:
            return read(text)
        except error as why:
            return why

    return call


def check_names(query: QueryParams) -> None:
    """Hold a query against a route that takes a limit."""
    strict_query.check_query(query, {"limit"})


def passage(text: str) -> dict[str, str]:
    """An article's passage as a fact of a reply."""
    return {"article_id": "a", "title": "Upload", "text": text, "part": "technical"}


def rule(name: str) -> list[Reader]:
    """A rule on drafts, with the text as the ticket and as the article."""
    return [
        lambda text: list(checks.RULES[name](asked(text))),
        lambda text: list(checks.RULES[name](narrated(text))),
    ]


# What a mail repeats to cost its reader the square of its size.
RAW_MAIL_SHAPES = (
    "a: b\n", "a:\n b\n", "Received: x\n", "\n", "References: <a@b>\n", "From: a@b,\n",
    "Content-Type: multipart/mixed; boundary=a\n\n--a\n", "Content-Type: message/rfc822\n\n",
    "Content-Type: text/plain; a=b; c*0=d\n\n", "Subject: =?a?q?b?=\n", "(", ";", "\\",
    "Authentication-Results: mx; dmarc=pass\n",
)  # fmt: skip
MAILBOX = mail_settings.EmailSettings(
    address="help@desk.example", imap_host="mx", smtp_host="mx", authserv_id="mx"
)


# What is read of these is bounded, so the test begins where a text is read whole.
ON_DRAFTS: dict[str, Reader] = {
    name: lambda text, name=name: list(checks.RULES[name](draft_of(text)))  # type: ignore[misc]
    for name in checks.RULES
}
# What a mail repeats to be hard to read: lines, and elements of HTML.
MAIL_SHAPES = (
    "From: a\n", "On 1.1.26 09:00 a wrote\n", "Best regards\n", "Best regards\nAnn\nPS a\n\n",
    "--\n", "> a\nb\n", "Name: a\n", "intended recipient\n", "Ann Lee\n\n", "DISCLAIMER\n\n",
    "____\n",
)  # fmt: skip
HTML_SHAPES = (
    "<p>a", "<i><p>", "<div>", "<a href='", "<!--", "<p hidden>a</p>b",
    "<blockquote>a</blockquote>b", "<br>\n", "&lt;", "<p style='color:white'>",
    "<style>.a{display:none}", "</i>a<b>", "<a@b>",
)  # fmt: skip


def styled(text: str) -> Any:
    """An element with the text as its style and its colour."""
    return HtmlElement("p", style=text, color=text)


@dataclass(frozen=True)
class LongMail:
    """The reader on a text as long as the given one that is nothing but the shape.

    It takes nothing else of the given text, so to give it another of that length says nothing.
    """

    shape: str
    read: Callable[[str], object]

    def __call__(self, text: str, /) -> object:
        """Read so many of the shape."""
        return self.read(f"<div>a</div>{self.shape * (len(text) // len(self.shape))}")


def mail_of(shape: str) -> Reader:
    """A whole mail that is nothing but the shape."""
    return lambda text: mail_reading.read_mail((shape * (len(text) // len(shape))).encode())


def imap_line(shape: str) -> Reader:
    """A line of an IMAP server that is nothing but the shape."""
    said = refused(lambda line: wire.Response([line.encode()]).values(), wire.WireError)
    return lambda text: said(shape * (len(text) // len(shape)))


def by_line(read: Callable[[list[str]], object]) -> Callable[[str], object]:
    """A reader of lines on a text."""
    return lambda text: read(text.split("\n"))


# A model that knows no word, and two intents.
LINEAR = model.LinearModel(
    ("billing", "general"), (0.0, 0.0), ([0.0] * features.SIZE,) * 2, bytes(features.WORD_SIZE // 8)
)
READERS: dict[str, list[Reader]] = {
    "app.console.routes.sign_in:own_path": [
        own_path,
        lambda text: own_path(f"/console/{text}"),
        lambda text: own_path(f"/console/{quote_plus(text)}"),
    ],
    "app.console.views.answers:typed_sums": [
        sums_or_refusal,
        lambda text: sums_or_refusal(f"{text} USD"),
        lambda text: sums_or_refusal(f"1 USD, {text}"),
    ],
    "app.console.forms:parse_form": [
        lambda text: forms.parse_form(f"comment={quote_plus(text)}".encode()),
        form_or_refusal,
        lambda text: form_or_refusal("&".join(f"a{number}=" for number in range(len(text)))),
    ],
    "app.connectors.email.reading:read_mail": [
        lambda text: mail_reading.read_mail(text.encode()),
        lambda text: mail_reading.read_mail(f"Content-Type: text/plain\n\n{text}".encode()),
        lambda text: mail_reading.read_mail(f"Subject: {text}\nFrom: {text}\n\n".encode()),
        lambda text: mail_reading.read_mail(f"Content-Type: {text}\n\n".encode()),
        *(mail_of(shape) for shape in RAW_MAIL_SHAPES),
    ],
    "app.connectors.email.headers:decoded": [
        mail_lines.decoded,
        lambda text: mail_lines.decoded("=?utf-8?q?a?=" * (len(text) // 13)),
        lambda text: mail_lines.decoded(f"=?punycode?q?{text}?="),
    ],
    "app.connectors.email.settings:mail_address": [
        mail_settings.mail_address,
        lambda text: mail_settings.mail_address(f"a@{text}"),
    ],
    "app.connectors.email.threads:ticket_of_address": [
        lambda text: threads.ticket_of_address([text], text, MAILBOX, ["s"]),
    ],
    "app.connectors.email.identity:is_verified": [
        lambda text: identity.is_verified(
            mail_reading.read_mail(f"Authentication-Results: {text}\n\n".encode()), MAILBOX
        ),
    ],
    "app.connectors.email.wire:quoted": [refused(wire.quoted, ValueError)],
    "app.connectors.email.wire:values": [
        refused(lambda text: wire.Response([text.encode()]).values(), wire.WireError),
        *(imap_line(shape) for shape in ("(", "()", '"', '"\\', "a[", "[", "NIL ", "{1}")),
    ],
    "graphs.wishes.refunds:asks_for": [wished, lambda text: wished(text, text)],
    "graphs.wishes.refunds:wish_in": [
        lambda text: wished(f"Please refund {text}"),
        lambda text: wished(f'{text} "{text} please refund'),
    ],
    "graphs.wishes.refunds:is_known": [lambda text: refunds.is_known(text[:8000], ENGLISH)],
    "graphs.wishes.refunds:holds": [lambda text: refunds.holds(text, "pay_1")],
    "graphs.wishes.refunds:without_names": [lambda text: refunds.without_names(text, PAYMENTS)],
    "graphs.wishes.refunds:is_share": [lambda text: wished(f"Please refund 20 USD, {text}")],
    "graphs.wishes.refunds:says": [lambda text: wished(f"Please refund it, {text}")],
    "graphs.wishes.answers:plainly_chosen": [
        lambda text: answers.plainly_chosen(text[:8000], PAYMENTS)
    ],
    "graphs.wishes.answers:speaks_against": [
        lambda text: answers.speaks_against(text, PAYMENTS[0], 100, PAYMENTS)
    ],
    "graphs.wishes.cancellations:is_denied": [
        lambda text: cancellations.is_denied("cancel my plan", f"{text} cancel my plan")
    ],
    "graphs.wishes.clauses:holds": [lambda text: Sentence(text).holds(ENGLISH["against"])],
    "graphs.wishes.clauses:clauses": [lambda text: clauses(text[:8000], ENGLISH["cut"])],
    "graphs.wishes.clauses:touched": [
        lambda text: touched("refund", clauses(f"{text[:8000]} refund", ENGLISH["cut"]))
    ],
    "graphs.wishes.clauses:bare": [bare],
    "graphs.wishes.quotes:is_said": [
        lambda text: wish_quotes.is_said(text, [text]),
        lambda text: wish_quotes.is_said("abcd", [text]),
    ],
    "graphs.wishes.quotes:plainly": [wish_quotes.plainly],
    "app.api.http.strict_query:check_query": [
        refused(lambda text: check_names(QueryParams(text)), InvalidRequestError),
        refused(lambda text: check_names(QueryParams([(text, "")] * 2)), InvalidRequestError),
        refused(
            lambda text: check_names(QueryParams([(letter, "") for letter in text])),
            InvalidRequestError,
        ),
    ],
    "app.api.schemas.base:named_visibly": [
        base.named_visibly,
        refused(lambda text: base.named_visibly("\u200b" * len(text)), PydanticCustomError),
    ],
    "app.api.schemas.base:with_zone": [
        refused(base.with_zone, PydanticCustomError),
        refused(lambda text: base.with_zone("2026-11-22T09:00:00." + text), PydanticCustomError),
    ],
    "app.api.http.strict_body:check_json": [
        lambda text: strict_body.check_json(JSON_SCOPE, json.dumps({"a": text}).encode())
    ],
    "app.connectors.hooks:moment_of": [
        hooks.moment_of,
        lambda text: hooks.moment_of(text + " UTC"),
    ],
    "app.connectors.hooks:verify_standard_webhook": [
        refused(
            lambda text: hooks.verify_standard_webhook(
                {"webhook-id": text, "webhook-timestamp": text, "webhook-signature": text},
                text.encode(),
                [HOOK_SECRET],
            ),
            ForgedHookError,
        )
    ],
    "app.connectors.stripe.hooks:verify": [
        refused(
            lambda text: stripe_hooks.verify(
                {"stripe-signature": text}, text.encode(), [HOOK_SECRET]
            ),
            ForgedHookError,
        )
    ],
    "app.connectors.chatwoot.changes:labels": [lambda text: chatwoot_changes.labels([text, text])],
    "app.connectors.chatwoot.texts:without_templates": [chatwoot_texts.without_templates],
    "app.connectors.chatwoot.texts:as_written": [chatwoot_texts.as_written],
    "app.connectors.chatwoot.texts:is_same": [lambda text: chatwoot_texts.is_same(text, text)],
    "app.connectors.chatwoot.hook:verify": [
        refused(
            lambda text: chatwoot_hook.verify(
                {"x-chatwoot-signature": text, "x-chatwoot-timestamp": text},
                text.encode(),
                [HOOK_SECRET],
            ),
            ForgedHookError,
        ),
        refused(
            lambda text: chatwoot_hook.verify(
                {"x-chatwoot-signature": text, "x-chatwoot-timestamp": str(int(time.time()))},
                text.encode(),
                [HOOK_SECRET],
            ),
            ForgedHookError,
        ),
    ],
    "app.connectors.zammad.hook:verify": [
        refused(
            lambda text: zammad_hook.verify(
                {"x-hub-signature": text}, text.encode(), [HOOK_SECRET]
            ),
            ForgedHookError,
        )
    ],
    "app.connectors.request_tracker.rest2:transaction_at": [
        lambda text: rest2.transaction_at(f"/transaction/{text}")
    ],
    "app.connectors.zendesk.hook:verify": [
        refused(
            lambda text: zendesk_hook.verify(
                {zendesk_hook.SIGNATURE: text, zendesk_hook.TIMESTAMP: text}, text.encode(), ["s"]
            ),
            ForgedHookError,
        )
    ],
    "app.services.connections.tickets:account_of": [
        lambda text: account_of("con_a", Requester(text, text, verified=True), text)
    ],
    "app.observability.masks:without_secrets": [masks.without_secrets],
    "app.observability.masks:without_personal_data": [
        masks.without_personal_data,
        lambda text: masks.without_personal_data(text, of_id=True),
    ],
    "app.observability.trace_parent:read_parent": [trace_parent.read_parent],
    "app.formats.strict_json:repaired": [lambda text: strict_json.repaired([text, {text: text}])],
    "app.formats.strict_json:check_value": [
        lambda text: strict_json.check_value(json.loads(json.dumps({"a": [text, *text]})), 0)
    ],
    "app.adapters.webhooks.ssrf_guard:parse": [
        refused(lambda text: ssrf_guard.parse(f"https://{text}"), ssrf_guard.ForbiddenTargetError)
    ],
    "app.adapters.ports.passages:within_budget": [
        lambda text: passages.within_budget([chunk(text), chunk(text)], 3000)
    ],
    "app.commands.articles:front_matter": [
        refused(lambda text: files.front_matter(f"---\n{text}", "here"), files.SourceError),
        refused(lambda text: files.declared(f"questions:\n- {text}", "here"), files.SourceError),
    ],
    "app.commands.articles:checked": [
        refused(lambda text: files.checked("a", "A", text, "en", "here"), files.SourceError),
        refused(lambda text: files.checked(text, "A", "A", "en", "here"), files.SourceError),
    ],
    "app.db.knowledge.articles:chunks": [articles.chunks],
    "app.db.knowledge.bm25:asked_parts": [lambda text: bm25.asked_parts([text, text])],
    "app.db.knowledge.tokenize:spaced": [tokenize.spaced],
    "app.db.knowledge.tokenize:plain": [tokenize.plain],
    "app.db.knowledge.tokenize:clauses": [tokenize.clauses],
    "app.db.knowledge.tokenize:parts": [lambda text: tokenize.parts([text, text])],
    "app.db.knowledge.tokenize:sentences": [lambda text: tokenize.sentences([text, text])],
    "app.models.offline.billing:guided": [
        lambda text: billing.guided({"guidance": [f"pay_1 {text}"], "payments": PAYMENTS})
    ],
    "app.models.offline.billing:wanted_refunds": [
        lambda text: billing.propose(ticket(f"Charged twice, please refund {text}"), OFFLINE),
        lambda text: billing.wanted_refunds(ticket(f"refund {text[:7900]}"), PAYMENTS),
        lambda text: billing.wanted_refunds(ticket(f"refund twice {text[:7900]}"), PAYMENTS),
        lambda text: billing.wanted_refunds(ticket(f"{text[:7000]} I want a refund"), PAYMENTS),
    ],
    "app.models.offline.billing:named_in": [lambda text: billing.named_in(text[:8000], PAYMENTS)],
    "app.models.offline.payment_ids:ids_in": [lambda text: ids_in(text, PAYMENTS)],
    "app.models.offline.payment_ids:named": [
        lambda text: ids_in(text, PAYMENTS).named(f"pay_1 {text}")
    ],
    "app.models.offline.payment_ids:without": [
        lambda text: ids_in(text, PAYMENTS).without(f"pay_1 {text}")
    ],
    "app.models.offline.refund_wishes:refund_wish": [
        lambda text: refund_wishes.refund_wish(ticket(f"refund {text[:7900]}"), twice=False),
        lambda text: refund_wishes.refund_wish(ticket(f"charged {text[:7900]}"), twice=True),
    ],
    "app.models.offline.refund_wishes:clauses": [refund_wishes.clauses],
    "app.models.offline.refund_wishes:kind_of": [
        lambda text: refund_wishes.kind_of(text, twice=False),
    ],
    "app.models.offline.refund_wishes:is_request": [
        lambda text: refund_wishes.is_request(text, text)
    ],
    "app.models.offline.refund_wishes:is_doubtful": [refund_wishes.is_doubtful],
    "app.models.offline.refund_wishes:words": [refund_wishes.words],
    "app.models.offline.billing:named_amounts": [
        lambda text: billing.named_amounts(text, PAYMENTS[:1])
    ],
    "app.models.offline.exact:exact_passage": [
        lambda text: exact.exact_passage(ticket(text, text), EXACT),
        lambda text: exact.exact_passage(ticket(text[:600], ""), [{**EXACT[0], "title": text}]),
    ],
    "app.models.offline.exact:answers": [
        lambda text: exact.answers(EXACT[0], text[:300], text[:300], "en")
    ],
    "app.models.offline.exact:repeats": [
        lambda text: exact.repeats(text, exact.Form(None, ("upload",)), "en")
    ],
    "app.models.offline.exact:explains_code": [
        lambda text: exact.explains_code("Upload error E42", f"E42 {text}", "en")
    ],
    "app.models.offline.exact:form": [lambda text: exact.form(text, "en")],
    "app.models.offline.exact:bare": [
        lambda text: exact.bare(ticket(text)),
        lambda text: exact.bare(ticket(f"Hi {text[:500]}")),
    ],
    "app.models.offline.exact:is_name": [lambda text: exact.is_name(text, set(), text)],
    "app.models.offline.exact:looks_like_name": [exact.looks_like_name],
    "app.models.offline.exact:greets": [lambda text: exact.greets(f"{text},")],
    "app.models.offline.words:spoken": [words.spoken],
    "app.models.offline.words:without": [
        lambda text: words.without(text, words.phrases("en", "greeting", "courtesy", "failing"))
    ],
    "app.models.offline.words:one_of": [
        lambda text: words.one_of(text, ("how", "where", "what", "may"), "ja")
    ],
    "app.models.offline.reply:compose": [
        lambda text: reply.compose(ticket(text), OFFLINE),
        lambda text: reply.compose(
            ticket(DECLARED), {**OFFLINE, "sources": [{**SOURCE, "text": text}]}
        ),
    ],
    "app.models.offline.reply:claims_of": [
        lambda text: reply.claims_of("q1", {**EXACT[0], "text": text})
    ],
    "app.models.offline.summary:extract": [
        lambda text: summary.extract(
            ticket(text), {"summary": text, "messages": [{"author": "customer", "text": text}]}
        )
    ],
    "app.models.offline.summary:first_sentence": [summary.first_sentence],
    "app.models.offline.summary:fit": [lambda text: summary.fit([text, text])],
    "app.models.offline.trained:short": [
        lambda text: trained.short(ticket(text)),
        lambda text: trained.short(ticket(text[:290], "")),
    ],
    "app.models.offline.trained:is_question": [lambda text: trained.is_question(ticket(text))],
    "app.models.offline.triage:triage": [lambda text: triage.triage(ticket(text), {})],
    "app.models.offline.triage:questions": [
        lambda text: triage.questions(ticket(text)),
        lambda text: triage.questions(ticket(f"Please refund pay_1. {text}")),
    ],
    "app.models.offline.triage:matter": [triage.matter],
    "app.models.offline.triage:is_money_wish": [triage.is_money_wish],
    "app.models.offline.triage:asks": [triage.asks],
    "app.models.offline.triage:urgency": [lambda text: triage.urgency(text, 0.0)],
    "app.models.offline.triage:only_courtesy": [triage.only_courtesy],
    "app.models.offline.wishes:cancellations": [
        lambda text: wishes.cancellations(text, SUBSCRIPTIONS),
        lambda text: wishes.cancellations(f"cancel my plan {text[:7900]}", SUBSCRIPTIONS),
    ],
    "app.models.offline.wishes:cancel_wishes": [wishes.cancel_wishes],
    "app.models.offline.wishes:proposed": [
        lambda text: wishes.proposed(["sub_1"], SUBSCRIPTIONS, f"cancel my plan {text}")
    ],
    "app.models.offline.wishes:spoken": [wishes.spoken],
    "app.models.offline.wishes:mailing": [
        lambda text: wishes.mailing(ticket(text), OFFLINE),
        lambda text: wishes.mailing(ticket(f"mail all customers {text}"), OFFLINE),
    ],
    "app.models.offline.wishes:quoted": [wishes.quoted],
    "app.models.offline.wishes:named_audience": [
        lambda text: wishes.named_audience(text, ["all", "pro-plan"])
    ],
    "app.services.runs.diff:node_changes": [
        lambda text: diff.node_changes(list(text), list(text[::-1])),
    ],
    "app.services.runs.diff:long_changes": [
        lambda text: diff.long_changes(list(text), list(text[:-1])),
    ],
    "app.services.runs.diff:text_diff": [
        lambda text: diff.text_diff(text, text[::-1]),
        lambda text: diff.text_diff("\n".join(text), "\n".join(text[3:])),
    ],
    "app.services.runs.merge_messages:merged_bodies": [
        lambda text: merge_messages.merged_bodies(
            {"body": "\n\n".join([text] * 20), "lengths": [len(text)] * 20}
        )
    ],
    "app.services.runs.merge_messages:merged": [
        lambda text: merge_messages.merged([{"body": text, "language": None}] * 20)
    ],
    "graphs.alarm:folded": [alarm.folded],
    "graphs.alarm:alarm": [alarm.alarm],
    "graphs.alarm:mild_signs": [lambda text: alarm.mild_signs(text, text)],
    "graphs.alarm:shouts": [alarm.shouts],
    "graphs.reply.suggestion:best_articles": [
        lambda text: suggestion.best_articles([FOUND | {"text": text}])
    ],
    "graphs.reply.suggestion:answering_sections": [suggestion.answering_sections],
    "app.commands.articles:declared": [
        refused(lambda text: files.declared(f"questions:\n- {text}", "here"), files.SourceError),
        refused(lambda text: files.declared(text, "here"), files.SourceError),
    ],
    "graphs.handoffs:skill_for": [
        lambda text: handoffs.skill_for(state(text), {"reason": "anger", "detail": text})
    ],
    "graphs.handoffs:handoff_brief": [
        lambda text: handoffs.handoff_brief(state(text), {"reason": "anger", "detail": text})
    ],
    "graphs.llm.routing:reasons_for_strong": [
        lambda text: routing.reasons_for_strong(ticket(text), None, {}, None, 0)
    ],
    "graphs.llm.routing:tier_of": [lambda text: routing.tier_of(ticket(text), None, {}, None, 0)],
    "graphs.llm.structured_output:asked_again": [answered],
    "graphs.llm.structured_output:repeats_a_key": [
        lambda text: structured_output.repeats_a_key(json.dumps({text: [text], text[1:]: {}})),
        structured_output.repeats_a_key,
    ],
    "graphs.llm.token_estimate:estimate_tokens": [token_estimate.estimate_tokens],
    "graphs.llm.token_estimate:clip": [
        lambda text: token_estimate.clip(text, 1000),
        lambda text: token_estimate.clip(text, len(text) // 5),
    ],
    "graphs.nodes.classify:judged": [triaged],
    "graphs.reply.checks:objections": [
        lambda text: checks.objections(
            {"text": text, "citations": [text]}, KNOWN, ticket(text), "en", REPLY
        )
    ],
    "graphs.reply.problems:problems": [
        lambda text: problems.problems(tried(text), DRAFT, edited=False)
    ],
    "graphs.reply.partial_answer:partial_answer": [
        lambda text: partial_answer.partial_answer(tried(text), DRAFT, [])
    ],
    "graphs.reply.checks.draft_case:plain": [plain],
    "graphs.reply.checks.leaks:personal_data": rule("personal_data"),
    "graphs.reply.checks.leaks:secrets": rule("secrets"),
    "graphs.reply.checks.leaks:prompt": rule("prompt"),
    "graphs.reply.checks.shape:language": rule("language"),
    "graphs.reply.facts:reply_facts": [lambda text: reply_facts.reply_facts(state(text))],
    "graphs.reply.facts:undone": [lambda text: reply_facts.undone(state(text), names.names_in([]))],
    "graphs.reply.question_key:normal_form": [question_key.normal_form],
    "graphs.reply.question_key:speaks_for_others": [
        lambda text: question_key.speaks_for_others(ticket(text)),
        lambda text: question_key.speaks_for_others(ticket("Help", "Help", text)),
    ],
    "graphs.reply.reusable_answer:impersonal": [
        lambda text: reusable_answer.impersonal(state(text))
    ],
    "graphs.reply.reusable_answer:without_name": [
        lambda text: reusable_answer.without_name(text, "Ann Lee"),
        lambda text: reusable_answer.without_name(f"Hello {text}", text[:200]),
    ],
    "graphs.reply.reusable_answer:tells_of": [
        lambda text: reusable_answer.tells_of(text[:7900], "Ann Lee", "ann@example.com", ["T-1"])
    ],
    "graphs.reply.suggestion:suggestion": [
        lambda text: suggestion.suggestion(state("Hi"), [{**EXACT[0], "text": text}])
    ],
    "graphs.reply.suggestion:found_passages": [
        lambda text: suggestion.found_passages(state(text), text)
    ],
    "graphs.reply.suggestion:readable": [suggestion.readable],
    "graphs.run.memory:cut": [lambda text: memory.cut(text, 500)],
    "graphs.run.memory:window": [
        lambda text: memory.window([{"author": "customer", "text": text}] * 12)
    ],
    "graphs.run.memory:handoff_lines": [
        lambda text: list(
            memory.handoff_lines(
                {"window": [{"author": "customer", "text": text}], "summary": text, "tickets": []}
            )
        )
    ],
    "graphs.questions:question_in": [
        lambda text: questions.question_in(ticket(text), "general", text[1:], [text, text]),
    ],
    "graphs.questions:whole_text": [lambda text: questions.whole_text(ticket(text))],
    "graphs.questions:asked_questions": [lambda text: questions.asked_questions(state(text))],
    "graphs.text.bounds:normalized": [lambda text: bounds.normalized("NFKC", text)],
    "graphs.text.language:language_of": [language.language_of],
    "graphs.text.language:ticket_language": [
        lambda text: language.ticket_language(ticket(text, text))
    ],
    "graphs.llm.ask:shown": [lambda text: shown(ticket(text))],
    "graphs.quiet:after_triage": [
        lambda text: quiet.after_triage(state(text), {**TRIAGE, "nothing_asked": True}),
    ],
    "graphs.held_questions:share_words": [
        lambda text: held_questions.share_words(text, text[1:]),
    ],
    "tools.quotable:quotable": [lambda text: quotable.quotable([text])],
    "graphs.text.new_text.characters:tag_text": [
        characters.tag_text,
        lambda text: characters.tag_text("\U000e0041 " * (len(text) // 2)),
    ],
    "graphs.text.new_text.characters:without_hidden": [characters.without_hidden],
    "graphs.text.new_text.headers:split_form": [
        lambda text: mail_headers.split_form(["Name: a", f"Message: {text}", *text.split("\n")])
    ],
    "graphs.text.new_text.hidden:hides": [
        lambda text: hidden.hides(styled(characters.without_hidden(text)), frozenset(), text)
    ],
    "graphs.text.new_text.hidden:is_hiding": [
        lambda text: hidden.is_hiding(dict.fromkeys(("opacity", "text-indent", "display"), text))
    ],
    "graphs.text.new_text.hidden:declarations": [
        hidden.declarations,
        lambda text: hidden.declarations("color:" * (len(text) // 6)),
    ],
    "graphs.text.new_text.hidden:hidden_names": [
        lambda text: hidden.hidden_names([text, f".a{{{text}", f"{text}{{}}"]),
        lambda text: hidden.hidden_names([".a{display:none}" * (len(text) // 16)]),
    ],
    "graphs.text.new_text.markup:is_html": [markup.is_html],
    "graphs.text.new_text.markup:read_html": [
        markup.read_html,
        *(LongMail(shape, markup.read_html) for shape in HTML_SHAPES),
    ],
    "graphs.text.new_text.markup:with_quotes": [
        lambda text: markup.HtmlText(text, ["a"], []).with_quotes(f"{text}\uf8f90\uf8f9{text}")
    ],
    "graphs.text.new_text.quotes:mark_quotes": [
        lambda text: mail_quotes.mark_quotes(text.split("\n")),
        lambda text: mail_quotes.mark_quotes([text, text]),
        *(LongMail(shape, by_line(mail_quotes.mark_quotes)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.quotes:header_key": [mail_quotes.header_key],
    "graphs.text.new_text.reading:set_apart": [
        message.set_apart,
        *(LongMail(shape, message.set_apart) for shape in (*MAIL_SHAPES, *HTML_SHAPES)),
    ],
    "graphs.text.new_text.signatures:mark_disclaimers": [
        lambda text: signatures.mark_disclaimers(text.split("\n")),
        *(LongMail(shape, by_line(signatures.mark_disclaimers)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.signatures:mark_signature": [
        lambda text: signatures.mark_signature(text.split("\n")),
        *(LongMail(shape, by_line(signatures.mark_signature)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.ticket:with_messages": [
        lambda text: new_ticket.with_messages(ticket(text), [text, text])
    ],
    "graphs.text.new_text.wordings:words_of": [mail_words.words_of],
    "graphs.text.new_text.wordings:count": [lambda text: mail_words.count(text, "wrote")],
    "graphs.text.new_text.wordings:begins": [lambda text: mail_words.begins(text, "devices")],
    "graphs.text.noise.automatic:is_named": [
        lambda text: automatic.is_named(text, "en", (" out of office ",), (" until ",)),
        lambda text: automatic.is_named(text, "ja", ("自動返信",), ()),
    ],
    "graphs.text.noise.echo:is_echo": [
        lambda text: echo.is_echo(text, [text[: len(text) // 2], text[1:]])
    ],
    "graphs.text.noise.headers:telling": [
        lambda text: headers.telling(dict.fromkeys(headers.TELLING, text))
    ],
    "graphs.text.noise.headers:kind_by_headers": [
        lambda text: headers.kind_by_headers(dict.fromkeys(headers.TELLING, text))
    ],
    "graphs.text.noise.reading:reading_of": [
        lambda text: reading.reading_of(ticket(text), [text]),
        lambda text: reading.reading_of(ticket(f"I am out of the office {text}", text)),
    ],
    "graphs.text.noise.thanks:is_sign": [thanks.is_sign],
    "graphs.text.noise.thanks:is_thanks": [
        lambda text: thanks.is_thanks(
            wordings.Text(text), "en", wordings.wordings()["en"], [text[:50]]
        ),
        lambda text: thanks.is_thanks(wordings.Text(text), "ja", wordings.wordings()["ja"], []),
    ],
    "graphs.text.noise.thanks:agrees_to_thanks": [
        lambda text: thanks.agrees_to_thanks(text, wordings.wordings())
    ],
    "graphs.text.noise.thanks:turns": [
        lambda text: thanks.turns(text, wordings.wordings()["en"]["turns"])
    ],
    "graphs.text.noise.thanks:may_ask": [lambda text: thanks.may_ask(text, wordings.wordings())],
    "graphs.text.noise.wordings:sentences": [lambda text: wordings.Text(text).sentences],
    "graphs.text.noise.wordings:folded": [wordings.folded],
    "graphs.text.noise.wordings:in_words": [lambda text: wordings.Text(text).in_words("en")],
    "graphs.text.noise.wordings:standing": [
        lambda text: wordings.Text(text).count("en", wordings.wordings()["en"]["matters"]),
    ],
    "graphs.text.noise.wordings:holds": [
        lambda text: wordings.holds(text, wordings.wordings()["en"]["matters"])
    ],
    "graphs.text.normalize:folded": [normalize.folded],
    "graphs.reply.checks.evidence:quotes": rule("quotes"),
    "graphs.reply.checks.evidence:asks": [lambda text: evidence.asks(claim(text), [text])],
    "graphs.reply.checks.evidence:shows": [
        lambda text: evidence.asks(claim(f'Choose "{text[:50]}?" {text}'), [text])
    ],
    "graphs.reply.checks.evidence:ends_as_shown": [
        lambda text: evidence.ends_as_shown(f"Choose Forgot {text}?", text)
    ],
    "graphs.reply.checks.evidence:values": rule("values"),
    "graphs.reply.checks.markup:links": rule("markup"),
    "graphs.reply.checks.answers:unanswered": rule("unanswered"),
    "graphs.reply.assemble:without_sentences": [
        lambda text: assemble.without_sentences(text, [SAID, text[:200]]),
        lambda text: assemble.without_sentences(f"{SAID}{text}{SAID}" * 2, [SAID]),
        lambda text: assemble.without_sentences(SAID * (len(text) // len(SAID)), [SAID] * 20),
    ],
    "graphs.reply.assemble:with_sentences": [
        lambda text: assemble.with_sentences(text, [text, SAID])
    ],
    "graphs.reply.assemble:assembled": [
        lambda text: assemble.assembled([claim(text)] * 3, language="en", customer_name=text)
    ],
    "graphs.reply.assemble:greeting": [lambda text: assemble.greeting("en", text)],
    "graphs.reply.names:named": [lambda text: names.named(text, "pay_1")],
    "graphs.reply.quotes:quote_problem": [
        lambda text: quotes.quote_problem(quote(text), [{**SOURCE, "text": text}]),
        lambda text: quotes.quote_problem(quote(text[:4900]), [{**SOURCE, "text": text}]),
        lambda text: quotes.quote_problem(quote("Which files fail?"), [{**SOURCE, "text": text}]),
    ],
    "graphs.reply.quotes:only_quotes": [lambda text: quotes.only_quotes(claim(text))],
    "graphs.reply.sources:sources": [lambda text: sources.sources(state(text))],
    "graphs.reply.values:of": [lambda text: values.Values.of(text, ["en", "de"])],
    "graphs.reply.values:unsupported_values": [
        lambda text: values.unsupported_values(text, [text[1:]])
    ],
    "graphs.reply.values:plain": [values.plain],
    "graphs.reply.values:languages_of": [lambda text: values.languages_of(text, ("en",))],
    "graphs.reply.values:without_steps": [values.without_steps],
    "graphs.text.calendar_values:dates_in": [calendar_values.dates_in],
    "graphs.text.calendar_values:times_in": [calendar_values.times_in],
    "graphs.text.links:links_in": [links.links_in],
    "graphs.text.links:literals_in": [links.literals_in],
    "graphs.text.links:stands_in": [
        lambda text: links.stands_in("example.com/help", text),
        lambda text: links.stands_in(text, f"{text}{text}"),
    ],
    "graphs.text.markdown:read": [markdown.read],
    "graphs.text.markdown:quotation_marks": [markdown.quotation_marks],
    "graphs.text.markdown:without_quoted": [lambda text: markdown.read(f'"{text}" "')],
    "graphs.text.markdown:closes": [markdown.closes],
    "graphs.text.markdown:unread": [markdown.unread],
    "graphs.text.markdown:words": [markdown.words],
    "graphs.text.quantities:figures_in": [lambda text: quantities.figures_in(text, ["en", "ja"])],
    "graphs.text.quantities:kinds_in": [quantities.kinds_in],
    "graphs.text.sentence_ends:sentence_ends": [sentence_ends.sentence_ends],
    "graphs.text.tokens:visible": [tokens.visible],
    "graphs.text.tokens:content_words": [tokens.content_words],
    "graphs.trained.features:canonical": [features.canonical],
    "graphs.trained.features:features": [features.features],
    "graphs.trained.features:names": [lambda text: list(features.names(text))],
    "graphs.trained.features:words_of": [features.words_of],
    "graphs.trained.model:read": [LINEAR.read],
    "graphs.trained.model:known": [LINEAR.known],
    "graphs.ticket_parts:clauses": [ticket_parts.clauses],
    "graphs.ticket_parts:places": [
        lambda text: ticket_parts.places([text, text[1:], text[: len(text) // 2]], text),
        lambda text: ticket_parts.places(["ab ab ab x", f"{text[:200]}!"], text),
    ],
    "graphs.ticket_parts:spans_of": [lambda text: list(ticket_parts.spans_of(text[:99], text))],
    "graphs.ticket_parts:parts_of": [
        lambda text: ticket_parts.parts_of(
            text, [("billing", text[:99]), ("technical", text[99:]), ("general", "ab")]
        )
    ],
    "graphs.ticket_parts:narrow": [
        lambda text: ticket_parts.narrow(
            text, "billing", {"billing": bytearray(len(text)), "general": bytearray(len(text))}
        )
    ],
    "graphs.ticket_parts:core": [ticket_parts.core],
}
