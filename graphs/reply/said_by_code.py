"""What code says itself in a reply: below the text that a model or a person wrote, outside it."""

from graphs.reply.facts import reply_facts
from graphs.state import SupportState


def said_by_code(state: SupportState) -> list[str]:
    """What was done, what was not, who goes on with a part, and what the customer is asked."""
    asked = [question["text"] for question in state.get("asked_back", [])]
    return [*reply_facts(state)["sentences"], *asked]
