"""The models of a process: an endpoint with a circuit for each, and a share for every tenant."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from graphs.context import Models
from graphs.llm.circuit_breaker import Circuit
from graphs.state import Grounding, Role


@dataclass(frozen=True, slots=True)
class Hold:
    """What is set aside for one call from the budget of a UTC day; 1000000 is 1 US dollar."""

    model: str
    micro_usd: int
    day: date


class Meter(Protocol):
    """What a run and its tenant may spend."""

    async def hold(self, model: str, characters: int) -> Hold | None:
        """Set aside what such a call is expected to cost, or None when a budget is spent."""
        ...

    async def settle(self, hold: Hold, answer: AIMessage | None) -> None:
        """Replace a hold by what the answer did cost; without one it cost nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chat model. One without a circuit works in this process: it costs nothing and is there."""

    chat: BaseChatModel
    circuit: Circuit | None
    _asked: dict[type[BaseModel], Runnable[Any, Any]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The model's name, as its price is listed."""
        return str(getattr(self.chat, "model_name", "unknown"))

    def asked(self, schema: type[BaseModel]) -> Runnable[Any, Any]:
        """The chat model as it answers in that shape; made once, since that takes a millisecond."""
        if schema not in self._asked:
            self._asked[schema] = self.chat.with_structured_output(
                schema, method="json_schema", include_raw=True
            )
        return self._asked[schema]


@dataclass(frozen=True, slots=True)
class ModelPool:
    """The models of a process, each with one circuit for all runs."""

    tiers: Mapping[Role, Endpoint]
    fallbacks: tuple[Endpoint, ...]
    calls_per_tenant: int = 10
    wait_seconds: float = 8.0
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    @property
    def is_configured(self) -> bool:
        """Whether a model outside this process reads the tickets."""
        return self.tiers["fast"].circuit is not None

    def grounding(self, wanted: Grounding | None) -> Grounding:
        """What replies are held to: what the tenant wants; without a model there is one way."""
        return (wanted or "verified") if self.is_configured else "quotes"

    def slots(self, tenant_id: str) -> asyncio.Semaphore:
        """The calls that a tenant's runs in this process may have open; it serves in order."""
        return self._slots.setdefault(tenant_id, asyncio.Semaphore(self.calls_per_tenant))


def open_pool(
    models: Models,
    new_circuit: Callable[[str], Circuit] = lambda _model: Circuit(),
    **limits: Any,
) -> ModelPool:
    """One endpoint for each different model; `new_circuit` gets the model's name."""
    ends: dict[int, Endpoint] = {}
    verify = models.verify or models.fast
    for chat in (models.fast, models.strong, verify, models.second, models.fallback):
        if chat is not None and id(chat) not in ends:
            here = Endpoint(chat, None)
            far = chat is not models.fallback
            ends[id(chat)] = replace(here, circuit=new_circuit(here.name)) if far else here
    tiers: dict[Role, Endpoint] = {
        "fast": ends[id(models.fast)],
        "strong": ends[id(models.strong)],
        "verify": ends[id(verify)],
    }
    spare = (models.second, models.fallback)
    return ModelPool(tiers, tuple(ends[id(chat)] for chat in spare if chat), **limits)
