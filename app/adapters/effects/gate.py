"""What people and the tenant's policy agreed to, read from rows that no model can write."""

from dataclasses import dataclass

from app.db.core.connections import Sessions
from app.db.effects import mailings
from app.db.effects.approvals import agreed_steps
from graphs.policy import Policy
from tools.errors import ApprovalRequiredError
from tools.ledger import Call, Permit
from tools.ports import Caller


@dataclass(frozen=True, slots=True)
class PostgresGate:
    """Permits a call that an approval of this run names exactly, or that the policy covers."""

    sessions: Sessions
    caller: Caller
    policy: Policy

    async def permit(self, call: Call) -> Permit:
        """An approval first; else what the tenant's policy leaves to nobody's judgement.

        That is a refund within the customer's allowance, which the ledger counts and locks, and a
        mailing to fewer people than `bulk_mail_gate_from`, counted here.
        """
        async with self.sessions() as session:
            agreed = await agreed_steps(session, self.caller.run_id)
        for approval_id, people, step in agreed:
            if (step["id"], step["tool"], step["args"]) == (call.step_id, call.tool, call.args):
                second = self.policy.refund_second_approver_from.get(call.currency or "")
                return Permit(approval_id, below_minor=second if people < 2 else None)
        limit = self.policy.refund_auto_limit.get(call.currency or "", 0)
        if call.amount_minor is not None and 0 < call.amount_minor <= limit:
            return Permit(limit_minor=limit)
        gate_from = self.policy.bulk_mail_gate_from
        if call.tool == "send_bulk_mail" and await self._reach(call) < gate_from:
            return Permit()
        raise ApprovalRequiredError(f"nobody agreed to {call.tool} with these arguments")

    async def _reach(self, call: Call) -> int:
        """How many the mailing reaches: those on its list once that is fixed, else all of now."""
        tenant_id = self.caller.tenant_id
        async with self.sessions() as session:
            listed = await mailings.tally(session, tenant_id, call.key)
            if listed:
                return sum(listed.values())
            return (await mailings.count_audience(session, tenant_id, call.args["audience"]))[0]
