"""The kinds of audit events, as the triggers of the migrations write them."""

from typing import Literal

Kind = Literal[
    "approval.opened",
    "approval.closed",
    "decision.made",
    "effect.begun",
    "effect.done",
    "effect.failed",
    "policy.changed",
    "policy_change.pending",
    "policy_change.confirmed",
    "policy_change.refused",
    "policy_change.expired",
    "policy_change.alone",
    "key.issued",
    "key.changed",
    "key.revoked",
    "connection.added",
    "connection.changed",
    "connection.removed",
    "ticket.taken_over",
    "ticket.handed_back",
    "pause.begun",
    "pause.ended",
    "customer.erased",
    "person.signed_in",
]
