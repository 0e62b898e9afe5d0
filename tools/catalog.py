"""Every tool there is, bound to the ports and the caller of one run."""

from typing import Any

from tools.billing import RefundArgs, read_payments, refund_payment
from tools.helpdesk import HandoffArgs, ReplyArgs, create_handoff, send_reply
from tools.knowledge import search_articles
from tools.ports import Billing, Caller, Helpdesk, Knowledge, Ledger
from tools.tool import Args, Tool

# The arguments of every tool with an effect: what a step of a plan holds, and a reviewer may edit.
ARGS: dict[str, type[Args]] = {
    "refund_payment": RefundArgs,
    "create_handoff": HandoffArgs,
    "send_reply": ReplyArgs,
}


def tools_for(
    caller: Caller, billing: Billing, helpdesk: Helpdesk, knowledge: Knowledge, ledger: Ledger
) -> dict[str, Tool[Any]]:
    """The tools by name; tenant and customer are bound here and cannot be chosen by a call."""
    tools: list[Tool[Any]] = [
        read_payments(billing, ledger, caller),
        refund_payment(billing, caller),
        search_articles(knowledge),
        create_handoff(helpdesk, caller),
        send_reply(helpdesk, caller),
    ]
    return {tool.name: tool for tool in tools}
