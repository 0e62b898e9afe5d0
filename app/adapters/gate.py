"""What people and the tenant's policy agreed to, read from rows that no model can write."""

from dataclasses import dataclass

from app.db.approvals import agreed_steps
from app.db.engine import Sessions
from graphs.policy import Policy
from tools.errors import ApprovalRequiredError
from tools.ports import Call, Caller, Permit


@dataclass(frozen=True, slots=True)
class PostgresGate:
    """Permits a call that an approval of this run names exactly, or that the limit covers."""

    sessions: Sessions
    caller: Caller
    policy: Policy

    async def permit(self, call: Call) -> Permit:
        """An approval first; else the customer's allowance, which the ledger counts and locks."""
        async with self.sessions() as session:
            agreed = await agreed_steps(session, self.caller.run_id)
        for approval_id, step in agreed:
            if (step["id"], step["tool"], step["args"]) == (call.step_id, call.tool, call.args):
                return Permit(approval_id=approval_id)
        limit = self.policy.refund_auto_limit.get(call.currency or "", 0)
        if call.amount_minor is not None and 0 < call.amount_minor <= limit:
            return Permit(limit_minor=limit)
        raise ApprovalRequiredError(f"nobody agreed to {call.tool} {call.args}")
