"""A stand-in for an OpenAI-compatible server: `POST /v1/chat/completions` with a JSON schema.

It answers well by default: the last payment is refunded, each question is answered by the first
sentence of the first article found for it, and every claim is supported. A test may
replace the answer to one question (the schema's name), or make the server fail, refuse with any
status and headers, be slow, or hang. It counts how many calls are open at once.
"""

import asyncio
import json
import re
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

JsonObject = dict[str, Any]

TRIAGE: JsonObject = {
    "intents": ["billing"],
    "questions": [],
    "urgency": "normal",
    "anger": 0.1,
    "language": "en",
    "wants_human": False,
    "confidence": 0.95,
    "nothing_asked": False,
}


class OpenAIDouble:
    """Keeps what is asked; every attribute may be changed between two calls."""

    def __init__(self) -> None:
        self.requests: list[JsonObject] = []
        self.reset()
        self.app = FastAPI()
        self.app.add_api_route("/v1/chat/completions", self._complete, methods=["POST"])

    def reset(self) -> None:
        """Answer well again, and forget what was asked."""
        self.requests.clear()
        self.answers: dict[str, Any] = {}
        self.failures: dict[str, int] = {}
        self.failure_message = "upstream exploded"
        # Statuses for the next calls, whatever they ask; each may bring headers of its own.
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.down = False
        self.slow_seconds = 0.0
        self.at_once = self.most_at_once = 0
        self.garbled: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.model: str | None = None
        self.usage: JsonObject | None = None

    def asked(self, question: str) -> list[JsonObject]:
        """The requests for one question, in their order."""
        return [request for request in self.requests if question_of(request) == question]

    async def _complete(self, request: Request) -> Response:
        body: JsonObject = await request.json()
        self.requests.append(body)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            return await self._answer(request, body)
        finally:
            self.at_once -= 1

    async def _answer(self, request: Request, body: JsonObject) -> Response:
        question = question_of(body)
        if self.slow_seconds:
            await asyncio.sleep(self.slow_seconds)
        if self.refusals or self.down:
            status, headers = self.refusals.pop(0) if self.refusals else (503, {})
            refusal = {"message": self.failure_message, "type": "refused", "code": None}
            return JSONResponse({"error": refusal}, status, headers)
        if question in self.hangs:
            await request.receive()  # nothing more comes until the client gives up
        if self.failures.get(question, 0) > 0:
            self.failures[question] -= 1
            failure = {"message": self.failure_message, "type": "server_error", "code": None}
            return JSONResponse({"error": failure}, 500)
        if question in self.garbled:
            return Response(self.garbled[question], media_type="application/json")
        answer = self.answers.get(question, GOOD[question])
        answer = answer(body) if callable(answer) else answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        usage = self.usage or count(json.dumps(body["messages"]), text)
        return JSONResponse(completion(self.model or body["model"], text, usage))


def question_of(body: JsonObject) -> str:
    """The name of the schema that is asked for; a MiniCheck model is asked for none."""
    if "response_format" not in body:
        return "MiniCheck"
    return str(body["response_format"]["json_schema"]["name"])


def completion(model: str, content: str, usage: JsonObject) -> JsonObject:
    """The wire form of an answer."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": usage,
    }


def count(asked: str, answered: str) -> JsonObject:
    """About four characters a token; half of the question comes from the provider's cache."""
    tokens_in, tokens_out = len(asked) // 4, len(answered) // 4
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": tokens_in // 2},
    }


def facts_of(body: JsonObject) -> JsonObject:
    """The facts message of a request."""
    facts: JsonObject = json.loads(body["messages"][1]["content"])["facts"]
    return facts


def ticket_of(body: JsonObject) -> JsonObject:
    """The ticket of a request: the last message that holds one."""
    tickets = [json.loads(m["content"]) for m in body["messages"] if '"ticket"' in m["content"]]
    ticket: JsonObject = tickets[-1]["ticket"]
    return ticket


def propose(body: JsonObject) -> JsonObject:
    """The last payment, in full, with all that the customer wrote as their wish."""
    return refund_of(body, facts_of(body)["payments"][-1])


def refund_of(body: JsonObject, paid: JsonObject) -> JsonObject:
    """A payment, in full."""
    refund = {
        "payment_id": paid["id"],
        "amount_minor": paid["amount_minor"],
        "reason": "The same plan was charged twice.",
        "wish": ticket_of(body)["body"][:2000],
    }
    return {"refunds": [refund], "cancellations": [], "candidates": [], "unsure": False}


def reply(body: JsonObject) -> JsonObject:
    """A claim for each question that an article was found for; code says what was done."""
    return reply_from(facts_of(body))


def reply_from(facts: JsonObject) -> JsonObject:
    """The same by the facts that the question holds."""
    claims, unanswered = [], []
    for question in facts["questions"]:
        found = [s for s in facts["sources"] if s["part"] == question["intent"]]
        if found := [source for source in found if source["kind"] == "article"]:
            claims.append(claim(question["id"], found[0]["id"], first_sentence(found[0]["text"])))
        else:
            unanswered.append(question["id"])
    return {"claims": claims, "unanswered": unanswered}


def claim(question: str, article: str, said: str, quote: str | None = None) -> JsonObject:
    """A claim that an article shows; without another quote it is the quote."""
    evidence = {"kind": "article", "id": article, "quote": quote or said}
    return {"question": question, "text": said, "evidence": [evidence]}


def first_sentence(text: str) -> str:
    """The first sentence of an article's text, its headings left out."""
    tickets = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return re.split(r"(?<=[.!?])\s", tickets[0].strip(), maxsplit=1)[0]


GOOD = {
    "Classification": lambda _body: TRIAGE,
    "Proposal": propose,
    "Reply": reply,
    "Support": {"supported": True, "reason": "It says so."},
    "MiniCheck": "Yes",
}
