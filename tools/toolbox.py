"""The toolbox: every call passes grant -> gate -> ledger -> call, in this order, here only."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tools.effect import Effect
from tools.errors import (
    InvalidArgsError,
    NotTriedError,
    PermissionDeniedError,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
)
from tools.ledger import Call, Gate, Ledger
from tools.models import JsonObject
from tools.ports import Caller, Ports
from tools.tool import Permission, Tool

AnyTool = Tool[Any] | Effect[Any]
# How long a cancelled run waits for the answer to a call that it already made.
EFFECT_GRACE_SECONDS = 15


async def nothing_to_wait_for() -> None:
    """Where no checkpoint is written, none can be missing."""


# Makes a call of a tool, shows it, for one in a trace, and answers what it answers.
Watch = Callable[[str, JsonObject, Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def unwatched(_name: str, _args: JsonObject, call: Callable[[], Awaitable[Any]]) -> Any:
    """Make the call, and show it nowhere."""
    return await call()


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One granted effect about to happen, and what a strategy may do about it.

    `durable` waits for the checkpoints that led here: no effect may begin before they are stored,
    or a crash would plan again what is already done.
    """

    effect: Effect[Any]
    args: BaseModel
    call: Call
    ports: Ports
    caller: Caller
    gate: Gate
    ledger: Ledger
    durable: Callable[[], Awaitable[None]]

    async def carry_out(self) -> Any:
        """Gate, ledger, call: at most once per business key. Raises what `Toolbox.call` does."""
        await self.durable()
        permit = await self.gate.permit(self.call) if self.effect.gated else None
        entry = await self.ledger.begin(self.call, permit)
        key = self.call.key
        if not entry.own and entry.status != "failed":
            raise RefusedError(f"{key} was already carried out by another run of the ticket")
        if entry.status == "done":
            return entry.result
        if entry.status == "failed":
            raise RefusedError(entry.error or f"{key} was refused before")
        if entry.fresh:
            return await self._first_call()
        return await self._clear_up(may_repeat=not entry.elsewhere)

    async def look_up(self) -> Any:
        """Learn from the outside system how an earlier call ended; never call twice."""
        if (result := await self._found()) is not None:
            return result
        raise self._unknown()

    def _unknown(self) -> UnknownOutcomeError:
        return UnknownOutcomeError(f"{self.call.key} was started and its outcome is unknown")

    async def _first_call(self) -> Any:
        try:
            result = await self.effect.run(self.args, self.ports, self.caller, self.call.key)
        except RefusedError as refusal:
            await self.ledger.fail(self.call.key, str(refusal))
            raise
        await self.ledger.finish(self.call.key, result)
        return result

    async def _clear_up(self, *, may_repeat: bool) -> Any:
        """Look for a call of unknown end; make it again where the port promises that it may be."""
        if (result := await self._found()) is not None:
            return result
        if not may_repeat or not self.effect.may_repeat(self.ports):
            raise self._unknown()
        try:
            result = await self.effect.run(self.args, self.ports, self.caller, self.call.key)
        except NotTriedError as error:
            # It says nothing about the earlier call.
            raise UnavailableError(str(error)) from error
        except RefusedError as refusal:
            # Perhaps since the earlier call has arrived only now.
            if (result := await self._found()) is not None:
                return result
            await self.ledger.fail(self.call.key, str(refusal))
            raise
        await self.ledger.finish(self.call.key, result)
        return result

    async def _found(self) -> Any | None:
        """What the outside system knows of the call, noted in the ledger; None when nothing."""
        key = self.call.key
        try:
            result = await self.effect.look_up(self.args, self.ports, key)
        except RefusedError as refusal:
            await self.ledger.fail(key, str(refusal))
            raise
        if result is not None:
            await self.ledger.finish(key, result)
        return result

    async def problem(self) -> str | None:
        """Why the call would be refused as the world is now, or None."""
        if self.effect.check is None:
            return None
        return await self.effect.check(self.args, self.ports, self.caller)

    async def doubts(self) -> list[str]:
        """Why a person must look at the call as the world is now, whatever the limits are."""
        if self.effect.doubts is None:
            return []
        return await self.effect.doubts(self.args, self.ports, self.caller)

    def simulated(self) -> JsonObject:
        """What the call would have answered, marked as what never happened."""
        return {**self.effect.simulate(self.args), "simulated": True}


# What becomes of a granted call: see tools/strategies.py.
Strategy = Callable[[EffectCall], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools as one node of one run may use them.

    `guard` is entered around each call; it turns what ends the run's attempt into errors that no
    node handles.
    """

    node: str
    grants: Collection[Permission]
    tools: Mapping[str, AnyTool]
    ports: Ports
    caller: Caller
    gate: Gate
    ledger: Ledger
    strategy: Strategy
    guard: Callable[[], AbstractContextManager[None]] = nullcontext
    durable: Callable[[], Awaitable[None]] = nothing_to_wait_for
    watch: Watch = unwatched

    async def call(
        self,
        tool: AnyTool | str,
        args: JsonObject,
        *,
        step_id: str | None = None,
        needs_person: bool = False,
    ) -> Any:
        """Do what the tool does, at most once per business key, and answer its plain-JSON result.

        A plan's step names its effect; code that speaks of one tool passes the object. With
        `needs_person` nothing but a person's approval permits a gated effect.

        Raises:
            PermissionDeniedError, InvalidArgsError, ApprovalRequiredError, RunLostError,
                EffectsPausedError: nothing was tried.
            RefusedError: the outside system said no; nothing happened.
            UnknownOutcomeError: an earlier call under this key began, cannot be found, and the
                port does not promise that it may be made again.
            UnfinishedError: a part is done; the same call again goes on.
            UnavailableError: the outside system did not answer; try again later.
        """
        with self.guard():
            granted = self._granted(tool)
            return await self.watch(
                granted.name, args, lambda: self._make(granted, args, step_id, needs_person)
            )

    async def _make(
        self, granted: AnyTool, args: JsonObject, step_id: str | None, needs_person: bool
    ) -> Any:
        parsed = _parse(granted, args)
        if isinstance(granted, Tool):
            return await granted.run(parsed, self.ports, self.caller)
        call = self._about_to(granted, parsed, step_id, needs_person)
        return await _finish_despite_cancel(self.strategy(call))

    async def problem(self, tool: AnyTool | str, args: JsonObject) -> str | None:
        """Why this call would be refused as the world is now, or None; has no effect.

        What this run itself began is no problem: the ledger answers for it.

        Raises:
            PermissionDeniedError, InvalidArgsError, UnavailableError.
        """
        with self.guard():
            granted = self._granted(tool)
            parsed = _parse(granted, args)
            if isinstance(granted, Tool):
                return None
            call = self._about_to(granted, parsed, None, False)
            entry = await self.ledger.find(call.call.key)
            if entry is not None and entry.own:
                return None
            if entry is not None and entry.status != "failed":
                return f"{granted.name} was already carried out by another run of the ticket"
            return await call.problem()

    async def doubts(self, tool: AnyTool | str, args: JsonObject) -> list[str]:
        """Why a person must look at this call as the world is now; has no effect.

        Nothing stands against what this run itself began.

        Raises:
            PermissionDeniedError, InvalidArgsError, UnavailableError.
        """
        with self.guard():
            granted = self._granted(tool)
            parsed = _parse(granted, args)
            if isinstance(granted, Tool):
                return []
            call = self._about_to(granted, parsed, None, False)
            entry = await self.ledger.find(call.call.key)
            return [] if entry is not None and entry.own else await call.doubts()

    def _granted(self, tool: AnyTool | str) -> AnyTool:
        name = tool if isinstance(tool, str) else tool.name
        found = self.tools.get(name)
        if found is None or found.permission not in self.grants or not found.open_to(self.caller):
            raise PermissionDeniedError(f"node {self.node!r} may not call {name!r}")
        return found

    def _about_to(
        self, effect: Effect[Any], args: BaseModel, step_id: str | None, needs_person: bool
    ) -> EffectCall:
        money = effect.moves(args)
        call = Call(
            tool=effect.name,
            key=effect.key(args, self.caller),
            args=args.model_dump(mode="json"),
            step_id=step_id,
            amount_minor=money.amount_minor if money else None,
            currency=money.currency if money else None,
            needs_person=needs_person,
            at_provider=effect.at_provider,
        )
        return EffectCall(
            effect, args, call, self.ports, self.caller, self.gate, self.ledger, self.durable
        )


def _parse(tool: AnyTool, args: JsonObject) -> BaseModel:
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
