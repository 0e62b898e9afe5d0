"""What a thread's newest reply asked the customer back, which their next message may answer."""

from graphs.questions import asked_questions
from graphs.state import AskedAbout, SupportState
from graphs.wishes.answers import plainly_chosen
from graphs.wishes.quotes import own_words


def asked_about(state: SupportState, customer_id: str) -> AskedAbout | None:
    """What this customer was asked by the reply before this message, or None.

    Another customer who writes on the ticket was asked nothing.
    """
    asked = state.get("asked_about")
    return asked if asked and asked["customer_id"] == customer_id else None


def which_was_asked(state: SupportState, customer_id: str) -> AskedAbout | None:
    """What the reply that this run sends asks about payments; None when it asks nothing."""
    billing = {q["id"] for q in asked_questions(state) if q["intent"] == "billing"}
    asked = [back["text"] for back in state.get("asked_back", []) if back["question"] in billing]
    if not asked or state.get("handoff"):
        return None
    triage, [text] = state["triage"], asked[:1]
    payments = state["findings"]["billing"]["payments"]
    return {
        "customer_id": customer_id,
        "wrote": own_words(state),
        "text": text,
        "language": triage["language"] if triage else None,
        "choices": [payment for payment in payments if f"({payment['id']})" in text],
    }


def is_plain_answer(state: SupportState, customer_id: str) -> bool:
    """Whether the message names one of the payments that were asked about, and nothing else."""
    asked = asked_about(state, customer_id)
    return asked is not None and bool(plainly_chosen(state["ticket"]["body"], asked["choices"]))
