"""Every question of the ticket is answered, done, handed over or asked back, and no other."""

from collections.abc import Iterator

from graphs.questions import left_open
from graphs.reply.checks.draft_case import Case

SHOWN_CHARS = 200


def unanswered(case: Case) -> Iterator[str]:
    """No question is dropped, and no claim answers one that was not asked.

    What the model lists as unanswered is no mistake of the draft: a person gets it.
    """
    asked = {question["id"]: question for question in case.facts["questions"]}
    answered = {claim["question"] for claim in case.claims}
    for unknown in sorted(answered - set(asked)):
        yield f"A claim answers {unknown[:SHOWN_CHARS]!r}, no question: name one by its id."
    said = answered | case.left_open
    missing = [(q["id"], q["part"]) for q in asked.values() if q["id"] not in said]
    for id_ in left_open(case.facts["settled"], missing):
        yield f"No claim answers {id_}: answer it, or list it as unanswered."
