"""Every function of the product that reads a free text, and how a test calls it with one.

Found in the code: a parameter that holds text, and a pattern or a loop in the body. A new one
stands in READERS, or in EXCUSED with the reason why no text can make it slow.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from lxml.html import Element as HtmlElement  # type: ignore[import-untyped]

from app.adapters.ports import passages
from app.adapters.webhooks import ssrf_guard
from app.api.http import strict_body
from app.commands import articles as files
from app.db.knowledge import articles, tokenize
from app.db.tables.knowledge import ArticleChunk
from app.models.offline import billing, reply, summary, triage, wishes
from app.services.runs import diff, merge_messages
from graphs import alarm, handoffs, quiet, ticket_parts
from graphs.llm import routing, structured_output, token_estimate
from graphs.llm.ask import shown
from graphs.nodes.classify import Classification, judged
from graphs.nodes.respond import Reply
from graphs.reply import checks, question_key, reusable_answer, suggestion
from graphs.reply import facts as reply_facts
from graphs.reply.checks import citations, dates, draft_case, grounding, idioms, promises
from graphs.reply.checks.draft_case import Case, plain
from graphs.reply.instructions import REPLY
from graphs.run import memory
from graphs.run.replay import UNKNOWN_TRIAGE as TRIAGE
from graphs.state import fresh_run
from graphs.text import bounds, language, normalize, tokens
from graphs.text.new_text import characters, hidden, markup, quotes, signatures
from graphs.text.new_text import headers as mail_headers
from graphs.text.new_text import reading as message
from graphs.text.new_text import ticket as new_ticket
from graphs.text.new_text import wordings as mail_words
from graphs.text.noise import automatic, echo, headers, reading, thanks, wordings
from tests.fakes import payment
from tests.unit.desk import ticket
from tests.unit.growth import Reader
from tests.unit.test_checks import ARTICLE, PAYMENT, REFUNDED, facts

ROOT = Path(__file__).parents[2]
PLACES = ("graphs", "tools", "app/models/offline", "app/db/knowledge", "app/services",
          "app/adapters", "app/api", "app/commands/articles.py")  # fmt: skip
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
STRUCTURES = "loops over steps, findings, rows or fields, and hands texts on whole"
EXCUSED = {
    **dict.fromkeys(("graphs.nodes.", "graphs.policy:", "graphs.run.replay:",
                     "graphs.run.compatibility:", "app.services.approvals.",
                     "app.adapters.", "app.api.routes."), STRUCTURES),
    "graphs.llm.pool:open_pool": "models and limits",
    "graphs.text.new_text.wordings:exactly": "names of ours",
    "graphs.text.new_text.ticket:shown_parts": "cuts each of its first parts",
    "graphs.llm.structured_output:note": "within `repeats_a_key`",
    "graphs.alarm:phrase_pattern": "phrases of ours",
    "graphs.alarm:any_of": "phrases of ours",
    "graphs.reply.suggestion:found_passages": STRUCTURES,
    "app.services.approvals.decide:holder_of": "a key's name",
    "graphs.text.calendar_words:any_of": "words of ours",
    "app.api.routes.events:read_position": "an id of digits, held to a pattern by the route",
    "graphs.reply.checks.deeds:actions": "tried as the rule `commitments`",
    "graphs.reply.checks.deeds:tells_hand_over": "reads one sentence, within `actions`",
    "graphs.reply.checks.leaks:held_secrets": "tried as the rule `secrets`",
    "app.models.offline.mood:anger_score": "reads what `triage` has cut",
    "app.models.offline.mood:urgency": "reads what `triage` has cut",
    "app.models.offline.triage:intent_scores": "reads what `triage` has cut",
    "app.models.offline.triage:topics": "tried within `triage`",
    "app.models.offline.billing:minor_units": "reads one match, within `wanted_refunds`",
    "app.api.http.openapi_document:": "the document of our own routes",
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
SUBSCRIPTIONS: list[Any] = [
    {"id": "sub_1", "description": "Team plan", "status": "active", "ends_at": None}
]
KNOWN = facts(done=[REFUNDED], payments=[PAYMENT], passages=[ARTICLE])
OFFLINE: dict[str, Any] = {
    "payments": PAYMENTS, "subscriptions": SUBSCRIPTIONS, "guidance": [], "audiences": ["all"],
    "effects": KNOWN["effects"], "passages": [ARTICLE, {**ARTICLE, "article_id": "other"}],
    "summary": "", "messages": [],
}  # fmt: skip


def draft_of(text: str) -> Case:
    """The text as the draft, and few facts."""
    return Case.of({"text": text, "citations": list(CITED)}, KNOWN, ticket("Help"), "en", REPLY)


def asked(text: str) -> Case:
    """The text as the ticket, beside a draft that makes every rule look for what was said."""
    return Case.of({"text": BENIGN, "citations": list(CITED)}, KNOWN, ticket(text), "en", REPLY)


def told(text: str) -> Case:
    """The text as the article that the same draft cites."""
    known = facts(done=[REFUNDED], passages=[{**ARTICLE, "text": text}])
    return Case.of({"text": BENIGN, "citations": list(CITED)}, known, ticket("Help"), "en", REPLY)


FOUND: Any = {"article_id": "a", "title": "Upload", "text": "", "score": 1.0}


def state(text: str) -> Any:
    """A run that begins, with the text as its ticket."""
    return {**fresh_run("00000000-0000-0000-0000-000000000001", ticket(text)), "findings": {}}


def triaged(text: str) -> Any:
    """A model's opinion that quotes the text, of a ticket that repeats it."""
    parts = [{"intent": "billing", "quote": text[: len(text) // 2]},
             {"intent": "technical", "quote": text[1:]}] * 3  # fmt: skip
    opinion = {
        "intents": ["billing", "technical"], "parts": parts, "urgency": "normal", "anger": 0.1,
        "language": text, "wants_human": False, "confidence": 0.9,
    }  # fmt: skip
    return judged(Classification.model_validate(opinion), ticket(text))


def answered(text: str) -> object:
    """A model's answer of many wrong fields, and the question asked again."""
    message = AIMessage(json.dumps({"text": text, "citations": [text], text[:9000]: 1}))
    checked = structured_output.check(Reply, message)
    data = [SystemMessage("Answer."), HumanMessage(text)]
    return structured_output.asked_again(data, f"{checked['parsing_error']}; {text}")


def chunk(text: str) -> Any:
    """A stored part of an article."""
    return ArticleChunk(title="Upload", text=text, position=0), []


def refused(read: Callable[[str], object], error: type[Exception]) -> Reader:
    """A reader that may refuse its text."""

    def call(text: str) -> object:
        try:
            return read(text)
        except error as why:
            return why

    return call


def passage(text: str) -> dict[str, str]:
    """An article's passage as a fact of a reply."""
    return {"article_id": "a", "title": "Upload", "text": text, "part": "technical"}


def rule(name: str) -> list[Reader]:
    """A rule on drafts, with the text as the ticket and as the article."""
    return [
        lambda text: list(checks.RULES[name](asked(text))),
        lambda text: list(checks.RULES[name](told(text))),
    ]


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


def long_mail(shape: str, read: Callable[[str], object]) -> Reader:
    """The reader on a text as long as the given one that is nothing but the shape."""
    return lambda text: read(f"<div>a</div>{shape * (len(text) // len(shape))}")


def by_line(read: Callable[[list[str]], object]) -> Callable[[str], object]:
    """A reader of lines on a text."""
    return lambda text: read(text.split("\n"))


READERS: dict[str, list[Reader]] = {
    "app.api.http.strict_body:check_json": [
        lambda text: strict_body.check_json(JSON_SCOPE, json.dumps({"a": text}).encode())
    ],
    "app.api.http.strict_body:check_value": [
        lambda text: strict_body.check_value(json.loads(json.dumps({"a": [text, *text]})), 0)
    ],
    "app.adapters.webhooks.ssrf_guard:parse": [
        refused(lambda text: ssrf_guard.parse(f"https://{text}"), ssrf_guard.ForbiddenTargetError)
    ],
    "app.adapters.ports.passages:within_budget": [
        lambda text: passages.within_budget([chunk(text), chunk(text)], 3000)
    ],
    "app.commands.articles:checked": [
        refused(lambda text: files.checked("a", "A", text, "en", "here"), files.SourceError),
        refused(lambda text: files.checked(text, "A", "A", "en", "here"), files.SourceError),
    ],
    "app.db.knowledge.articles:chunks": [articles.chunks],
    "app.db.knowledge.articles:neighbours": [lambda text: articles.neighbours(text, text)],
    "app.db.knowledge.tokenize:spaced": [tokenize.spaced],
    "app.db.knowledge.tokenize:parts": [lambda text: tokenize.parts([text, text])],
    "app.db.knowledge.tokenize:sentences": [lambda text: tokenize.sentences([text, text])],
    "app.models.offline.billing:guided": [
        lambda text: billing.guided({"guidance": [f"pay_1 {text}"], "payments": PAYMENTS})
    ],
    "app.models.offline.billing:requested": [
        lambda text: billing.requested(f"refund {text[:7900]}"),
        lambda text: billing.requested(f"{text[:4000]} I want {text[:3900]} refund"),
    ],
    "app.models.offline.billing:wanted_refunds": [
        lambda text: billing.propose(ticket(f"Charged twice, please refund {text}"), OFFLINE),
        lambda text: billing.wanted_refunds(f"refund {text[:7900]}", PAYMENTS),
        lambda text: billing.wanted_refunds(f"refund twice {text[:7900]}", PAYMENTS),
    ],
    "app.models.offline.billing:duplicates": [lambda text: billing.duplicates(text, PAYMENTS)],
    "app.models.offline.billing:named": [lambda text: billing.named(text[:8000], PAYMENTS)],
    "app.models.offline.billing:named_amounts": [
        lambda text: billing.named_amounts(text, PAYMENTS[:1])
    ],
    "app.models.offline.reply:compose": [lambda text: reply.compose(ticket(text), OFFLINE)],
    "app.models.offline.reply:best_passages": [
        lambda text: reply.best_passages(text, OFFLINE["passages"])
    ],
    "app.models.offline.reply:quote": [lambda text: reply.quote("Files over 2 GB", passage(text))],
    "app.models.offline.reply:blocks": [reply.blocks],
    "app.models.offline.reply:steps": [reply.steps],
    "app.models.offline.reply:plain": [reply.plain],
    "app.models.offline.summary:extract": [
        lambda text: summary.extract(
            ticket(text), {"summary": text, "messages": [{"author": "customer", "text": text}]}
        )
    ],
    "app.models.offline.summary:first_sentence": [summary.first_sentence],
    "app.models.offline.summary:fit": [lambda text: summary.fit([text, text])],
    "app.models.offline.triage:triage": [lambda text: triage.triage(ticket(text), {})],
    "app.models.offline.triage:readable": [triage.readable],
    "app.models.offline.triage:asks": [triage.asks],
    "app.models.offline.wishes:cancellations": [
        lambda text: wishes.cancellations(text, SUBSCRIPTIONS),
        lambda text: wishes.cancellations(f"cancel my plan {text[:7900]}", SUBSCRIPTIONS),
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
    "graphs.reply.checks.amounts:money": rule("money"),
    "graphs.reply.checks.amounts:in_facts": rule("numbers"),
    "graphs.reply.checks.citations:links": rule("markup"),
    "graphs.reply.checks.citations:stands_in": [
        lambda text: citations.stands_in("example.com/help", text),
        lambda text: citations.stands_in(text, f"{text}{text}"),
    ],
    "graphs.reply.checks.citations:citations": rule("citations"),
    "graphs.reply.checks.dates:dates": rule("dates"),
    "graphs.reply.checks.dates:asks": [dates.asks],
    "graphs.reply.checks.dates:stated_dates": [
        lambda text: dates.stated_dates(normalize.folded(text))
    ],
    "graphs.reply.checks.draft_case:plain": [plain],
    "graphs.reply.checks.grounding:support": rule("support"),
    "graphs.reply.checks.grounding:claims": [lambda text: list(grounding.claims(asked(text)))],
    "graphs.reply.checks.grounding:near": [
        lambda text: grounding.Passage(text, "en").near("Files over two gigabytes fail")
    ],
    "graphs.reply.checks.grounding:clauses": [grounding.clauses],
    "graphs.reply.checks.grounding:measures": [grounding.measures],
    "graphs.reply.checks.grounding:flipped": [lambda text: grounding.flipped(text, [text, "not"])],
    "graphs.reply.checks.grounding:swapped": [
        lambda text: grounding.swapped(text, [text, f"5 files {text}"])
    ],
    "graphs.reply.checks.idioms:says_in_short": [idioms.says_in_short],
    "graphs.reply.checks.idioms:asks": [lambda text: idioms.asks(f"{text}?")],
    "graphs.reply.checks.leaks:personal_data": rule("personal_data"),
    "graphs.reply.checks.leaks:secrets": rule("secrets"),
    "graphs.reply.checks.leaks:prompt": rule("prompt"),
    "graphs.reply.checks.draft_case:without_sentences": [
        lambda text: draft_case.without_sentences(text, [SAID, text[:200]]),
        lambda text: draft_case.without_sentences(f"{SAID}{text}{SAID}" * 2, [SAID]),
        lambda text: draft_case.without_sentences(SAID * (len(text) // len(SAID)), [SAID] * 20),
    ],
    "graphs.reply.checks.promises:commitments": rule("commitments"),
    "graphs.reply.checks.promises:effects_stated": rule("effects_stated"),
    "graphs.reply.checks.promises:mentions": [lambda text: promises.mentions(text, "49.00 USD")],
    "graphs.reply.checks.shape:language": rule("language"),
    "graphs.reply.facts:reply_facts": [lambda text: reply_facts.reply_facts(state(text))],
    "graphs.reply.facts:named": [lambda text: reply_facts.named(text, "pay_1")],
    "graphs.reply.facts:undone": [
        lambda text: reply_facts.undone(state(text), reply_facts.names_in([]))
    ],
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
    "graphs.text.bounds:normalized": [lambda text: bounds.normalized("NFKC", text)],
    "graphs.text.language:language_of": [language.language_of],
    "graphs.text.language:ticket_language": [
        lambda text: language.ticket_language(ticket(text, text))
    ],
    "graphs.llm.ask:shown": [lambda text: shown(ticket(text))],
    "graphs.quiet:after_triage": [
        lambda text: quiet.after_triage(state(text), {**TRIAGE, "nothing_asked": True}),
    ],
    "graphs.quiet:held_parts": [lambda text: quiet.held_parts(state(text), TRIAGE)],
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
        *(long_mail(shape, markup.read_html) for shape in HTML_SHAPES),
    ],
    "graphs.text.new_text.markup:with_quotes": [
        lambda text: markup.HtmlText(text, ["a"], []).with_quotes(f"{text}\uf8f90\uf8f9{text}")
    ],
    "graphs.text.new_text.quotes:mark_quotes": [
        lambda text: quotes.mark_quotes(text.split("\n")),
        lambda text: quotes.mark_quotes([text, text]),
        *(long_mail(shape, by_line(quotes.mark_quotes)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.quotes:header_key": [quotes.header_key],
    "graphs.text.new_text.reading:set_apart": [
        message.set_apart,
        *(long_mail(shape, message.set_apart) for shape in (*MAIL_SHAPES, *HTML_SHAPES)),
    ],
    "graphs.text.new_text.signatures:mark_disclaimers": [
        lambda text: signatures.mark_disclaimers(text.split("\n")),
        *(long_mail(shape, by_line(signatures.mark_disclaimers)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.signatures:mark_signature": [
        lambda text: signatures.mark_signature(text.split("\n")),
        *(long_mail(shape, by_line(signatures.mark_signature)) for shape in MAIL_SHAPES),
    ],
    "graphs.text.new_text.ticket:with_messages": [
        lambda text: new_ticket.with_messages(ticket(text), [text, text])
    ],
    "graphs.text.new_text.wordings:words_of": [mail_words.words_of],
    "graphs.text.new_text.wordings:count": [lambda text: mail_words.count(text, "wrote")],
    "graphs.text.new_text.wordings:begins": [lambda text: mail_words.begins(text, "devices")],
    "graphs.text.noise.automatic:is_named": [
        lambda text: automatic.is_named(text, "en", (" out of office ",)),
        lambda text: automatic.is_named(text, "ja", ("自動返信",)),
    ],
    "graphs.text.noise.echo:is_echo": [
        lambda text: echo.is_echo(text, [text[: len(text) // 2], text[1:]])
    ],
    "graphs.text.noise.headers:telling": [
        lambda text: headers.telling(dict.fromkeys(headers.TELLING, text))
    ],
    "graphs.text.noise.headers:told_by_headers": [
        lambda text: headers.told_by_headers(dict.fromkeys(headers.TELLING, text))
    ],
    "graphs.text.noise.reading:reading_of": [
        lambda text: reading.reading_of(ticket(text), [text]),
        lambda text: reading.reading_of(ticket(f"I am out of the office {text}", text)),
    ],
    "graphs.text.noise.thanks:is_sign": [thanks.is_sign],
    "graphs.text.noise.thanks:is_thanks": [
        lambda text: thanks.is_thanks(text, "en", wordings.wordings()["en"], [text[:50]]),
        lambda text: thanks.is_thanks(text, "ja", wordings.wordings()["ja"], []),
    ],
    "graphs.text.noise.thanks:agrees_to_thanks": [
        lambda text: thanks.agrees_to_thanks(text, wordings.wordings())
    ],
    "graphs.text.noise.wordings:sentences": [wordings.sentences],
    "graphs.text.noise.wordings:folded": [wordings.folded],
    "graphs.text.noise.wordings:in_words": [lambda text: wordings.in_words(text, "en")],
    "graphs.text.noise.wordings:holds": [
        lambda text: wordings.holds(text, wordings.wordings()["en"]["matters"])
    ],
    "graphs.text.normalize:folded": [normalize.folded],
    "graphs.text.normalize:joined": [normalize.joined],
    "graphs.text.normalize:sentences": [normalize.sentences],
    "graphs.text.normalize:squeezed": [normalize.squeezed],
    "graphs.text.tokens:visible": [tokens.visible],
    "graphs.text.tokens:content_words": [tokens.content_words],
    "graphs.text.tokens:coverages": [lambda text: tokens.coverages(text, [ARTICLE["text"]] * 4)],
    "graphs.text.tokens:numbers": [tokens.numbers],
    "graphs.ticket_parts:clauses": [ticket_parts.clauses],
    "graphs.ticket_parts:places": [
        lambda text: ticket_parts.places([text, text[1:], text[: len(text) // 2]], text),
        lambda text: ticket_parts.places(["ab ab ab x", f"{text[:200]}!"], text),
    ],
    "graphs.ticket_parts:spans_of": [lambda text: list(ticket_parts.spans_of(text[:99], text))],
    "graphs.ticket_parts:slices": [
        lambda text: ticket_parts.slices(
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
