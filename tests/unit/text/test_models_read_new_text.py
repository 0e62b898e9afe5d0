"""No model, search or cache key ever holds what was set apart."""

import pytest

from graphs.reply.question_key import question_sha256
from graphs.state import fresh_run
from graphs.text.new_text.ticket import ticket_of, with_body, with_messages
from tests.fakes import ScriptedModel
from tests.unit.desk import desk, scripted

SECRET = "quuxplugh"
QUESTION = "My upload fails with error E42. How do I fix it?"
BODIES = {
    "quote": f"{QUESTION}\n\n> {SECRET}",
    "forward": f"{QUESTION}\n\n---------- Forwarded message ---------\nFrom: {SECRET}\n\n{SECRET}",
    "signature": f"{QUESTION}\n\nKind regards\nAnn {SECRET.title()}\nFraud Team {SECRET.title()}",
    "disclaimer": f"{QUESTION}\n\nDISCLAIMER: {SECRET} is confidential.",
    "headers": f"Name: {SECRET}\nEmail: a@{SECRET}.example\nMessage: {QUESTION}",
    "html_hidden": f"<p>{QUESTION}</p><p style='display:none'>{SECRET}</p><!-- {SECRET} -->",
    "hidden_characters": QUESTION + "".join(chr(0xE0000 + ord(c)) for c in SECRET),
}


def heard(model: ScriptedModel) -> str:
    """All that the model was asked."""
    return "\n".join(text for _, text in model.heard)


@pytest.mark.parametrize("kind", BODIES)
async def test_nothing_in_the_graph_reads_it(kind: str) -> None:
    """Neither a model nor a search; people see it on the run."""
    opened = desk("cus_ann", "upload-error-e42")
    model = scripted(opened)
    ticket = ticket_of("Help", [BODIES[kind]], None, "Ann")
    assert ticket["set_apart"][0]["kind"] == kind
    await opened.advance(fresh_run("00000000-0000-0000-0000-000000000001", ticket))
    assert "E42" in heard(model)
    assert SECRET not in heard(model).lower()
    assert not any("\U000e0000" <= character <= "\U000e0fff" for character in heard(model))


@pytest.mark.parametrize("kind", BODIES)
def test_cache_key_is_that_of_the_new_text(kind: str) -> None:
    """A signature makes no other question of it."""
    plain = ticket_of("Help", [QUESTION], None, None)
    assert question_sha256(ticket_of("Help", [BODIES[kind]], None, None)) == question_sha256(plain)


def test_newer_messages_are_read_when_a_plan_takes_them_in() -> None:
    """Their new text joins the ticket's, and what they quote joins what is set apart."""
    ticket = with_messages(ticket_of("Help", ["Hi\n> a"], None, None), ["No.\n> b", "> c"])
    assert ticket["body"] == "Hi\n\nNo."
    assert [part["text"] for part in ticket["set_apart"]] == ["> a", "> b", "> c"]


def test_replayed_ticket_with_another_body_is_read_again() -> None:
    """Nothing of the first body is left."""
    ticket = with_body(ticket_of("Help", ["Hi\n> a"], None, None), "Bye\n> b")
    assert ticket["body"] == "Bye"
    assert ticket["set_apart"] == [{"kind": "quote", "text": "> b"}]


def test_subject_and_name_hold_no_hidden_characters() -> None:
    """They reach a model as well."""
    ticket = ticket_of("He\u200blp\U000e0041", ["Hi"], None, "A\u202enn")
    assert (ticket["subject"], ticket["customer_name"]) == ("Help", "Ann")
