"""The only way to a model: budget -> circuit -> slot -> call -> repair -> fallback."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from graphs.context import ModelAnswer, Question, T
from graphs.llm.circuit_breaker import Circuit
from graphs.llm.errors import (
    PROGRAMMING_ERRORS,
    BudgetSpentError,
    ModelBusyError,
    ModelError,
    ModelGoneError,
    ModelOutputError,
    ModelSkippedError,
    ModelUnavailableError,
)
from graphs.llm.pool import Endpoint, Meter, ModelPool
from graphs.llm.structured_output import asked_again
from graphs.state import Role, Tier

# If the budget does not cover a tier, the gateway asks the next one.
TIERS: dict[Role, tuple[Role, ...]] = {
    "strong": ("strong", "fast"),
    "fast": ("fast",),
    "verify": ("verify",),
}
# What decides whether a reply is sent with no person involved, by the name of its schema.
MODEL_ONLY = frozenset({"Classification", "Reply"})
# Calls of one run that are open at once, as a share of the tenant's: the rest wait their turn
# without counting as a tenant that is busy.
RUN_SHARE = 0.5
# Spreads the retries of runs that waited for the same Retry-After.
JITTER_SECONDS = 1.0


def open_gateway(pool: ModelPool, tenant_id: str, meter: Meter) -> "GuardedModels":
    """The gateway for one run of a tenant."""
    turns = asyncio.Semaphore(max(1, int(pool.calls_per_tenant * RUN_SHARE)))
    return GuardedModels(pool, pool.slots(tenant_id), meter, turns)


@dataclass(frozen=True, slots=True)
class GuardedModels:
    """The models of a pool as one run may use them."""

    pool: ModelPool
    slots: asyncio.Semaphore
    meter: Meter
    turns: asyncio.Semaphore

    async def answer(self, role: Role, question: Question[T], *, last_try: bool) -> ModelAnswer[T]:
        """See `ModelGateway`."""
        deadline = asyncio.get_running_loop().time() + question.seconds
        if role == "verify":
            # A verdict by another model would be none: whatever fails, a person goes on.
            return await self._first(role, question, deadline)
        if last_try:
            return await self._fall_back(role, question, deadline, "retries_spent")
        try:
            return await self._first(role, question, deadline)
        except (BudgetSpentError, ModelBusyError, ModelUnavailableError):
            raise
        except ModelError as error:
            return await self._fall_back(role, question, deadline, error.reason)

    async def _first(self, role: Role, question: Question[T], deadline: float) -> ModelAnswer[T]:
        """The role's own model, or when there is no money for it the cheaper one."""
        notes: dict[str, Any] = {"role": role}
        for tier in TIERS[role]:
            circuit = self.pool.tiers[tier].circuit
            try:
                return await self._ask(tier, self.pool.tiers[tier], question, deadline, notes)
            except BudgetSpentError as error:
                spent, notes = error, {**notes, "reason": error.reason}
            except ModelUnavailableError as error:
                if circuit and (circuit.is_open or circuit.wait_seconds > self.pool.wait_seconds):
                    # Trying again would not ask it either.
                    raise ModelSkippedError(error.reason) from error
                raise
        raise spent

    async def _fall_back(
        self, role: Role, question: Question[T], deadline: float, why: str
    ) -> ModelAnswer[T]:
        """The models that may answer in the place of the role's own, one after the other.

        The one in this process never takes the place of a configured model where that would let
        something be sent. Raises ModelGoneError when such a question got no answer.
        """
        configured = self.pool.tiers[role].circuit is not None
        model_only = configured and question.schema.__name__ in MODEL_ONLY
        failure: ModelError = ModelGoneError(why)
        for endpoint in self.pool.fallbacks:
            if model_only and endpoint.circuit is None:
                continue
            notes = {"role": role, "fallback": True, "reason": why}
            try:
                return await self._ask("fallback", endpoint, question, deadline, notes)
            except ModelBusyError:
                raise
            except ModelError as error:
                failure, why = error, error.reason
        if model_only and not isinstance(failure, BudgetSpentError):
            raise ModelGoneError(f"No configured model answered: {why}.") from failure
        raise failure

    async def _ask(
        self,
        tier: Tier,
        endpoint: Endpoint,
        question: Question[T],
        deadline: float,
        notes: dict[str, Any],
    ) -> ModelAnswer[T]:
        """One question, and when its answer breaks the schema once more with what is wrong."""
        notes = {**notes, "tier": tier}
        got = await self._call(endpoint, question, deadline, notes)
        if got["parsed"] is None and endpoint.circuit:
            again = asked_again(question.messages, str(got["parsing_error"]))
            repair = replace(question, messages=again)
            got = await self._call(endpoint, repair, deadline, {**notes, "repair": True})
        if not isinstance(got["parsed"], question.schema):
            raise ModelOutputError(f"{question.schema.__name__}: {got['parsing_error']}")
        return ModelAnswer(got["parsed"], tier, endpoint.name, local=endpoint.circuit is None)

    async def _call(
        self, endpoint: Endpoint, question: Question[T], deadline: float, notes: dict[str, Any]
    ) -> dict[str, Any]:
        """One call; nothing of the database is held while it lasts."""
        if endpoint.circuit is None:
            return await _invoke(endpoint, question, notes)
        characters = sum(len(str(message.content)) for message in question.messages)
        hold = await self.meter.hold(endpoint.name, characters)
        if hold is None:
            raise BudgetSpentError(f"The budget holds no further call of {endpoint.name}.")
        got: dict[str, Any] = {"raw": None}
        try:
            await self._patience(endpoint.circuit, deadline)
            async with self.turns, self._slot():
                with endpoint.circuit.call():
                    got = await _within(deadline, endpoint, question, notes)
        finally:
            await self.meter.settle(hold, got["raw"])
        return got

    async def _patience(self, circuit: Circuit, deadline: float) -> None:
        """Leave the provider alone for as long as it asked, if there is time for that."""
        if circuit.is_open:
            raise ModelSkippedError("circuit_open")
        wait = circuit.wait_seconds
        if wait > self.pool.wait_seconds:
            raise ModelSkippedError("retry_after")
        if wait:
            await asyncio.sleep(wait + random.uniform(0, JITTER_SECONDS))  # noqa: S311  # no secret
        if asyncio.get_running_loop().time() >= deadline:
            raise ModelSkippedError("out_of_time")

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """One of the tenant's calls at a time; who waits longest is next."""
        try:
            async with asyncio.timeout(self.pool.wait_seconds):
                await self.slots.acquire()
        except TimeoutError:
            raise ModelBusyError("Every model call that the tenant may make is in use.") from None
        try:
            yield
        finally:
            self.slots.release()


async def _within(
    deadline: float, endpoint: Endpoint, question: Question[T], notes: dict[str, Any]
) -> dict[str, Any]:
    """A call over the network: whatever ends it is a bug of ours or one of the model errors."""
    try:
        async with asyncio.timeout_at(deadline):
            return await _invoke(endpoint, question, notes)
    except (ModelError, *PROGRAMMING_ERRORS):
        raise
    except Exception as error:
        raise ModelUnavailableError(type(error).__name__) from error


async def _invoke(
    endpoint: Endpoint, question: Question[T], notes: dict[str, Any]
) -> dict[str, Any]:
    # The metadata is what the step's `model_calls` and the trace say about this call.
    metadata = {"model_call": notes, "tier": notes["tier"], "prompt_version": version_of(question)}
    got: Any = await endpoint.asked(question.schema).ainvoke(
        question.messages, {"metadata": metadata}
    )
    return dict(got)


def version_of(question: Question[Any]) -> str:
    """Twelve hex digits that change with the instructions; the schema's name is a part of them."""
    said = str(question.messages[0].content) if question.messages else ""
    return _digest(question.schema.__name__, said)


@lru_cache(maxsize=256)
def _digest(schema: str, instructions: str) -> str:
    return hashlib.sha256(f"{schema}\n{instructions}".encode()).hexdigest()[:12]
