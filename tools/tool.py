"""A tool: a function that touches the world, with what the door needs to know about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

A = TypeVar("A", bound=BaseModel)


class Permission(StrEnum):
    """What a node may be granted."""

    READ_PAYMENTS = "read_payments"
    SEARCH_ARTICLES = "search_articles"
    READ_CONTACTS = "read_contacts"
    MOVE_MONEY = "move_money"
    CANCEL_SUBSCRIPTION = "cancel_subscription"
    SEND_BULK = "send_bulk"
    CREATE_TICKET = "create_ticket"
    REPLY = "reply"


class Args(BaseModel):
    """Base of every argument model: strict types, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


# How a reviewer may change an argument: an amount only downwards, a text within its length.
# An argument without a mark is never theirs to change: another payment is another plan.
Editable = Literal["down", "text"]
LOWERABLE = Field(json_schema_extra={"editable": "down"})
REWRITABLE = Field(json_schema_extra={"editable": "text"})


def editable_fields(args: type[BaseModel]) -> dict[str, Editable]:
    """The arguments that a reviewer may change, and how, as the model declares them."""
    marks = {name: field.json_schema_extra for name, field in args.model_fields.items()}
    return {
        name: cast("Editable", mark["editable"])
        for name, mark in marks.items()
        if isinstance(mark, dict) and "editable" in mark
    }


# The bound keeps every sum of a plan inside a 64-bit integer.
AmountMinor = Annotated[int, Field(ge=1, le=10**12, description="Minor units, e.g. cents.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """One thing that can be done.

    `key` names the business fact behind a call, so that the ledger knows a repeat; a tool without
    a key only reads. `check` tells, without any effect, why a call would be refused as the world
    is now. `find` asks the outside system what became of a key. `repeatable` says that the port
    drops a repeated key, so a call whose end is unknown may simply be made again. `simulate` says
    what the call would have answered, for a run that may not make it.
    """

    name: str
    permission: Permission
    args: type[A]
    run: Callable[[A, str], Awaitable[Any]]
    key: Callable[[A], str] | None = None
    gated: bool = False
    check: Callable[[A], Awaitable[str | None]] | None = None
    find: Callable[[str], Awaitable[Any | None]] | None = None
    repeatable: bool = False
    simulate: Callable[[A], Any] | None = None
