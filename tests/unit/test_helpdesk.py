"""Who is at work, by their own clock, and who of them takes the next hand-off."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from app.commands.seed import AGENTS, EVERY_DAY
from tools.models import Agent
from tools.staffing import is_available, next_opening, pick_agent

SKILLS = ("billing", "technical", "general", "complaints")
MONDAY, FRIDAY, SATURDAY, SUNDAY = 1, 5, 6, 7


def agent(
    id_: str = "ag_1",
    *,
    hours: tuple[int, int] = (9, 17),
    zone: str = "UTC",
    days: tuple[int, ...] = (1, 2, 3, 4, 5),
    skills: tuple[str, ...] = ("billing",),
    load: int = 0,
    max_load: int = 20,
    away: bool = False,
) -> Agent:
    """An agent who works nine to five on weekdays, unless a test says otherwise."""
    return {
        "id": id_,
        "name": id_,
        "skills": list(skills),
        "timezone": zone,
        "opens_hour": hours[0],
        "closes_hour": hours[1],
        "weekdays": list(days),
        "away": away,
        "load": load,
        "max_load": max_load,
    }


def at(day: int, hour: int, minute: int = 0, zone: str = "UTC") -> datetime:
    """A time in the week of Monday, 2026-01-05."""
    return datetime(2026, 1, 4 + day, hour, minute, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("now", "there"),
    [
        (at(MONDAY, 8, 59), False),
        (at(MONDAY, 9), True),
        (at(MONDAY, 16, 59), True),
        (at(MONDAY, 17), False),
        (at(FRIDAY, 12), True),
        (at(SATURDAY, 12), False),
        (at(SUNDAY, 12), False),
    ],
)
def test_hours_begin_with_the_first_and_end_before_the_last(now: datetime, *, there: bool) -> None:
    """Nine to five is from 9:00 to 16:59."""
    assert is_available(agent(), now) == there


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_hours_are_the_agents_own(zone: str) -> None:
    """The same instant is read by the agent's clock, whatever zone it is given in."""
    there = agent(zone=zone)
    for hour in range(24):
        now = at(MONDAY, hour, zone=zone)
        elsewhere = now.astimezone(timezone(timedelta(hours=-11)))
        assert is_available(there, now) == is_available(there, elsewhere) == (9 <= hour < 17)


def test_weekday_is_the_agents_own() -> None:
    """Monday morning in Tokyo is still Sunday in New York."""
    now = at(MONDAY, 9, zone="Asia/Tokyo")
    assert is_available(agent(zone="Asia/Tokyo"), now)
    assert not is_available(agent(zone="America/New_York", hours=(0, 0)), now)


@pytest.mark.parametrize(
    ("now", "there"),
    [
        (at(FRIDAY, 21, 59), False),
        (at(FRIDAY, 22), True),
        (at(SATURDAY, 0), True),  # still Friday's shift
        (at(SATURDAY, 5, 59), True),
        (at(SATURDAY, 6), False),
        (at(SATURDAY, 22), False),
        (at(MONDAY, 0), False),  # would be Sunday's shift
        (at(MONDAY, 22), True),
    ],
)
def test_night_shift_belongs_to_the_day_it_began(now: datetime, *, there: bool) -> None:
    """From 22 to 6 on weekdays: Friday's ends on Saturday morning, Sunday's does not exist."""
    assert is_available(agent(hours=(22, 6)), now) == there


@pytest.mark.parametrize("opens", [0, 9, 23])
def test_same_hour_twice_is_round_the_clock(opens: int) -> None:
    """Hours that end when they begin are twenty-four."""
    always = agent(hours=(opens, opens), days=tuple(EVERY_DAY))
    assert all(is_available(always, at(MONDAY, 0) + timedelta(hours=h)) for h in range(168))


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [
        (datetime(2026, 3, 27, tzinfo=UTC), 8),  # Friday before the clocks change in Berlin
        (datetime(2026, 3, 30, tzinfo=UTC), 7),  # Monday after
        (datetime(2026, 10, 23, tzinfo=UTC), 7),
        (datetime(2026, 10, 26, tzinfo=UTC), 8),
    ],
)
def test_clock_change_moves_the_shift(day: datetime, utc_hour: int) -> None:
    """Nine in Berlin is eight by UTC in winter and seven in summer."""
    berlin = agent(zone="Europe/Berlin")
    there = [hour for hour in range(24) if is_available(berlin, day + timedelta(hours=hour))]
    assert there == list(range(utc_hour, utc_hour + 8))


def test_who_is_away_is_not_there() -> None:
    """Whatever the clock says."""
    assert not is_available(agent(away=True), at(MONDAY, 12))


def test_least_loaded_takes_it_and_the_smaller_id_among_equals() -> None:
    """The same picks for the same agents, in whatever order they come."""
    agents = [
        agent("ag_3", load=1),
        agent("ag_2", load=1),
        agent("ag_1", load=2),
        agent("ag_0", load=0, skills=("technical",)),
        agent("ag_4", load=0, away=True),
        agent("ag_5", load=0, hours=(17, 20)),
    ]
    for order in (agents, agents[::-1]):
        picked = pick_agent(order, "billing", "normal", at(MONDAY, 12))
        assert picked is not None
        assert picked["id"] == "ag_2"


def test_who_knows_the_ticket_takes_it_again() -> None:
    """The same person comes before a less loaded one, as long as they are there."""
    agents = [agent("ag_1", load=5), agent("ag_2"), agent("ag_3", away=True)]
    for known, expected in (("ag_1", "ag_1"), ("ag_3", "ag_2"), (None, "ag_2")):
        picked = pick_agent(agents, "billing", "normal", at(MONDAY, 12), known)
        assert picked is not None
        assert picked["id"] == expected


def test_only_a_critical_ticket_comes_on_top_of_a_full_load() -> None:
    """Everything else waits in the queue."""
    full = [agent(load=3, max_load=3)]
    assert pick_agent(full, "billing", "high", at(MONDAY, 12)) is None
    assert pick_agent(full, "billing", "critical", at(MONDAY, 12)) is not None


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(MONDAY, 8), at(MONDAY, 9)),
        (at(MONDAY, 9), at(MONDAY, 9) + timedelta(days=1)),
        (at(FRIDAY, 18), at(MONDAY, 9) + timedelta(days=7)),
        (at(SUNDAY, 23, 59), at(MONDAY, 9) + timedelta(days=7)),
    ],
)
def test_next_opening_is_the_next_shift_of_the_skill(now: datetime, opens: datetime) -> None:
    """Weekends and other skills do not count."""
    agents = [agent(), agent("ag_2", skills=("technical",), hours=(0, 0))]
    assert next_opening(agents, "billing", now) == opens


def test_next_opening_is_by_the_agents_own_clock() -> None:
    """Nine in Tokyo is midnight in UTC; no agent is never."""
    tokyo = agent(zone="Asia/Tokyo")
    assert next_opening([tokyo], "billing", at(MONDAY, 20)) == at(MONDAY, 0) + timedelta(days=1)
    assert next_opening([agent(away=True), agent(days=())], "billing", at(MONDAY, 1)) is None


def test_no_agent_is_an_answer() -> None:
    """No agent, no skill, or no agent at work: the ticket waits in the queue."""
    assert pick_agent([], "billing", "normal", at(MONDAY, 12)) is None
    assert pick_agent([agent()], "complaints", "normal", at(MONDAY, 12)) is None
    assert pick_agent([agent()], "billing", "normal", at(SUNDAY, 12)) is None


@pytest.mark.parametrize(
    "week",
    [
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2026, 7, 6, tzinfo=UTC),
        # Between the changes of the clocks: New York has summer time, Berlin not yet or no more.
        datetime(2026, 3, 9, tzinfo=UTC),
        datetime(2026, 10, 26, tzinfo=UTC),
    ],
    ids=["winter", "summer", "march", "october"],
)
@pytest.mark.parametrize("skill", SKILLS)
def test_demo_has_an_agent_for_every_skill_at_every_hour(week: datetime, skill: str) -> None:
    """All 168 hours of a week, on the hour and a minute before the next."""
    team = [
        agent(id_, hours=(opens, closes), zone=zone, days=tuple(EVERY_DAY), skills=tuple(skills))
        for id_, _, skills, zone, opens, closes in AGENTS
    ]
    times = [week + timedelta(hours=hour, minutes=m) for hour in range(168) for m in (0, 59)]
    assert [now for now in times if pick_agent(team, skill, "normal", now) is None] == []
