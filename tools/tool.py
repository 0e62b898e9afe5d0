"""Tools that only read, and the base of every tool's arguments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

from tools.ports import Caller, Ports

A = TypeVar("A", bound=BaseModel)

# What a node may be granted. Each kind is named beside the tools that ask for it.
Permission = NewType("Permission", str)


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


def any_caller(_caller: Caller) -> bool:
    """Most tools are there for every run."""
    return True


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """Something that a node may call and that changes nothing.

    Tenant, customer and ticket come from the caller, never from arguments. For a caller whom
    `open_to` refuses the tool does not exist.
    """

    name: str
    permission: Permission
    args: type[A]
    run: Callable[[A, Ports, Caller], Awaitable[Any]]
    open_to: Callable[[Caller], bool] = any_caller
