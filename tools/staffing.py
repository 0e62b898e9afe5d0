"""Who of a desk's people is at work, and who takes the next hand-off."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.models import Agent, Urgency


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
    """When the next agent with the skill begins to work, in UTC; None when there is none."""
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
