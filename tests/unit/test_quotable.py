"""Which questions of a customer code repeats to them: short, plain, with nothing to follow."""

import pytest

from graphs.reply.names import names_in
from tools.helpdesk import HANDOFF, HandoffArgs
from tools.quotable import quotable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("When will you offer a Slack integration?", None),
        ("2) when is support open? ", "when is support open?"),
        ("- Do you sell gift cards?", "Do you sell gift cards?"),
        ("¿Dónde puedo descargar mis facturas?", None),
        ("Est-ce que l'export coûte 5 € ?", None),
        ("学生割引はありますか？", None),
    ],
)
def test_plain_question_is_repeated(text: str, said: str | None) -> None:
    """Without the mark of a list's item."""
    assert quotable([text]) == (said or text)


@pytest.mark.parametrize(
    "text",
    [
        "", "?", "I want to talk to your CEO.", "Is evil.example yours?", "Is it http://x?",
        "Can you write to me@evil.example?", "Can you call 0800 123456?", "<b>Is this bold?</b>",
        "Is `this` code?", "Is [this](x) a link?", 'Is "this" quoted?', "Is this two\nlines?",
        "Is " + "x" * 300 + "?", "Is \u202ethis turned?", "Is it? Or not?\u200b",
    ],
)  # fmt: skip
def test_anything_else_is_not_repeated(text: str) -> None:
    """A link, an address, a number to call, markup, a statement, or too much of it."""
    assert quotable([text]) is None


def test_one_question_alone_is_repeated() -> None:
    """Of several the sentence names the part."""
    assert quotable([]) is None
    assert quotable(["Is it here?", "Is it there?"]) is None


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt", "nl", "ja"])
@pytest.mark.parametrize("agent", [None, {"id": "a", "name": "Mia"}])
def test_sentence_holds_the_question_or_the_part(
    language: str, agent: dict[str, str] | None
) -> None:
    """In every language, with a colleague's name and without."""
    args = HandoffArgs(skill="general", urgency="normal", summary="s", part="escalate")
    result = {**HANDOFF.simulate(args), "agent": agent}

    def said(*questions: str) -> str:
        given = args.model_copy(update={"questions": list(questions)}).model_dump(mode="json")
        [sentence] = HANDOFF.wording(given, result, names_in([]))
        return sentence.text(language)

    asked = "Do you sell gift cards?"
    assert asked in said(asked)
    assert asked not in said(asked, asked)
    assert ("Mia" in said(asked)) == (agent is not None)
