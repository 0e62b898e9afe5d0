"""The policy: what needs a person, and which tools each node may call. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from graphs.policy_limits import Rates, Retention, TrainedTriage
from graphs.state import (
    Decision,
    DoneStep,
    Escalation,
    Finding,
    Grounding,
    Intent,
    Plan,
    Proposer,
    SupportState,
    Triage,
)
from tools.billing import READ_PAYMENTS
from tools.catalog import EFFECTS, money_of, parsed
from tools.helpdesk import HANDOFF, REPLY
from tools.knowledge import SEARCH_ARTICLES
from tools.mail import READ_AUDIENCES
from tools.models import Step
from tools.money import format_money
from tools.rules import Rules
from tools.subscriptions import READ_SUBSCRIPTIONS
from tools.tool import Permission

# A node without a line here may call no tool.
GRANTS: dict[str, frozenset[Permission]] = {
    "classify": frozenset(),
    "billing": frozenset({READ_PAYMENTS.permission, READ_SUBSCRIPTIONS.permission}),
    "technical": frozenset({SEARCH_ARTICLES.permission}),
    "general": frozenset({SEARCH_ARTICLES.permission, READ_AUDIENCES.permission}),
    "plan": frozenset(),
    "approve": frozenset(),
    # Whatever a plan may hold.
    "act": frozenset(effect.permission for effect in EFFECTS.values() if effect.kind != "reply"),
    "respond": frozenset(),
    "verify": frozenset(),
    "check": frozenset(),
    "review": frozenset(),
    "send": frozenset({REPLY.permission}),
    "escalate": frozenset({HANDOFF.permission, SEARCH_ARTICLES.permission}),
}

ModelName = Annotated[str, Field(min_length=1, max_length=200)]
MicroUsd = Annotated[int, Field(ge=0, le=10**15)]
Mode = Literal["auto", "draft"]
TraceContent = Literal["full", "redacted", "none"]
# The deterministic model of this service, which knows a few patterns and no meaning.
OFFLINE = "offline"
# How often a reviewer may ask for another plan or another draft.
MAX_ROUNDS = 3


class ReplyMode(BaseModel):
    """`draft`: the reply waits for a person. One intent in draft mode is enough."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    default: Mode = "auto"
    by_intent: dict[Intent, Mode] = Field(default_factory=dict)


class Budgets(BaseModel):
    """What models may cost, in millionths of a US dollar; None is no limit, 0 is no paid call."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    run_micro_usd: MicroUsd | None = None
    day_micro_usd: MicroUsd | None = None


class Policy(Rules):
    """A tenant's rules: those for effects, and those for everything else."""

    auto_approve_models: Annotated[list[ModelName], Field(max_length=50)] | None = Field(
        None,
        description="Models whose plans may be carried out without a person, within the limits; "
        "null: every configured model. Never `offline`, and never a fallback.",
    )
    reply_mode: ReplyMode = Field(
        default=ReplyMode(),
        description="`draft`: the reply waits for a person; by default, and for single intents.",
    )
    grounding: Grounding | None = Field(
        None,
        description="What a reply is held to: `quotes`, or claims that a model has `verified`; "
        "null: `verified` with a model, `quotes` without.",
    )
    approval_ttl_seconds: Annotated[int, Field(ge=60, le=30 * 86_400)] = Field(
        86_400, description="How long an approval waits for an answer until it expires."
    )
    anger_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        0.8, description="A ticket of this anger or more goes to a person."
    )
    confidence_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="A ticket goes to a person when triage is less sure of it than this."
    )
    budgets: Budgets = Field(
        default=Budgets(), description="What models may cost per run, and per tenant and UTC day."
    )
    without_model: Literal["handover", "wait"] = Field(
        "handover",
        description=(
            "When no configured model answers: `handover` gives the ticket to a person with a "
            "suggestion, `wait` tries the run again later."
        ),
    )
    trained_triage: TrainedTriage | None = Field(
        TrainedTriage(),
        description="How good the tenant's own trained model must be to triage in the place of "
        "another; null: it is not used.",
    )
    rates: Rates = Field(
        default=Rates(),
        description="How many runs a customer and the tenant may start; more wait.",
    )
    answer_cache_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] = Field(
        86_400, description="How long a reply may be given again to others; 0: never."
    )
    retention: Retention = Field(
        default=Retention(), description="After how many days details of finished runs are deleted."
    )
    trace_content: TraceContent = Field(
        "redacted",
        description="What traces in LangSmith hold of texts: `redacted` masks personal data, "
        "`full` secrets only, `none` leaves out inputs, outputs and messages of errors.",
    )
    trace_share: Annotated[float, Field(ge=0, le=1)] = Field(
        1, description="Share of the runs whose traces go to LangSmith, chosen by the run's id."
    )
    replies_per_thread_hour: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="Public replies that one thread may get within an hour; then a person."
    )
    replies_per_thread_day: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="Public replies that one thread may get within 24 hours; then a person."
    )
    handoff_hold_hours: Annotated[int | None, Field(ge=1, le=8760)] = Field(
        72, description="How long an open hand-off keeps the bot silent; null: until it is closed."
    )

    @field_validator("auto_approve_models")
    @classmethod
    def _without_offline(cls, models: list[str] | None) -> list[str] | None:
        if models and OFFLINE in models:
            raise ValueError("the offline model may not decide alone; name your own models")
        return models


def must_escalate(triage: Triage, policy: Policy) -> Escalation | None:
    """Why this ticket goes to a person whatever it asks for, or None."""
    if triage["wants_human"]:
        return {"reason": "human_requested", "detail": "The customer asks for a person."}
    if triage["anger"] >= policy.anger_threshold:
        anger = f"Anger {triage['anger']:.2f} reaches {policy.anger_threshold:.2f}."
        return {"reason": "anger", "detail": anger}
    if set(triage["intents"]) <= {"escalate"}:
        return {"reason": "not_ours", "detail": "No specialist fits this ticket."}
    if triage["confidence"] < policy.confidence_threshold:
        doubt = f"Confidence {triage['confidence']:.2f} is below {policy.confidence_threshold:.2f}."
        return {"reason": "unsure", "detail": doubt}
    return None


def money_totals(steps: Sequence[Step], spent: dict[str, int]) -> dict[str, int]:
    """Sum of what the plan moves and of what the customer already got, by currency moved.

    `spent` is minor units by currency over the last 24 hours, money that waits in other plans
    included: the limits count the sum, so several small refunds cannot slip under them.
    """
    wanted: Counter[str] = Counter()
    for money in filter(None, map(money_of, steps)):
        wanted[money.currency] += money.amount_minor
    return {code: amount + spent.get(code, 0) for code, amount in sorted(wanted.items())}


def gate(steps: Sequence[Step], policy: Policy, spent: dict[str, int]) -> list[str]:
    """Why a person must agree to these steps; empty when none needs to."""
    reasons = []
    for currency, total in money_totals(steps, spent).items():
        limit = policy.refund_auto_limit.get(currency, 0)
        if total > limit:
            reasons.append(
                f"refunds of {format_money(total, currency)} in 24 hours "
                f"exceed the limit of {format_money(limit, currency)}"
            )
    return reasons + [why for step in steps if (why := gate_on_step(step, policy))]


def gate_on_step(step: Step, policy: Policy) -> str | None:
    """Why this step needs a person whatever else is planned, or None."""
    if (known := parsed(step)) is None:
        return f"{step['tool']} cannot be carried out as it is planned"
    effect, args = known
    return effect.needs_person(args, policy)


def distrust(found: Iterable[Finding], policy: Policy) -> list[str]:
    """Why a person must agree because of the models that proposed these findings' gated steps, or
    because of what speaks against them."""
    gated = [f for f in found if any(is_gated(step) for step in f["steps"])]
    reasons = [distrusted(finding.get("proposer"), policy) for finding in gated]
    doubts = [why for finding in gated for why in finding.get("doubts", [])]
    return list(dict.fromkeys(filter(None, [*reasons, *doubts])))


def is_gated(step: Step) -> bool:
    """Whether a step may need a person; one of a tool that is unknown here always does."""
    return (effect := EFFECTS.get(step["tool"])) is None or effect.gated


def distrusted(proposer: Proposer | None, policy: Policy) -> str | None:
    """Why plans of this model need a person whatever they hold, or None."""
    if proposer is None:
        return "it is not known which model proposed it"
    model, trusted = proposer["model"], policy.auto_approve_models
    if model == OFFLINE:
        return "the offline model proposed it"
    if proposer["tier"] == "fallback":
        return f"{model} proposed it as a fallback"
    if trusted is not None and model not in trusted:
        return f"{model}, which proposed it, may not decide alone"
    return None


def approvers(steps: Sequence[Step], policy: Policy, spent: dict[str, int]) -> int:
    """How many different people must agree once a gate asks: two from the second threshold on."""
    second = policy.refund_second_approver_from
    totals = money_totals(steps, spent).items()
    return 2 if any(code in second and total >= second[code] for code, total in totals) else 1


def drafts_only(policy: Policy, intents: Sequence[Intent]) -> bool:
    """Whether the reply to such a ticket waits for a person."""
    mode = policy.reply_mode
    return any(mode.by_intent.get(intent, mode.default) == "draft" for intent in intents)


def verdicts(shown: Plan) -> list[str]:
    """What a reviewer may answer: no plain yes to what no longer fits, no wish without end."""
    offered = [] if shown["changed"] else ["approve"]
    offered += ["edit", "reject"]
    return [*offered, "respond"] if shown["round"] < MAX_ROUNDS else offered


def agreed(decision: Decision | None) -> bool:
    """Whether a person said yes to the plan, as it was or as they left it."""
    return decision is not None and decision["verdict"] in ("approve", "edit")


def waits(plan: Plan, decision: Decision | None) -> bool:
    """Whether a person must look at a plan that was on its way, before any of it is done."""
    return bool(plan["changed"] or (plan["gate"] and not agreed(decision)))


def wished(decision: Decision | None) -> bool:
    """Whether a person asked for another proposal."""
    return decision is not None and decision["verdict"] == "respond"


def plan_rejected(state: SupportState) -> bool:
    """Whether a person said no to the plan; a no to the reply leaves what was done as it is."""
    decision = state.get("decision")
    return decision is not None and decision["verdict"] == "reject" and not state.get("review")


def next_step(plan: Plan | None, done: list[DoneStep]) -> Step | None:
    """The first step of the plan that has not been carried out."""
    finished = {step["step_id"] for step in done}
    steps = plan["steps"] if plan else []
    return next((step for step in steps if step["id"] not in finished), None)
