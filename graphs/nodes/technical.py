"""technical: find articles about what does not work. May search articles, nothing else."""

import re
from collections.abc import Sequence

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.findings import articles_finding
from graphs.questions import asked_questions, may_ask_back
from graphs.state import AskedBack, SupportState
from graphs.text.phrases import WHICH_CODE
from graphs.ticket_parts import part_for
from tools.models import JsonObject, Passage

# So many of the best passages, each about a code of its own, and the code decides.
RIVALS = 2
# "E42", "ERR_1234", "0x80070057": what people copy from an error message.
ERROR_CODE = re.compile(r"\b(?:[A-Z]{1,5}[-_]?\d{2,6}|0x[0-9A-Fa-f]{4,8})\b")


async def technical(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Search by the ticket's words, and by each error code on its own."""
    ticket = part_for(state, "technical")
    text = f"{ticket['subject']}\n{ticket['body']}"
    codes = list(dict.fromkeys(ERROR_CODE.findall(text)))[:4]
    finding = await articles_finding(runtime.context, "technical", state, codes)
    if not codes and may_ask_back(state, "technical"):
        finding = {**finding, "asked": which_code(state, finding["passages"])}
    return {"findings": {"technical": finding}}


def which_code(state: SupportState, passages: Sequence[Passage]) -> list[AskedBack]:
    """What to ask the customer, when what fits best are articles about different error codes."""
    codes = [ERROR_CODE.findall(passage["title"]) for passage in passages[:RIVALS]]
    known = list(dict.fromkeys(code for found in codes for code in found))
    if len(codes) < RIVALS or not all(codes) or len(known) < RIVALS:
        return []
    triage = state["triage"]
    text = WHICH_CODE.fill(triage["language"] if triage else None, choices=", ".join(known))
    asked = [q for q in asked_questions(state) if q["intent"] == "technical"]
    return [{"question": question["id"], "text": text} for question in asked[:1]]
