"""The policy as a form: a field for every rule, in the units of people, and back again.

The fields follow from the policy's own JSON Schema, so a new rule is in the form by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import ValidationError

from app.console.forms import Form
from app.console.views.answers import typed_sums
from app.console.views.policy import SUMS, meaning_of, shown_seconds
from app.console.views.words import label
from app.errors import InvalidRequestError
from app.log.error_text import wrong_value
from graphs.policy import Policy
from tools.money import format_money

Shape = Mapping[str, Any]
NONE = "none"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field: its place in the policy, what kind of value it takes, and what of it is allowed.

    `kind` is `sums`, `names`, `choice` or `number`; `optional`: it may be left empty.
    """

    path: tuple[str, ...]
    kind: str
    optional: bool
    choices: tuple[str, ...]
    hint: str

    @property
    def name(self) -> str:
        """Its name in the form."""
        return ".".join(self.path)

    @property
    def title(self) -> str:
        """Its name on the page, the rule's own left out where that stands above it."""
        return label(self.path[-1])


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its fields; one of several is a group of them."""

    name: str
    meaning: str
    leaves: list[Leaf]


@cache
def rules() -> list[Rule]:
    """Every rule of the policy with its fields."""
    schema = Policy.model_json_schema()
    return [
        Rule(name, meaning_of(field.description), list(_leaves((name,), shape, schema["$defs"])))
        for (name, field), shape in zip(
            Policy.model_fields.items(), schema["properties"].values(), strict=True
        )
    ]


def _leaves(
    path: tuple[str, ...], shape: Shape, known: Shape, optional: bool = False
) -> Iterator[Leaf]:
    """The fields of a schema; a part that may be null has fields that may be empty."""
    if "anyOf" in shape:
        yield from _leaves(path, shape["anyOf"][0], known, True)
    elif "$ref" in shape:
        yield from _leaves(path, known[shape["$ref"].rsplit("/", 1)[1]], known, optional)
    elif "properties" in shape:
        for name, inner in shape["properties"].items():
            yield from _leaves((*path, name), inner, known, optional)
    elif "propertyNames" in shape and "enum" in shape["propertyNames"]:
        for name in shape["propertyNames"]["enum"]:
            yield from _leaves((*path, name), shape["additionalProperties"], known, True)
    elif path[0] in SUMS:
        yield Leaf(path, "sums", True, (), "Such as 50.00 USD, 5000 JPY; empty: none.")
    elif shape["type"] == "array":
        yield Leaf(
            path, "names", True, (), f"One name a line; {NONE}: an empty list; empty: not set."
        )
    elif "enum" in shape:
        yield Leaf(path, "choice", optional, tuple(shape["enum"]), "")
    else:
        yield Leaf(path, "number", optional, (), _bounds(path, shape, optional))


def _bounds(path: tuple[str, ...], shape: Shape, optional: bool) -> str:
    bounds = f"{shape['minimum']} to {shape['maximum']}"
    unit = ", in millionths of a US dollar" if path[-1].endswith("micro_usd") else ""
    return f"{bounds}{unit}{'; empty: not set' if optional else ''}."


def typed(body: Mapping[str, Any]) -> Form:
    """A stored policy as the form shows it; what was never set has its default."""
    policy = Policy.model_validate(body).model_dump(mode="json")
    return {leaf.name: _typed(leaf, _at(policy, leaf.path)) for rule in rules()
            for leaf in rule.leaves}  # fmt: skip


def _at(policy: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        policy = (policy or {}).get(name)
    return policy


def _typed(leaf: Leaf, value: Any) -> str:
    if value is None:
        return ""
    if leaf.kind == "sums":
        return ", ".join(format_money(amount, code) for code, amount in sorted(value.items()))
    if leaf.kind == "names":
        return "\n".join(value) or NONE
    return str(value)


def length_of(leaf: Leaf, value: str) -> str:
    """How long a number of seconds is in words; "" for any other field."""
    return shown_seconds(leaf.name, int(value)) if value.isdecimal() and len(value) < 10 else ""


def policy_of(form: Form) -> Policy:
    """The policy that a form gives. Raises InvalidRequestError with a sentence for the page."""
    body: dict[str, Any] = {}
    for rule in rules():
        for leaf in rule.leaves:
            _set(body, leaf.path, _read(leaf, form.get(leaf.name, "").strip()))
        body[rule.name] = _without_empty(rule, body[rule.name])
    try:
        return Policy.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"{where}: {wrong_value(first['msg'])}.") from None


def _set(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value


def _without_empty(rule: Rule, value: Any) -> Any:
    """A group without its empty fields; None when it may be null and all of them are empty."""
    if not isinstance(value, dict) or rule.leaves[0].kind == "sums":
        return value
    for inner in value.values():
        if isinstance(inner, dict):
            for name in [name for name, one in inner.items() if one is None]:
                del inner[name]
    may_be_null = type(None) in get_args(Policy.model_fields[rule.name].annotation)
    return None if may_be_null and all(one is None for one in value.values()) else value


def _read(leaf: Leaf, text: str) -> Any:
    if not text:
        if leaf.optional:
            return {} if leaf.kind == "sums" else None
        raise InvalidRequestError(f"{leaf.name}: it cannot be empty.")
    if leaf.kind == "sums":
        return typed_sums(text, leaf.name)
    if leaf.kind == "names":
        return [] if text == NONE else [one for line in text.split("\n") if (one := line.strip())]
    return text if leaf.kind == "choice" else _number(leaf, text)


def _number(leaf: Leaf, text: str) -> int | float:
    """A number as it was typed. Raises InvalidRequestError."""
    try:
        # A float of a few digits is what was typed; a longer text is no number of a rule.
        number = float(text) if len(text) <= 20 and text.isascii() else float("nan")
    except ValueError:
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124, NaN
        raise InvalidRequestError(f"{leaf.name}: type a number.")
    return int(number) if text.removeprefix("-").isdecimal() else number
