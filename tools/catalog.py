"""The catalog: names every tool and effect once, and says what a stored step means."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from tools.billing import READ_PAYMENTS, REFUND
from tools.effect import Effect, Kind, Money
from tools.helpdesk import HANDOFF, REPLY
from tools.knowledge import SEARCH_ARTICLES
from tools.mail import BULK_MAIL, PREVIEW_MAIL, READ_AUDIENCES
from tools.subscriptions import CANCEL, READ_SUBSCRIPTIONS
from tools.tool import Tool

EFFECTS: dict[str, Effect[Any]] = {
    effect.name: effect for effect in (REFUND, CANCEL, BULK_MAIL, HANDOFF, REPLY)
}
READS: tuple[Tool[Any], ...] = (
    READ_PAYMENTS,
    READ_SUBSCRIPTIONS,
    SEARCH_ARTICLES,
    READ_AUDIENCES,
    PREVIEW_MAIL,
)
TOOLS: dict[str, Tool[Any] | Effect[Any]] = {**{tool.name: tool for tool in READS}, **EFFECTS}


def kind_of(name: str) -> Kind:
    """What a done effect of that name is to its run; one that is unknown here is an action."""
    effect = EFFECTS.get(name)
    return effect.kind if effect else "action"


def names_of(kind: Kind) -> list[str]:
    """The names of all effects of a kind."""
    return [effect.name for effect in EFFECTS.values() if effect.kind == kind]


def parsed(step: Mapping[str, Any]) -> tuple[Effect[Any], BaseModel] | None:
    """A step's effect and arguments; None when the toolbox would refuse to carry it out."""
    effect = EFFECTS.get(step["tool"])
    try:
        return (effect, effect.args.model_validate(step["args"])) if effect else None
    except ValidationError:
        return None


def money_of(step: Mapping[str, Any]) -> Money | None:
    """What a step of a plan moves to the customer, or None."""
    known = parsed(step)
    return known[0].moves(known[1]) if known else None
