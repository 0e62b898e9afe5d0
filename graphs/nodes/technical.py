"""technical: find articles about what does not work. May search articles, nothing else."""

import re

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.findings import articles_finding
from graphs.state import SupportState
from graphs.ticket_parts import slice_of
from tools.models import JsonObject

# "E42", "ERR_1234", "0x80070057": what people copy from an error message.
ERROR_CODE = re.compile(r"\b(?:[A-Z]{1,5}[-_]?\d{2,6}|0x[0-9A-Fa-f]{4,8})\b")


async def technical(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Search by the ticket's words, and by each error code on its own."""
    ticket = slice_of(state, "technical")
    text = f"{ticket['subject']}\n{ticket['body']}"
    codes = list(dict.fromkeys(ERROR_CODE.findall(text)))[:4]
    finding = await articles_finding(runtime.context, "technical", state, codes)
    return {"findings": {"technical": finding}}
