"""The gate: reads approvals and the tenant's policy from rows that no model can write."""

from dataclasses import dataclass

from app.db.core.connections import Sessions
from app.db.effects.approvals import agreed_steps
from graphs.policy import Policy
from tools.catalog import EFFECTS
from tools.errors import ApprovalRequiredError
from tools.ledger import Call, Permit
from tools.ports import Caller, Ports


@dataclass(frozen=True, slots=True)
class PostgresGate:
    """Permits a call that an approval of this run names exactly, or that the policy covers."""

    sessions: Sessions
    caller: Caller
    policy: Policy
    ports: Ports

    async def permit(self, call: Call) -> Permit:
        """An approval first; else what the tenant's policy permits, unless the plan had to wait.

        That is a gated effect which needs no person by itself, as the world counts it now; if it
        moves money, within the customer's allowance, which the ledger counts and locks.
        """
        async with self.sessions() as session:
            agreed = await agreed_steps(session, self.caller.tenant_id, self.caller.run_id)
        for approval_id, people, step in agreed:
            if (step["id"], step["tool"], step["args"]) == (call.step_id, call.tool, call.args):
                second = self.policy.refund_second_approver_from.get(call.currency or "")
                return Permit(approval_id, below_minor=second if people < 2 else None)
        if not call.needs_person and await self._leaves_to_policy(call):
            if call.amount_minor is None:
                return Permit()
            limit = self.policy.refund_auto_limit.get(call.currency or "", 0)
            if 0 < call.amount_minor <= limit:
                return Permit(limit_minor=limit)
        raise ApprovalRequiredError(f"no person agreed to {call.tool} with these arguments")

    async def _leaves_to_policy(self, call: Call) -> bool:
        """Whether the effect is gated and these arguments need no person by themselves."""
        effect = EFFECTS.get(call.tool)
        if effect is None or not effect.gated:
            return False
        args = effect.args.model_validate(call.args)
        if effect.recount:
            args = await effect.recount(args, self.ports, call.key)
        if effect.needs_person(args, self.policy) is not None:
            return False
        return not (effect.doubts and await effect.doubts(args, self.ports, self.caller))
