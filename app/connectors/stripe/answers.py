"""What we read of Stripe's objects, strictly; everything else of them is left aside."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tools.errors import UnavailableError

MAX_TEXT = 200

Id = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_]+$")]
Amount = Annotated[int, Field(ge=0, le=10**12)]
Seconds = Annotated[int, Field(ge=0, le=2**33)]


def _id(value: Any) -> Any:
    """The id of an object that may stand there as a whole."""
    return value.get("id") if isinstance(value, dict) else value


def _line(value: Any) -> Any:
    """One line of bounded length; nothing when it is blank."""
    return " ".join(value.split())[:MAX_TEXT] or None if isinstance(value, str) else value


def _code(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Ref = Annotated[Id, BeforeValidator(_id)]
Line = Annotated[str | None, BeforeValidator(_line)]
Code = Annotated[str, BeforeValidator(_code), Field(pattern=r"^[A-Z]{3}$")]
Texts = Annotated[dict[str, str], BeforeValidator(lambda texts: {} if texts is None else texts)]


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)


class Charge(Shape):
    """A payment; amounts in Stripe's unit. What has a default is not known to every stand-in."""

    id: Id
    amount: Amount
    amount_captured: Amount | None = None
    amount_refunded: Amount
    currency: Code
    created: Seconds
    status: Literal["succeeded", "pending", "failed"]
    captured: bool
    disputed: bool = False
    description: Line = None
    calculated_statement_descriptor: Line = None
    payment_intent: Ref | None = None
    receipt_number: Line = None

    @property
    def also_called(self) -> list[str]:
        """What the customer or the dashboard may call it instead."""
        return [name for name in (self.payment_intent, self.receipt_number) if name]

    @property
    def taken(self) -> int:
        """What was captured, or will be."""
        return self.amount_captured or self.amount

    @property
    def left(self) -> int:
        """What may still be given back, in Stripe's unit."""
        return max(0, self.taken - self.amount_refunded) if self.captured else 0


class Refund(Shape):
    """Money that goes back, or does not."""

    id: Id
    charge: Ref
    amount: Amount
    currency: Code
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
    metadata: Texts = Field(default_factory=dict)


class Price(Shape):
    """What one unit costs in one period; older stand-ins know plans in its place."""

    unit_amount: Annotated[
        Amount | None, Field(validation_alias=AliasChoices("unit_amount", "amount"))
    ] = None
    currency: Code
    nickname: Line = None
    lookup_key: Line = None


class Item(Shape):
    """One line of a subscription."""

    price: Annotated[Price, Field(validation_alias=AliasChoices("price", "plan"))]
    quantity: Annotated[int, Field(ge=0, le=10**6)] = 1
    current_period_end: Seconds | None = None


T = TypeVar("T", bound=Shape)


class Page(Shape, Generic[T]):
    """A part of a list, newest first."""

    data: Annotated[list[T], Field(max_length=100)]
    has_more: bool = False


class Subscription(Shape):
    """What a customer pays for again and again. Old versions name the period at the top."""

    id: Id
    status: Annotated[str, Field(max_length=40)]
    currency: Code | None = None
    cancel_at_period_end: bool = False
    description: Line = None
    metadata: Texts = Field(default_factory=dict)
    items: Page[Item]
    current_period_end: Seconds | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended, or will at the end of its period without doing anything."""
        return self.cancel_at_period_end or self.ended

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.status in ("canceled", "incomplete_expired")

    @property
    def period_ends(self) -> int | None:
        """When the period that is paid ends, in seconds since 1970."""
        ends = [item.current_period_end for item in self.items.data]
        return max((end for end in ends if end is not None), default=self.current_period_end)


def read(shape: type[T], answer: dict[str, Any]) -> T:
    """The answer as that shape. Raises UnavailableError: what happened is unknown."""
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])[:100]
        raise UnavailableError(f"Stripe's answer does not fit at {where}") from None


def moment(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
