"""A form's fields as an answer to an approval: amounts as people type them, changes alone."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from app.console.forms import Form
from app.console.views.card import major, totals
from app.db.tables.approvals_and_ledger import Approval
from app.errors import InvalidRequestError
from app.services.approvals.decide import VERDICTS, GivenAnswer, Verdict
from app.services.approvals.edit import StepEdit, editable_of
from tools.money import minor_unit_digits

MAX_COMMENT = 2000
MAX_DIGITS = 13


def given_answer(approval: Approval, form: Form) -> GivenAnswer:
    """The answer that a form gives. Raises InvalidRequestError with a sentence for the page."""
    verdict, comment = form.get("verdict", ""), form.get("comment", "").strip()
    if verdict not in VERDICTS:
        raise InvalidRequestError("Choose what to answer.")
    if len(comment) > MAX_COMMENT:
        raise InvalidRequestError(f"The comment may have {MAX_COMMENT} characters.")
    if verdict == "reject" and not comment:
        raise InvalidRequestError("Say why you reject it: the person who goes on reads it.")
    edits = edits_of(approval, form) if verdict == "edit" else ()
    if verdict == "edit" and not edits:
        raise InvalidRequestError("Nothing is changed. Approve it as it stands, or change a step.")
    if verdict in ("approve", "edit"):
        check_typed_total(approval, edits, form)
    return GivenAnswer(
        UUID(str(approval.id)), form.get("digest", ""), cast("Verdict", verdict), edits, comment,
        release=form.get("release") == "yes",
    )  # fmt: skip


def edits_of(approval: Approval, form: Form) -> tuple[StepEdit, ...]:
    """What the form changes; fields that it left as they are count for nothing."""
    edits = []
    for number, step in enumerate(approval.steps):
        drop = form.get(f"drop-{number}") == "yes"
        args = {} if drop else changed_args(step, number, form)
        if drop or args:
            edits.append(StepEdit(step["id"], args, drop))
    return tuple(edits)


def changed_args(step: Mapping[str, Any], number: int, form: Form) -> dict[str, Any]:
    """The arguments of a step that the form has other values for."""
    changed: dict[str, Any] = {}
    for name, way in editable_of(dict(step)).items():
        typed = form.get(f"arg-{number}-{name}")
        if typed is None:
            continue
        old = step["args"][name]
        new = minor_units(typed, step["args"]["currency"]) if name == "amount_minor" else (
            typed if way == "text" else whole_number(typed)
        )  # fmt: skip
        if new != old:
            changed[name] = new
    return changed


def minor_units(typed: str, currency: str) -> int:
    """An amount such as "49.00" as minor units, never by way of a float.

    Raises:
        InvalidRequestError: it is no amount of that currency.
    """
    digits = minor_unit_digits(currency)
    whole, point, rest = typed.strip().removesuffix(currency).strip().partition(".")
    plain = (whole + rest).isascii() and whole.isdigit() and (rest.isdigit() or not rest)
    fits = len(whole) <= MAX_DIGITS and len(rest) <= digits and (rest or not point)
    if not (plain and fits):
        example = major(4900, currency)
        raise InvalidRequestError(f"Type the amount in {currency} with a point, such as {example}.")
    return int(whole + rest.ljust(digits, "0"))


def typed_sums(typed: str, where: str) -> dict[str, int]:
    """Sums such as "50.00 USD, 5000 JPY" in minor units by currency.

    Raises:
        InvalidRequestError: they are none; the sentence begins with where they were typed.
    """
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, typed.split(","))):
        amount, _, currency = part.rpartition(" ")
        if not (currency.isascii() and currency.isupper() and len(currency) == 3 and amount):
            raise InvalidRequestError(f"{where}: type sums such as 50.00 USD, 5000 JPY.")
        if currency in found:
            raise InvalidRequestError(f"{where}: {currency} stands there twice.")
        found[currency] = minor_units(amount, currency)
    return found


def whole_number(typed: str) -> int:
    """A number as it was typed. Raises InvalidRequestError."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise InvalidRequestError("Type a whole number.")
    return int(text)


def check_typed_total(approval: Approval, edits: tuple[StepEdit, ...], form: Form) -> None:
    """Where two people must agree, each types the sum. Raises InvalidRequestError."""
    if not asks_for_total(approval):
        return
    changes = {edit.id: edit for edit in edits}
    left = [
        {**step, "args": {**step["args"], **changes[step["id"]].args}} if step["id"] in changes
        else step
        for step in approval.steps
        if not (step["id"] in changes and changes[step["id"]].drop)
    ]  # fmt: skip
    for currency, total in totals(left).items():
        typed = form.get(f"total-{currency}", "")
        if not typed.strip():
            raise InvalidRequestError(f"Type the total in {currency} to agree to a sum this large.")
        if minor_units(typed, currency) != total:
            raise InvalidRequestError(
                f"The total that you typed is not what the steps move: {major(total, currency)} "
                f"{currency}."
            )


def asks_for_total(approval: Approval) -> bool:
    """Whether the sum is to be typed: where the policy asks for two people because of it."""
    return approval.required_approvers > 1 and bool(totals(approval.steps))
