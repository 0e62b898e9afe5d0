"""Every tool there is, bound to the ports and the caller of one run."""

from typing import Any

from tools.billing import RefundArgs, read_payments, refund_payment
from tools.helpdesk import HandoffArgs, ReplyArgs, create_handoff, send_reply
from tools.knowledge import search_articles
from tools.mail import BulkMailArgs, preview_mail, read_audiences, send_bulk_mail
from tools.ports import Caller, Ports
from tools.subscriptions import CancelArgs, cancel_subscription, read_subscriptions
from tools.tool import Args, Tool

# The arguments of every tool with an effect: what a step of a plan holds, and a reviewer may edit.
ARGS: dict[str, type[Args]] = {
    "refund_payment": RefundArgs,
    "cancel_subscription": CancelArgs,
    "send_bulk_mail": BulkMailArgs,
    "create_handoff": HandoffArgs,
    "send_reply": ReplyArgs,
}


def tools_for(caller: Caller, ports: Ports) -> dict[str, Tool[Any]]:
    """The tools by name; tenant and customer are bound here and cannot be chosen by a call.

    For a caller who may not mail there are no tools for mail: no grant and no argument helps.
    """
    tools: list[Tool[Any]] = [
        read_payments(ports.billing, ports.ledger, caller),
        refund_payment(ports.billing, caller),
        read_subscriptions(ports.subscriptions, caller),
        cancel_subscription(ports.subscriptions, caller),
        search_articles(ports.knowledge),
        create_handoff(ports.helpdesk, caller),
        send_reply(ports.helpdesk, caller),
    ]
    if caller.may_mail:
        tools += [
            read_audiences(ports.contacts),
            preview_mail(ports.contacts),
            send_bulk_mail(ports.mailings, ports.mailer, caller),
        ]
    return {tool.name: tool for tool in tools}
