"""What a step is judged by, made again for the arguments that an edit left; no change elsewhere."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.mailings import in_audience
from tools.billing import RefundArgs, refund_risk
from tools.mail import PreviewArgs, preview_text


async def reassess_edited_steps(
    session: AsyncSession, tenant_id: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The steps after an edit; those with other arguments than before as they would be proposed.

    Whoever agrees next reads the risk and the evidence of what they agree to.
    """
    args = {step["id"]: step["args"] for step in before}
    return [
        step if step["args"] == args[step["id"]] else await _reassess(session, tenant_id, step)
        for step in after
    ]


async def _reassess(session: AsyncSession, tenant_id: str, step: dict[str, Any]) -> dict[str, Any]:
    if step["tool"] == "refund_payment":
        return {**step, "risk": refund_risk(RefundArgs(**step["args"]))}
    if step["tool"] == "send_bulk_mail":
        told = {name: step["args"][name] for name in PreviewArgs.model_fields}
        text = await _preview(session, tenant_id, PreviewArgs(**told))
        shown = [{**e, "summary": text} if e["kind"] == "mail" else e for e in step["evidence"]]
        return {**step, "evidence": shown}
    return step


async def _preview(session: AsyncSession, tenant_id: str, args: PreviewArgs) -> str:
    """The mail as the first one who would get it now reads it; empty when nobody would."""
    first = (await session.scalars(in_audience(tenant_id, args.audience).limit(1))).first()
    if first is None:
        return ""
    return preview_text(args, {"id": first.id, "email": first.email, "name": first.name})
