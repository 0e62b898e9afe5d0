"""Reply to the customer, and hand a ticket to a person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from tools.models import Agent, Handoff, SentReply, Urgency
from tools.ports import Caller, Helpdesk
from tools.tool import REWRITABLE, Args, Permission, Tool


class ReplyArgs(Args):
    """The text the customer gets."""

    text: Annotated[str, Field(min_length=1, max_length=10_000), REWRITABLE]
    citations: Annotated[list[str], Field(max_length=20)]
    public: bool


class HandoffArgs(Args):
    """What a person needs to go on without asking again; `part` names a part of the ticket."""

    skill: Annotated[str, Field(min_length=1, max_length=50)]
    urgency: Urgency
    summary: Annotated[str, Field(min_length=1, max_length=20_000)]
    part: Annotated[str | None, Field(max_length=50)] = None


def send_reply(helpdesk: Helpdesk, caller: Caller) -> Tool[ReplyArgs]:
    """Post the run's one reply to its ticket."""

    async def run(args: ReplyArgs, key: str) -> SentReply:
        return await helpdesk.reply(
            caller.ticket_id, args.text, args.citations, public=args.public, key=key
        )

    def key(_args: ReplyArgs) -> str:
        return f"reply:{caller.effects_of}"

    def simulate(args: ReplyArgs) -> SentReply:
        return {
            "id": "simulated",
            "text": args.text,
            "citations": args.citations,
            "public": args.public,
        }

    return Tool(
        "send_reply",
        Permission.REPLY,
        ReplyArgs,
        run,
        key=key,
        repeatable=True,
        simulate=simulate,
    )


def create_handoff(helpdesk: Helpdesk, caller: Caller) -> Tool[HandoffArgs]:
    """Open the run's one hand-off of a part of the ticket, or of all of it."""

    async def run(args: HandoffArgs, key: str) -> Handoff:
        return await helpdesk.open_handoff(
            caller.ticket_id, args.skill, args.urgency, args.summary, key=key
        )

    def key(args: HandoffArgs) -> str:
        part = f":{args.part}" if args.part else ""
        return f"handoff:{caller.effects_of}{part}"

    def simulate(args: HandoffArgs) -> Handoff:
        return {
            "id": "simulated",
            "skill": args.skill,
            "urgency": args.urgency,
            "agent": None,
            "queue_position": None,
            "opens_at": None,
        }

    return Tool(
        "create_handoff",
        Permission.CREATE_TICKET,
        HandoffArgs,
        run,
        key=key,
        repeatable=True,
        simulate=simulate,
    )


def is_available(agent: Agent, now: datetime) -> bool:
    """Whether the agent is at work at `now` (any aware time), by their own clock.

    Hours that end at or before they begin run past midnight and belong to the day they began.
    """
    local = now.astimezone(ZoneInfo(agent["timezone"]))
    hour, day = local.hour, local.isoweekday()
    opens, closes = agent["opens_hour"], agent["closes_hour"]
    if opens < closes:
        on_shift = opens <= hour < closes
    else:
        on_shift = hour >= opens or hour < closes
        day = day if hour >= opens else (day - 2) % 7 + 1
    return not agent["away"] and on_shift and day in agent["weekdays"]


def pick_agent(
    agents: list[Agent], skill: str, urgency: Urgency, now: datetime, known: str | None = None
) -> Agent | None:
    """The available agent with the skill who knows the ticket, else the least loaded one.

    Ties go to the smaller id. Only a critical ticket comes on top of an agent's `max_load`.
    """
    free = [
        agent
        for agent in agents
        if skill in agent["skills"]
        and is_available(agent, now)
        and (agent["load"] < agent["max_load"] or urgency == "critical")
    ]
    return min(free, key=lambda a: (a["id"] != known, a["load"], a["id"]), default=None)


def next_opening(agents: list[Agent], skill: str, now: datetime) -> datetime | None:
    """When the next agent with the skill begins to work, in UTC; None when nobody ever does."""
    begins = [
        opening
        for agent in agents
        if skill in agent["skills"] and not agent["away"]
        for opening in _openings(agent, now)
        if opening > now
    ]
    return min(begins, default=None)


def _openings(agent: Agent, now: datetime) -> Iterator[datetime]:
    """The beginnings of the agent's shifts in the week that begins today."""
    today = now.astimezone(ZoneInfo(agent["timezone"])).replace(minute=0, second=0, microsecond=0)
    for days in range(8):
        opening = today.replace(hour=agent["opens_hour"]) + timedelta(days=days)
        if opening.isoweekday() in agent["weekdays"]:
            yield opening.astimezone(UTC)
