"""The door: every tool call passes grant -> gate -> ledger -> call, in this order, here only."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tools.errors import (
    InvalidArgsError,
    PermissionDeniedError,
    RefusedError,
    UnknownOutcomeError,
)
from tools.ledger import Call, Gate, Ledger
from tools.models import JsonObject
from tools.tool import Permission, Tool

# How long a cancelled run waits for the answer to a call that it already made.
EFFECT_GRACE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools as one node of one run may use them."""

    node: str
    grants: Collection[Permission]
    tools: Mapping[str, Tool[Any]]
    gate: Gate
    ledger: Ledger

    async def call(self, name: str, args: JsonObject, *, step_id: str | None = None) -> Any:
        """Do what the tool does, at most once per business key, and answer its plain-JSON result.

        Raises:
            PermissionDeniedError, InvalidArgsError, ApprovalRequiredError, RunLostError,
                EffectsPausedError: nothing was tried.
            RefusedError: the outside system said no; nothing happened.
            UnknownOutcomeError: an earlier call under this key began and cannot be found.
            UnfinishedError: a part is done; the same call again goes on.
            UnavailableError: the outside system did not answer; try again later.
        """
        tool = self._granted(name)
        parsed = _parse(tool, args)
        if tool.key is None:
            return await tool.run(parsed, "")
        call = Call(
            tool=name,
            key=tool.key(parsed),
            args=parsed.model_dump(mode="json"),
            step_id=step_id,
            amount_minor=getattr(parsed, "amount_minor", None),
            currency=getattr(parsed, "currency", None),
        )
        return await _finish_despite_cancel(self._once(tool, parsed, call))

    async def problem(self, name: str, args: JsonObject) -> str | None:
        """Why this call would be refused as the world is now, or None; has no effect.

        What this run itself began is no problem: the ledger answers for it.

        Raises:
            PermissionDeniedError, InvalidArgsError, UnavailableError.
        """
        tool = self._granted(name)
        parsed = _parse(tool, args)
        entry = await self.ledger.find(tool.key(parsed)) if tool.key else None
        if entry is not None and entry.own:
            return None
        if entry is not None and entry.status != "failed":
            return f"{name} was already carried out by another run of the ticket"
        return await tool.check(parsed) if tool.check else None

    def _granted(self, name: str) -> Tool[Any]:
        tool = self.tools.get(name)
        if tool is None or tool.permission not in self.grants:
            raise PermissionDeniedError(f"node {self.node!r} may not call {name!r}")
        return tool

    async def _once(self, tool: Tool[Any], parsed: BaseModel, call: Call) -> Any:
        permit = await self.gate.permit(call) if tool.gated else None
        entry = await self.ledger.begin(call, permit)
        if not entry.own and entry.status != "failed":
            raise RefusedError(f"{call.key} was already carried out by another run of the ticket")
        if entry.status == "done":
            return entry.result
        if entry.status == "failed":
            raise RefusedError(entry.error or f"{call.key} was refused before")
        if not entry.fresh and not tool.repeatable:
            return await self._recall(tool, call)
        try:
            result = await tool.run(parsed, call.key)
        except RefusedError as refusal:
            await self.ledger.fail(call.key, str(refusal))
            raise
        await self.ledger.finish(call.key, result)
        return result

    async def _recall(self, tool: Tool[Any], call: Call) -> Any:
        """Learn from the outside system how an earlier call ended; never call twice."""
        result = await tool.find(call.key) if tool.find else None
        if result is None:
            raise UnknownOutcomeError(f"{call.key} was started and its outcome is unknown")
        await self.ledger.finish(call.key, result)
        return result


def _parse(tool: Tool[Any], args: JsonObject) -> BaseModel:
    try:
        parsed: BaseModel = tool.args.model_validate(args)
    except ValidationError as error:
        # Not the error's own text, which repeats the values.
        places = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        wrong = ", ".join(sorted(places & set(tool.args.model_fields))) or "an unknown argument"
        raise InvalidArgsError(f"{tool.name}: {wrong} does not fit its schema") from error
    return parsed


async def _finish_despite_cancel(effect: Coroutine[Any, Any, Any]) -> Any:
    """Let a begun effect reach its ledger row even when the run is cancelled meanwhile.

    One that does not end in time is left as `started`: an unknown outcome, for a person.
    """
    task = asyncio.ensure_future(effect)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=EFFECT_GRACE_SECONDS)
        task.cancel()
        raise
