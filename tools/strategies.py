"""Strategies for a permitted effect: carry it out, replay it or rehearse it."""

from dataclasses import replace
from typing import Any

from tools.errors import ApprovalRequiredError, RefusedError, UnknownOutcomeError
from tools.helpdesk import REPLY_STEP
from tools.ledger import Entry
from tools.toolbox import EffectCall


async def live(call: EffectCall) -> Any:
    """Carry it out, once."""
    return await call.carry_out()


async def replay(call: EffectCall) -> Any:
    """Answer what was done from the ledger, and do only what an approval of the replay names.

    Other replies and hand-offs are simulated; other gated calls are refused at the gate, as for
    every run.
    """
    entry = await call.ledger.find(call.call.key)
    # A mailing is begun once and called slice after slice; the gate is asked each time.
    mailing = call.effect.gated and call.effect.repeatable is True
    goes_on = entry and entry.status == "started" and mailing
    if entry is not None and entry.own and not goes_on:
        return await call.look_up() if entry.status == "started" else answer_of(call, entry)
    if call.effect.gated or await approved(call):
        return await call.carry_out()
    return call.simulated()


async def rehearse(call: EffectCall) -> Any:
    """Change nothing anywhere: a dry run's effects are looked up, or simulated."""
    entry = await call.ledger.find(call.call.key)
    if entry is not None and entry.own:
        return answer_of(call, entry)
    if entry is not None and entry.status != "failed":
        raise RefusedError(f"{call.call.key} was already carried out by another run of the ticket")
    if problem := await call.problem():
        raise RefusedError(problem)
    return call.simulated()


async def approved(call: EffectCall) -> bool:
    """Whether an approval of this run names the call; a reviewed reply's one step has no node."""
    try:
        await call.gate.permit(replace(call.call, step_id=call.call.step_id or REPLY_STEP))
    except ApprovalRequiredError:
        return False
    return True


def answer_of(call: EffectCall, entry: Entry) -> Any:
    """How the call ended. Raises RefusedError, UnknownOutcomeError as the call did."""
    if entry.status == "started":
        raise UnknownOutcomeError(f"{call.call.key} was started and its outcome is unknown")
    if entry.status == "failed":
        raise RefusedError(entry.error or f"{call.call.key} was refused before")
    return entry.result
