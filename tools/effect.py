"""An effect: a change in the outside world, with its checks, wording, risk and replay."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple

from tools.models import Evidence, JsonObject, Step
from tools.ports import Caller, Ports, Records
from tools.rules import Rules
from tools.tool import A, Editable, Permission, any_caller, editable_fields
from tools.wording import Names, Sentence

# What the run makes of it: something done for the customer, a person who goes on, or the reply.
Kind = Literal["action", "handoff", "reply"]


class Money(NamedTuple):
    """What a call moves to the customer: minor units of an ISO 4217 currency."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[A]):
    """One thing that can be done to the world; not bound to any run, so code can speak of it.

    Doing it:
        key: the business fact behind a call, so that the ledger knows a repeat.
        run: does it once. Raises RefusedError when nothing happened.
        check: why a call would be refused as the world is now, or None; changes nothing.
        doubts: why a person must look at a call whatever the limits are, as the world is now.
        find: what the outside system knows of a call and its key after an unknown end, or None.
        repeatable: a call of unknown end may be made again under its key: always, or as the port
            that it uses promises. One that has a `find` is looked for first.
        at_provider: it is done at the tenant's payment provider: a call of unknown end is looked up
            at the provider where it was begun, and never made again at another one.
        simulate: what the call would have answered, for a run that may not make it.
        unfinished: why a person must go on after such a result, or None.

    People:
        gated: no call passes without a permit. Without `gate_reason` it always needs a person.
        gate_reason: why these arguments need a person by themselves, or None.
        money: what the arguments move; the sums of 24 hours and the second approver count it.
        recount: the arguments as the world counts them now, for the gate at the call.
        risk: what it does, in words for the one who must agree; from arguments and evidence.
        evidence: the evidence for arguments that a reviewer edited, when it depends on them.
        droppable: a plan may go on without it.

    Words:
        wording: what the customer reads, from arguments and result; empty: nothing.
        subject: what a step would have been about, when a reviewer dropped it.
        remembered: the effect in the memory of later tickets; else its name.
    """

    name: str
    permission: Permission
    args: type[A]
    key: Callable[[A, Caller], str]
    run: Callable[[A, Ports, Caller, str], Awaitable[Any]]
    simulate: Callable[[A], Any]
    risk: Callable[[A, Sequence[Evidence]], str]
    wording: Callable[[JsonObject, JsonObject, Names], Sequence[Sentence]]
    subject: Callable[[Step, Names], str]
    kind: Kind = "action"
    open_to: Callable[[Caller], bool] = any_caller
    check: Callable[[A, Ports, Caller], Awaitable[str | None]] | None = None
    doubts: Callable[[A, Ports, Caller], Awaitable[list[str]]] | None = None
    find: Callable[[A, Ports, str], Awaitable[Any | None]] | None = None
    repeatable: bool | Callable[[Ports], bool] = False
    at_provider: bool = False
    unfinished: Callable[[JsonObject], str | None] | None = None
    gated: bool = True
    gate_reason: Callable[[A, Rules], str | None] | None = None
    money: Callable[[A], Money] | None = None
    recount: Callable[[A, Ports, str], Awaitable[A]] | None = None
    evidence: Callable[[A, Records, Sequence[Evidence]], Awaitable[list[Evidence]]] | None = None
    droppable: bool = True
    remembered: Callable[[JsonObject, JsonObject], str] | None = None

    @property
    def editable(self) -> dict[str, Editable]:
        """The arguments that a reviewer may change, and how."""
        return editable_fields(self.args)

    def needs_person(self, args: A, rules: Rules) -> str | None:
        """Why a call needs a person whatever else is planned, or None."""
        if not self.gated:
            return None
        if self.gate_reason is None:
            return f"{self.name} always needs a person"
        return self.gate_reason(args, rules)

    async def look_up(self, args: A, ports: Ports, key: str) -> Any | None:
        """What the outside system knows of a call, where it was begun; None when nothing."""
        if self.find is None:
            return None
        where = await ports.where_begun(key) if self.at_provider else ports
        return await self.find(args, where, key)

    def may_repeat(self, ports: Ports) -> bool:
        """Whether a call of unknown end may be made again with these ports."""
        return self.repeatable(ports) if callable(self.repeatable) else self.repeatable

    def moves(self, args: A) -> Money | None:
        """What a call moves to the customer, or None when it moves no money."""
        return self.money(args) if self.money else None

    def step(self, id_: str, args: A, reason: str, evidence: Sequence[Evidence] = ()) -> Step:
        """A step of a plan that proposes this effect."""
        return {
            "id": id_,
            "tool": self.name,
            "args": args.model_dump(mode="json"),
            "editable": list(self.editable),
            "reason": reason,
            "risk": self.risk(args, evidence),
            "evidence": list(evidence),
        }
