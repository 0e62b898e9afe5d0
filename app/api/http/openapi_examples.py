"""A believable example of every answer for the OpenAPI document; a test checks each."""

from typing import Any, get_args

from app.api.schemas.runs import ExpandRun
from graphs.policy import Policy
from tools.billing import REFUND

RUN_ID = "01a20147-a34d-7187-9cc4-a3723facf2c8"
APPROVAL_ID = "01a20147-a3aa-728a-9a39-1cf480623d07"
THREAD_ID = "8fd85f40-eac4-5562-becd-0f578a29c8fe"
DIGEST = "7df560f27c152ca487089cc50ff76a0752b2cd3ba5d421929256309be2125737"
EARLY, LATER, TOMORROW = "2026-11-22T09:00:00Z", "2026-11-22T09:00:01Z", "2026-11-23T09:00:01Z"

STEP: dict[str, Any] = {
    "id": "refund-pay_1002",
    "tool": REFUND.name,
    "args": {
        "payment_id": "pay_1002",
        "amount_minor": 4900,
        "currency": "USD",
        "reason": "pay_1002 repeats pay_1001: Pro plan, 49.00 USD",
    },
    "editable": ["amount_minor"],
    "reason": "pay_1002 repeats pay_1001: Pro plan, 49.00 USD",
    "risk": "moves 49.00 USD to the customer",
    "evidence": [
        {
            "kind": "payment",
            "id": "pay_1002",
            "summary": "Pro plan: 49.00 USD captured on 2026-11-21, 0.00 USD refunded so far",
        }
    ],
}
APPROVAL: dict[str, Any] = {
    "id": APPROVAL_ID,
    "run_id": RUN_ID,
    "ticket_id": "T-1001",
    "kind": "plan",
    "status": "pending",
    "steps": [STEP],
    "reasons": ["refunds of 49.00 USD in 24 hours exceed the limit of 0.00 USD"],
    "digest": DIGEST,
    "verdicts": ["approve", "edit", "reject", "respond"],
    "answer_schema": {"type": "object", "required": ["approval_id", "digest", "verdict"]},
    "required_approvers": 1,
    "decisions": [],
    "changed": [],
    "round": 0,
    "newer_messages": [],
    "created_at": LATER,
    "expires_at": TOMORROW,
    "on_expiry": "Nothing is done; the ticket is handed to a person.",
    "reminded_at": None,
}
RUN: dict[str, Any] = {
    "id": RUN_ID,
    "thread_id": THREAD_ID,
    "ticket_id": "T-1001",
    "customer_id": "cus_ann",
    "status": "interrupted",
    "outcome": None,
    "intents": ["billing"],
    "urgency": "normal",
    "anger": 0.0,
    "language": "en",
    "tier": None,
    "plan": [STEP],
    "approvals": [APPROVAL],
    "reply": None,
    "verdicts": [],
    "effects": [],
    "escalation": None,
    "handoff": None,
    "ignored": None,
    "set_apart": [],
    "feedback": [],
    "error": None,
    "attempt": 1,
    "policy_version": 0,
    "cache_hit": False,
    "cost_usd": 0.0004,
    "tokens": 812,
    "metadata": {"source": "web"},
    "created_at": EARLY,
    "not_before": EARLY,
    "started_at": EARLY,
    "finished_at": None,
    "cancel_requested_at": None,
    "queued_reason": None,
    "queue_position": None,
    "merged_into": None,
    "replay_of": None,
    "dry_run": False,
    "trace_id": "01a20147-a364-70b5-97ad-29c60cfe9c9d",
    "trace_url": None,
    "links": {
        "self": f"/v1/runs/{RUN_ID}",
        "steps": f"/v1/runs/{RUN_ID}/steps",
        "thread": "/v1/threads/T-1001",
    },
}
LISTED_APPROVAL: dict[str, Any] = {
    name: value
    for name, value in APPROVAL.items()
    if name not in ("answer_schema", "newer_messages")
}
LISTED_RUN: dict[str, Any] = {
    name: value for name, value in RUN.items() if name not in get_args(ExpandRun)
}
QUEUED: dict[str, Any] = {
    **RUN,
    "status": "pending",
    "intents": [],
    "urgency": None,
    "anger": None,
    "language": None,
    "plan": [],
    "approvals": [],
    "attempt": 0,
    "cost_usd": 0.0,
    "tokens": 0,
    "not_before": LATER,
    "started_at": None,
    "trace_id": None,
    "queued_reason": "customer_rate",
    "queue_position": 3,
}
REPLAY: dict[str, Any] = {
    **QUEUED,
    "id": "01a20147-c0de-7187-9cc4-a3723facf2c8",
    "thread_id": "0b9a4a3c-2d0d-5a57-8f7e-3f3a1b2c4d5e",
    "queued_reason": None,
    "queue_position": None,
    "replay_of": RUN_ID,
    "dry_run": True,
    "links": {
        "self": "/v1/runs/01a20147-c0de-7187-9cc4-a3723facf2c8",
        "steps": "/v1/runs/01a20147-c0de-7187-9cc4-a3723facf2c8/steps",
        "thread": "/v1/threads/T-1001",
        "diff": "/v1/runs/01a20147-c0de-7187-9cc4-a3723facf2c8/diff",
    },
}
_SIDE: dict[str, Any] = {
    "id": RUN_ID,
    "status": "success",
    "outcome": "answered",
    "nodes": ["classify", "technical", "plan", "respond", "check", "send"],
    "intents": ["technical"],
    "plan": [],
    "draft": "Sign out, sign in again, and upload once more.",
    "tokens": 812,
    "cost_usd": 0.0004,
}
DIFF: dict[str, Any] = {
    "base": _SIDE,
    "run": {
        **_SIDE,
        "id": "01a20147-c0de-7187-9cc4-a3723facf2c8",
        "draft": "Sign out, wait a minute, and upload once more.",
        "tokens": 400,
        "cost_usd": 0.0002,
    },
    "same": False,
    "changed": ["draft"],
    "nodes": [{"change": "same", "nodes": _SIDE["nodes"]}],
    "draft": [
        "@@ -1 +1 @@",
        "-Sign out, sign in again, and upload once more.",
        "+Sign out, wait a minute, and upload once more.",
    ],
    "tokens": -412,
    "cost_usd": -0.0002,
}
RUN_STEP: dict[str, Any] = {
    "node": "plan",
    "attempt": 1,
    "tries": 1,
    "status": "success",
    "started_at": EARLY,
    "duration_ms": 2,
    "input": {"run_id": RUN_ID},
    "output": {"plan": {"steps": [STEP], "gate": APPROVAL["reasons"]}},
    "error": None,
    "checkpoint_id": "1f1e6241-e46b-61b7-8000-910572b07780",
    "model_calls": [],
    "tokens": 0,
    "cost_usd": 0.0,
    "trace_url": None,
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "author": "customer",
    "text": "I was charged twice for my Pro plan this month, please refund one of them",
    "citations": [],
    "public": True,
    "run_id": RUN_ID,
    "created_at": EARLY,
}
THREAD: dict[str, Any] = {
    "thread_id": THREAD_ID,
    "ticket_id": "T-1001",
    "handled_by": None,
    "handled_since": None,
    "messages": [MESSAGE],
    "runs": [LISTED_RUN],
}
FEEDBACK: dict[str, Any] = {
    "id": "01a20147-c1d2-7e43-8a70-8f1e4d6b0f32",
    "ticket_id": "T-1001",
    "run_id": RUN_ID,
    "scale": "stars",
    "score": 2,
    "comment": "That was not my question.",
    "created_at": LATER,
}
HANDED_BACK: dict[str, Any] = {
    "thread_id": THREAD_ID,
    "ticket_id": "T-1001",
    "handled_by": None,
    "handled_since": None,
}
TAKEN_OVER = {**HANDED_BACK, "handled_by": "Mia", "handled_since": LATER, "begun": 0}
ARTICLE: dict[str, Any] = {
    "id": "opening-hours",
    "title": "Opening hours",
    "content": "We are open from 9 to 5.",
    "language": "en",
    "questions": ["When are you open?"],
    "version": 1,
    "updated_at": EARLY,
}
LISTED_ARTICLE: dict[str, Any] = {k: v for k, v in ARTICLE.items() if k != "content"}
POLICY: dict[str, Any] = {
    **Policy(refund_auto_limit={"USD": 5000}).model_dump(mode="json"),
    "version": 3,
    "created_at": EARLY,
    "created_by": "Team lead",
}

ERASURE: dict[str, Any] = {
    "id": "01a20147-b0c1-7d31-8f6a-7f0d3c5a9e21",
    "pseudonym": "erased 5f1c0a3be1d94f0c8a7de2b64f90c1d3",
    "erased_by": "e155576094d0",
    "erased_at": LATER,
    "erased": {
        "messages": 6,
        "feedback": 1,
        "summaries": 1,
        "steps": 21,
        "approvals": 1,
        "decisions": 1,
        "handoffs": 1,
        "takeovers": 0,
        "rates": 1,
        "contacts": 1,
        "mail_recipients": 0,
        "checkpoint_writes": 60,
        "checkpoint_blobs": 54,
        "checkpoints": 24,
        "runs": 3,
    },
    "pseudonymised": {"ledger": 4},
    "not_recalled": {"traces": 3},
}


EVENTS = (
    "retry: 1000\n\n"
    f"id: 7421-88\nevent: run.started\n"
    f'data: {{"type": "run.started", "run_id": "{RUN_ID}", "at": "{EARLY}", '
    '"data": {"status": "running", "ticket_id": "T-1001", '
    '"attempt": 1}}\n\n'
)
PAUSE: dict[str, Any] = {
    "paused": True,
    "pauses": [{"scope": "tenant", "paused_at": EARLY, "paused_by": "Team lead"}],
    "in_flight": 0,
}
METRICS = (
    "# HELP deskgraph_event_streams Event streams that are open.\n"
    "# TYPE deskgraph_event_streams gauge\n"
    "deskgraph_event_streams 2.0\n"
)
PROBLEM_MEANING = {
    "code": "stale-digest",
    "status": 412,
    "title": "The digest is not what is open now",
    "detail": "The digest is not that of the open plan.",
}
INDEX: dict[str, Any] = {
    "name": "deskgraph",
    "version": "0.1.0",
    "api": "/v1",
    "links": {
        "docs": "/docs",
        "openapi": "/openapi.json",
        "healthz": "/healthz",
        "readyz": "/readyz",
        "metrics": "/metrics",
    },
}
# By name, in the path, the query or a header; one with an address counts there.
PARAMETERS: dict[str, Any] = {
    "run_id": RUN_ID,
    "approval_id": APPROVAL_ID,
    "handoff_id": "01a20147-a3aa-728a-9a39-1cf480623d08",
    "item_id": APPROVAL_ID,
    "endpoint_id": "01a20147-a3aa-728a-9a39-1cf480623d0b",
    "agent_id": "ag_mia",
    "callback_id": "01a20147-a3aa-728a-9a39-1cf480623d09",
    "key_id": "7c1f0a3be1d9",
    "connection_id": "con_k5zq3v7hx2m4np6a",
    "change_id": "01a20147-b0c1-7d31-8f6a-7f0d3c5a9e23",
    "kind": "decision.made",
    "subject": f"run:{RUN_ID}",
    "since": EARLY,
    "until": TOMORROW,
    "ticket_id": "T-1001",
    "customer_id": "cus_ann",
    "article_id": "opening-hours",
    "code": "stale-digest",
    "with": RUN_ID,
    "langsmith-trace": "20261122T090000000000Z01a20147-c1d2-7e43-8a70-8f1e4d6b0f33",
    "q": "upload error E42",
    "language": "pt-BR",
    "status": "pending",
    "/v1/handoffs status": "open",
    "outcome": "ignored",
    "created_from": EARLY,
    "created_before": TOMORROW,
    "expand": ["plan", "approvals"],
    "/v1/approvals expand": ["answer_schema"],
    "/v1/articles expand": ["content"],
    "cursor": "IjAxYTIwMTQ3LWEzNGQtNzE4Ny05Y2M0LWEzNzIzZmFjZjJjOCI.qTs3kz",
    "force": True,
    "limit": 50,
    "wait": 10,
    "after": "7421-88",
    "token": "WyJhY21lIiwiZTE1NTU3NjA5NGQwIl0.aSs8kA.qTs3kz",
    "Last-Event-ID": "7421-88",
    "Idempotency-Key": "T-1001-msg-1",
    "If-Match": '"3"',
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """A last page with one item."""
    return {"items": [item], "next_cursor": None}
