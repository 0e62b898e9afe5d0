"""What a run gets and never stores: caller, policy, model gateway and toolbox."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import BaseModel

from graphs.policy import Policy
from graphs.reply.reusable_answer import CachedAnswer
from graphs.state import Grounding, Proposer, Role, Ticket, Tier, TrainedTriage
from tools.models import JsonObject
from tools.ports import Caller
from tools.toolbox import Toolbox

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Models:
    """Chat models by role; `second`, of another provider, and `fallback`, here, answer for both.

    Without a `verify` of its own the fast model verifies; no other model ever answers for it.
    """

    fast: BaseChatModel
    strong: BaseChatModel
    fallback: BaseChatModel
    second: BaseChatModel | None = None
    verify: BaseChatModel | None = None


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What a model is asked: messages, the shape of the answer, and for how long, in seconds."""

    schema: type[T]
    messages: list[BaseMessage]
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelAnswer(Generic[T]):
    """An answer in the shape asked for, which tier gave it, and the model's name.

    `local`: the model in this process gave it, whose rules are no judgement.
    """

    value: T
    tier: Tier
    model: str
    local: bool

    @property
    def proposer(self) -> Proposer:
        """Which model answered, as a finding keeps it."""
        return {"model": self.model, "tier": self.tier}


class ModelGateway(Protocol):
    """The only way to a model, as one run may use it."""

    async def answer(self, role: Role, question: Question[T], *, last_try: bool) -> ModelAnswer[T]:
        """Ask the model of that role, or on the last try the models that answer for it.

        For the role `verify` none does.

        Raises:
            ModelError: no model answered; which one says what to do next.
        """
        ...


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the answer cache says: the knowledge base's version now, and an answer or None.

    Without a version nothing that the run says is kept.
    """

    kb_version: int | None
    answer: CachedAnswer | None


class AnswerCache(Protocol):
    """Checked replies to questions that others asked, as this run may use them."""

    async def recall(self, ticket: Ticket) -> Recalled:
        """Look the ticket's question up; whatever fails is a miss, never an error."""
        ...


@dataclass(frozen=True, slots=True)
class OwnTriage:
    """A triage without a model call: `opinion` has the shape that classify asks a model for."""

    opinion: JsonObject
    trained: TrainedTriage


class OwnTriageModel(Protocol):
    """The model that the tenant trained on its own tickets. It reads, and holds no grants."""

    async def opinion(self, ticket: Ticket) -> OwnTriage | None:
        """Its triage, or None where a model must be asked; whatever fails is None."""
        ...


@dataclass(frozen=True, slots=True)
class SupportContext:
    """`toolbox(node)` is the toolbox as that node may use it.

    `grounding` is what the tenant's replies are held to. `own_triage` is the tenant's own trained
    model, where it has one.
    """

    caller: Caller
    policy: Policy
    models: ModelGateway
    toolbox: Callable[[str], Toolbox]
    answers: AnswerCache
    grounding: Grounding
    own_triage: OwnTriageModel | None = None
