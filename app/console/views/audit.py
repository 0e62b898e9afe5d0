"""Audit events as people read them: who, what, about which page of the console."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.db.tables.audit import AuditEvent, AuditSeal
from app.db.tables.tenants import Holder

# Subjects that have a page of their own.
PAGES = {
    "run": "/console/runs/",
    "approval": "/console/approvals/",
    "policy_change": "/console/policy-changes/",
}
ACTORS = {"service": "the service", "command_line": "the command line"}


@dataclass(frozen=True, slots=True)
class Row:
    """An event as a line; each subject with the address of its page, empty if it has none."""

    event: AuditEvent
    who: str
    subjects: list[tuple[str, str]]
    facts: str
    seal: AuditSeal | None


def rows_of(
    events: Sequence[AuditEvent],
    seals: Mapping[UUID, AuditSeal],
    names: Mapping[str, Holder],
) -> list[Row]:
    """The events in their order; a key is called by its name of now."""
    return [
        Row(
            event,
            _who(event, names),
            [(subject, _address(subject)) for subject in event.subjects],
            ", ".join(f"{name} {_plain(value)}" for name, value in event.facts.items()),
            seals.get(event.id),
        )
        for event in events
    ]


def _who(event: AuditEvent, names: Mapping[str, Holder]) -> str:
    key = event.actor_key
    if key is None:
        return ACTORS[event.actor]
    return f"{names[key].name} ({key})" if key in names else f"key {key}"


def _address(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return PAGES[kind] + name if kind in PAGES else ""


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
