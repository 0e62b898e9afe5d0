"""What a step is judged by, made again for the arguments that an edit left; no change elsewhere."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.ports.mailings import PostgresContacts
from tools.catalog import parsed


@dataclass(frozen=True, slots=True)
class TenantRecords:
    """What evidence is read from, within the transaction of the decision."""

    contacts: PostgresContacts


async def reassess_edited_steps(
    session: AsyncSession, tenant_id: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The steps after an edit; those with other arguments than before as they would be proposed.

    The next person who agrees reads the risk and the evidence of what they agree to.
    """
    records = TenantRecords(PostgresContacts(lambda: nullcontext(session), tenant_id))
    args = {step["id"]: step["args"] for step in before}
    return [
        step if step["args"] == args[step["id"]] else await _reassess(records, step)
        for step in after
    ]


async def _reassess(records: TenantRecords, step: dict[str, Any]) -> dict[str, Any]:
    if (known := parsed(step)) is None:
        return step
    effect, args = known
    shown = step["evidence"]
    if effect.evidence:
        shown = await effect.evidence(args, records, shown)
    return {**step, "risk": effect.risk(args, shown), "evidence": shown}
