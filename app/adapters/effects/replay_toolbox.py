"""The door as a replay uses it: what was done is answered from the ledger and never done again."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from app.adapters.effects.attempt_toolbox import AttemptToolbox
from tools.errors import ApprovalRequiredError, RefusedError, UnknownOutcomeError
from tools.ledger import Call, Entry
from tools.models import JsonObject
from tools.tool import Tool

# How a review names its one step; the node that sends knows no steps.
REPLY_STEP = "reply"


class ReplayToolbox(AttemptToolbox):
    """Does only what an approval of the replay itself names; replies and hand-offs are simulated.

    A gated call without such an approval is refused at the gate, as for every run.
    """

    async def _once(self, tool: Tool[Any], parsed: BaseModel, call: Call) -> Any:
        entry = await self.ledger.find(call.key)
        # A mailing is begun once and called slice after slice; the gate is asked each time.
        goes_on = entry and entry.status == "started" and tool.gated and tool.repeatable
        if entry is not None and entry.own and not goes_on:
            return await self._known(tool, call, entry)
        if tool.gated or await self._approved(call):
            return await super()._once(tool, parsed, call)
        return simulated(tool, parsed)

    async def _known(self, tool: Tool[Any], call: Call, entry: Entry) -> Any:
        if entry.status == "started":
            return await self._recall(tool, call)
        return answer_of(call, entry)

    async def _approved(self, call: Call) -> bool:
        try:
            await self.gate.permit(replace(call, step_id=call.step_id or REPLY_STEP))
        except ApprovalRequiredError:
            return False
        return True


class RehearsalToolbox(AttemptToolbox):
    """Changes nothing anywhere: a dry run's effects are looked up, or simulated."""

    async def _once(self, tool: Tool[Any], parsed: BaseModel, call: Call) -> Any:
        entry = await self.ledger.find(call.key)
        if entry is not None and entry.own:
            return answer_of(call, entry)
        if entry is not None and entry.status != "failed":
            raise RefusedError(f"{call.key} was already carried out by another run of the ticket")
        if tool.check and (problem := await tool.check(parsed)):
            raise RefusedError(problem)
        return simulated(tool, parsed)


def answer_of(call: Call, entry: Entry) -> JsonObject | None:
    """How a call ended. Raises RefusedError, UnknownOutcomeError as the call did."""
    if entry.status == "started":
        raise UnknownOutcomeError(f"{call.key} was started and its outcome is unknown")
    if entry.status == "failed":
        raise RefusedError(entry.error or f"{call.key} was refused before")
    return entry.result


def simulated(tool: Tool[Any], parsed: BaseModel) -> JsonObject:
    """What the call would have answered, marked as what never happened."""
    assert tool.simulate is not None, "every tool with a key tells what it would answer"
    return {**tool.simulate(parsed), "simulated": True}
