"""The people who take hand-offs, as the API and `deskgraph agents import` take them."""

from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.schemas.base import Request, named_visibly
from app.api.schemas.page import Page
from graphs.state import Specialist

# What a hand-off can ask for, as graphs/handoffs.py chooses it.
SKILLS = ("complaints", *get_args(Specialist))
# Without control characters and line ends, which could begin a line of a list.
AgentName = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}$"),
    AfterValidator(named_visibly),
]
Hour = Annotated[int, Field(ge=0, le=23)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone like Europe/Berlin") from None
    return name


def _skill(name: str) -> str:
    if name not in SKILLS:
        raise ValueError(f"must be one of {', '.join(SKILLS)}")
    return name


def _each_once(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("holds a value twice")
    return values


Skills = Annotated[
    list[Annotated[str, Field(max_length=50), AfterValidator(_skill)]],
    Field(min_length=1, max_length=20),
    AfterValidator(_each_once),
]
Weekdays = Annotated[
    list[Annotated[int, Field(ge=1, le=7)]],
    Field(min_length=1, max_length=7, description="1 is Monday."),
    AfterValidator(_each_once),
]


class PutAgent(Request):
    """A person who takes hand-offs. Hours are local; an end before the start is after midnight."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Mia",
                    "skills": ["complaints", "billing"],
                    "timezone": "Europe/Berlin",
                    "opens_hour": 9,
                    "closes_hour": 17,
                }
            ]
        }
    )

    name: AgentName
    skills: Skills
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
    opens_hour: Hour
    closes_hour: Annotated[int, Field(ge=0, le=24)]
    weekdays: Weekdays = Field(default_factory=lambda: [1, 2, 3, 4, 5])
    away: bool = False
    max_load: Annotated[int, Field(ge=1, le=1000)] = 20


class AgentOut(BaseModel):
    """A person who takes hand-offs, with how many are open."""

    id: str
    name: str
    skills: list[str]
    timezone: str
    opens_hour: int
    closes_hour: int
    weekdays: list[int]
    away: bool
    max_load: int
    load: Annotated[int, Field(description="Hand-offs that are open.")]


class AgentPage(Page[AgentOut]):
    """A page of the people who take hand-offs."""


AGENT: dict[str, Any] = {
    "id": "ag_mia",
    "name": "Mia",
    "skills": ["complaints", "billing"],
    "timezone": "Europe/Berlin",
    "opens_hour": 9,
    "closes_hour": 17,
    "weekdays": [1, 2, 3, 4, 5],
    "away": False,
    "max_load": 20,
    "load": 1,
}
