"""The second opinion: words by which a ticket goes to a person, in eight languages."""

import json
import tomllib

import pytest

from graphs.alarm import FOLDER, KINDS, alarm, alarmed, folded
from graphs.nodes.classify import Classification
from tests.bench.intent_data import DATA
from tests.unit.desk import desk, scripted, ticket

CALM = Classification(
    intents=["general"], questions=[], urgency="normal", anger=0.0, language="en",
    wants_human=False, confidence=1.0, nothing_asked=False,
)  # fmt: skip
LANGUAGES = ("de", "en", "es", "fr", "it", "ja", "nl", "pt")


def test_every_language_has_words_of_every_kind() -> None:
    """One file a language, all of one shape, no phrase twice in a list."""
    files = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
    assert tuple(sorted(files)) == LANGUAGES
    for words in files.values():
        assert set(words) == {*KINDS, "cross"}
        assert all(phrases and len(set(phrases)) == len(phrases) for phrases in words.values())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("This is unacceptable!! I am furious.", "anger"),
        ("This is ridiculous, I'm fed up", "anger"),
        ("GIVE ME MY INVOICE NOW PLEASE!!", "anger"),
        ("My solicitor will be in touch.", "law"),
        ("I\u2019ll see you in court", "law"),
        ("You will hear from my l\u200bawyer", "law"),
        ("Delete all of my personal data under the GDPR", "data_protection"),
        ("The charger caught fire", "safety"),
        ("I want to kill myself", "self_harm"),
        ("A colleague wrote on a card that he wants to kill himself", "self_harm"),
        ("Mein Kollege will sich umbringen", "self_harm"),
        ("your fee ruined me, i don't see a reason to be here any longer", "self_harm"),
        ("Ich habe keinen Grund mehr zu leben", "self_harm"),
        ("Ya no tengo ganas de vivir", "self_harm"),
        ("Tout irait mieux sans moi", "self_harm"),
        ("Non ho più voglia di vivere", "self_harm"),
        ("Ik heb geen reden om te leven", "self_harm"),
        ("Não tenho mais vontade de viver", "self_harm"),
        ("もう生きる意味がない", "self_harm"),
        ("Elle veut mettre fin à ses jours", "self_harm"),
        ("Mi compañero quiere quitarse la vida", "self_harm"),
        ("I know where you work, you'll regret it", "threat"),
        ("Ihr seid Betrüger, ich gehe zum Anwalt", "law"),
        ("Ihr seid Betrueger und Lügner", "anger"),
        ("Je vais saisir la CNIL", "data_protection"),
        ("¡Esto es inaceptable! Son unos ladrones", "anger"),
        ("Mi abogado les escribirá", "law"),
        ("È inaccettabile, siete dei ladri", "anger"),
        ("Vou ao Procon", "law"),
        ("Dit is onacceptabel, jullie zijn oplichters", "anger"),
        ("Ik wil niet verder, ik wil dood", "self_harm"),
        ("弁護士に相談します", "law"),
        ("ふざけるな！許せない", "anger"),
    ],
)
def test_grave_words_raise_their_alarm(text: str, kind: str) -> None:
    """However they are written: typographic marks, hidden characters, any language."""
    assert alarm(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "where is my damn invoice",
        "PLEASE RESET MY PASSWORD",
        "My colleague is angry about the colour",
        "Bom dia, como altero o plano?",
        "We need the board in brand colours",
        "Where can I find you?",
        "The file name has an illegal character",
        "Was kostet der Anwaltstarif?",
        "Quelle police de caractères utilisez-vous ?",
        "Het proces duurt lang, hoe doe ik btw-aangifte?",
        "他社との差別化について",
        "Is Fernboard GDPR compliant?",
        "",
    ],
)
def test_plain_questions_raise_none(text: str) -> None:
    """One mild word is no alarm, nor is a word that means something else elsewhere."""
    assert alarm(text) is None


def test_accents_and_case_do_not_matter() -> None:
    """Customers leave them out."""
    assert folded("ÄRGER L’été") == "arger l'ete"


@pytest.mark.parametrize("subject", ["Help", "My lawyer"])
async def test_alarm_comes_before_a_model_that_calls_the_ticket_calm(subject: str) -> None:
    """No specialist runs, and the reason is its own."""
    opened = desk("cus_ann", "reset-password")
    model = scripted(opened, Classification=[CALM])
    body = "How do I reset my password?" if subject != "Help" else "You are thieves, all of you."
    done = await opened.start(body, subject=subject)
    assert done["escalation"]["reason"] == "alarm"
    assert done["outcome"] == "escalated"
    assert model.asked == ["Classification"]


def test_calm_ticket_has_no_second_opinion() -> None:
    """The rule adds a person, and decides nothing else."""
    assert alarmed(ticket("How do I reset my password?")) is None
    assert alarmed(ticket("I am furious")) == {
        "reason": "alarm",
        "detail": "The customer is angry.",
    }


@pytest.mark.skipif(not DATA.exists(), reason="the shared data folder is not here")
@pytest.mark.parametrize("name", ["banking77_train", "clinc_train"])
def test_alarm_is_rare_on_plain_questions(name: str) -> None:
    """The number in docs/triage.md: at most 1 in 1,000 messages that others wrote."""
    rows = [json.loads(line)["text"] for line in (DATA / f"{name}.jsonl").open()]
    assert sum(alarm(text) is not None for text in rows) <= len(rows) / 1000
