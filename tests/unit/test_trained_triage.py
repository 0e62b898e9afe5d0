"""A tenant's own triage: features that stay, a reader that agrees with scikit-learn, figures."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.formats.jsonl import RowError
from app.models.offline.trained import TrainedModel, before_a_model, without_a_model
from app.quality.training.examples import Example, each_once, part_of, read_file, split
from app.quality.training.fit import (
    PRECISION,
    ROUNDS,
    STRENGTH,
    fit,
    matrix,
    seen_words,
    temperature,
)
from app.quality.training.measure import TooFewError, measured, train
from graphs.handoffs import skill_for
from graphs.state import Intent, fresh_run
from graphs.trained.features import SIZE, canonical, features, words_of
from graphs.trained.figures import (
    Counted,
    accuracy_at,
    at_most,
    bucket_at,
    buckets,
    has_dropped,
    threshold,
    wilson,
)
from graphs.trained.model import LinearModel, UnreadableModelError, pack, unpack
from tests.unit.desk import ticket
from tests.unit.labelled import ABOUT, examples

THREE: tuple[Intent, ...] = ("billing", "technical", "general")


def trained(rows: Sequence[Example]) -> LinearModel:
    """A model of the rows, as it is stored and read back."""
    parts = split(rows)
    return unpack(pack(fit(parts["train"], parts["calibrate"])))


@cache
def small() -> LinearModel:
    """A model of few tickets."""
    return trained(examples(400))


def sure(intent: Intent, confidence: float = 0.99, **changes: Any) -> TrainedModel:
    """A model that knows every word, and finds the same in each text."""
    odds = [0.0 if one != intent else 12.0 for one in THREE]
    empty = tuple([0.0] * SIZE for _ in THREE)
    seen = b"\xff" * len(seen_words([]))
    bucket = {"low": 0.99, "high": 1.0, "tickets": 500, "right": 500, "lower": confidence}
    model = TrainedModel(7, LinearModel(THREE, tuple(odds), empty, seen), 0.8, [bucket], 0.95)  # type: ignore[list-item]
    return model._replace(**changes)


def test_features_are_the_same_for_ever() -> None:
    """Weights that a database holds belong to these buckets: fixed examples."""
    assert canonical("  My CAFÉ-card №123,\u200b please! ") == "my cafe-card no0 please"
    found = features("Where is my refund?")
    assert sorted(found)[:5] == [224, 540, 2751, 2938, 4703]
    assert sum(value * value for value in found.values()) == pytest.approx(1)
    assert words_of("refund me") == [5208, 168642]
    assert features("") == {}


@pytest.mark.no_cover
def test_reader_decides_as_scikit_learn_does() -> None:
    """On random texts the plain reader finds the same intent, and nearly the same probability."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415

    rows = examples(400)
    parts = split(rows)
    regression: Any = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=PRECISION)
    regression.fit(
        matrix([one.text for one in parts["train"]]), [one.intent for one in parts["train"]]
    )
    model = fit(parts["train"], [])
    words = sorted({word for one in rows for word in one.text.split()})
    draw = random.Random(9)  # noqa: S311  # no secret
    texts = [" ".join(draw.choices(words, k=draw.randint(1, 30))) for _ in range(200)]
    stored = unpack(pack(model))
    read = [stored.read(text) for text in texts]
    assert [one.intent for one in read] == list(regression.predict(matrix(texts)))
    likeliest = regression.predict_proba(matrix(texts)).max(axis=1)
    shares = [model.known(text) for text in texts]
    assert [one.confidence for one in read] == pytest.approx(list(likeliest * shares), abs=1e-4)


def test_only_training_needs_scikit_learn() -> None:
    """Workers and the API import nothing of it; without it the command says what to install."""
    look = (
        "import sys; import app.worker.main, app.api.application; "
        "assert not {'sklearn', 'numpy', 'scipy'} & set(sys.modules); "
        "sys.modules['sklearn'] = None; from app.cli import main; sys.argv[1:] = ['train']; main()"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'scikit-learn" in done.stderr) == (1, True), done.stderr


@pytest.mark.no_cover
def test_two_intents_are_read_alike() -> None:
    """Of two classes scikit-learn keeps one row of weights; both are there when it is read."""
    rows = [one for one in examples(400) if one.intent in ("billing", "technical")]
    model = trained(rows)
    assert len(model.weights) == 2
    right = [model.read(one.text).intent == one.intent for one in rows]
    assert sum(right) >= 0.95 * len(rows)


def test_unknown_words_lower_the_confidence() -> None:
    """A text about something else is as likely as any other; its words are what is new."""
    model = small()
    own, other = model.read("refund the invoice"), model.read("zebra refund quantum lasagne")
    assert own.confidence > 0.8
    assert other.confidence < own.confidence / 2
    assert model.read("").confidence == 0


def test_weights_of_other_features_are_not_read() -> None:
    """A model of another release is no model, and neither is a damaged one."""
    stored = pack(small())
    for broken in (b"", stored[: len(stored) // 2], b"no zlib", stored[:-1]):
        with pytest.raises(UnreadableModelError):
            unpack(broken)


def test_temperature_makes_a_model_less_sure_that_errs() -> None:
    """A model that is sure of wrong labels is divided by more than one that is right."""
    rows = examples(400)
    parts = split(rows)
    model = fit(parts["train"], [])
    wrong = [Example(one.text, "general") for one in parts["calibrate"]]
    assert temperature(model, wrong) > temperature(model, parts["calibrate"])


@pytest.mark.parametrize(
    ("right", "tickets"), [(1, 1), (20, 20), (188, 188), (90, 100), (0, 9), (4_950, 5_000)]
)
def test_bound_is_wilsons(right: int, tickets: int) -> None:
    """The same as SciPy's."""
    from scipy.stats import binomtest  # type: ignore[import-untyped]  # noqa: PLC0415

    known = binomtest(right, tickets).proportion_ci(0.95, method="wilson")
    assert wilson(right, tickets) == pytest.approx(known.low, abs=1e-4)
    assert at_most(right, tickets) == pytest.approx(known.high, abs=1e-4)


@pytest.mark.parametrize(
    ("right", "tickets", "dropped"),
    [
        (0, 0, False),
        (0, 19, False),
        (19, 20, False),
        (18, 20, True),
        (96, 100, False),
        (95, 100, True),
    ],
)
def test_drop_is_more_than_chance(right: int, tickets: int, dropped: bool) -> None:
    """Of a model that was right in 98 of 100 at least."""
    assert has_dropped(right, tickets, 0.98) is dropped


def test_small_counts_do_not_pass_a_bar() -> None:
    """However right they are: 189 right ones of 189 are the first that show 98 of 100."""
    assert wilson(0, 0) == 0
    assert wilson(188, 188) < 0.98 <= wilson(189, 189)


def test_no_count_reaches_certainty() -> None:
    """So a bar of 1.0 switches the model off."""
    assert wilson(10**6, 10**6) < 1


def test_each_confidence_lies_in_one_bucket() -> None:
    """Also the ends; a bucket without tickets is worth nothing."""
    assert [bucket_at(at) for at in (0.0, 0.299, 0.3, 0.989, 0.99, 1.0)] == [
        0.0, 0.0, 0.3, 0.98, 0.99, 0.99,
    ]  # fmt: skip
    found = buckets([Counted(1.0, True)] * 300 + [Counted(0.6, False)])
    assert sum(bucket["tickets"] for bucket in found) == 301
    assert accuracy_at(found, 0.995) == pytest.approx(wilson(300, 300))
    assert accuracy_at(found, 0.6) == accuracy_at(found, 0.75) == 0


def test_threshold_is_the_lowest_that_is_right_often_enough() -> None:
    """None when nothing is: then no ticket is routed. Sure ones do not pay for doubtful ones."""
    good, bad = [Counted(0.9, True)] * 200, [Counted(0.86, False)] * 20
    assert threshold([*bad, *good]) == threshold(good) == 0.9
    assert threshold([*bad[:2], *good]) == 0.85, "two wrong ones of 202"
    assert threshold(bad) is None
    assert threshold([Counted(0.84, True)] * 200) is None
    assert threshold(good[:20]) is None


def test_texts_that_read_alike_are_held_out_together() -> None:
    """A template filled with another number is on the same side, whatever else is trained."""
    assert len({part_of(f"Where is order {n}?") for n in (1, 22, 99_999)}) == 1
    shares = [part_of(f"Question about {word}") for word in dir(str) + dir(dict) + dir(random)]
    assert {shares.count(part) > 5 for part in ("train", "calibrate", "held_out")} == {True}


def test_contradicted_labels_are_left_out() -> None:
    """Two people who disagree teach nothing; one label given twice counts once."""
    rows = [Example("Refund me", "billing"), Example("refund me!", "general"),
            Example("It fails", "technical"), Example("It  fails.", "technical")]  # fmt: skip
    assert each_once(rows) == [rows[2]]


def test_file_names_intents_or_out_of_scope(tmp_path: Path) -> None:
    """One intent, a list, or none of ours; a ticket of several intents has no single label."""
    path = tmp_path / "tickets.jsonl"
    lines: list[dict[str, Any]] = [
        {"subject": "Help", "body": "Refund me", "intent": "billing"},
        {"body": "It fails", "intents": ["technical"]},
        {"body": "It fails, and refund me", "intents": ["technical", "billing"]},
        {"body": "Buy my list", "out_of_scope": True},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    assert read_file(path) == [
        Example("Help\nRefund me", "billing"),
        Example("It fails", "technical"),
        Example("It fails, and refund me", None),
        Example("Buy my list", "escalate"),
    ]


@pytest.mark.parametrize(
    "line",
    ["nonsense", '{"body": "x"}', '{"body": " ", "intent": "general"}', "[]",
     '{"body": "x", "intent": "refunds"}', '{"text": "x", "intent": "general"}'],
)  # fmt: skip
def test_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    """With the file and its number."""
    path = tmp_path / "tickets.jsonl"
    path.write_text(f'{{"body": "x", "intent": "general"}}\n{line}\n')
    with pytest.raises(RowError, match=r"tickets\.jsonl:2: "):
        read_file(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (examples(150), "150 labelled tickets"),
        ([one for one in examples(900) if one.intent == "billing"], "two intents"),
        ([*examples(400), Example("Buy my list of leads", "escalate")], "escalate 1"),
    ],
    ids=["few", "one intent", "few of one"],
)
def test_too_few_labels_train_nothing(rows: list[Example], said: str) -> None:
    """The message says how many there are, and how many are needed."""
    with pytest.raises(TooFewError, match=said):
        train(rows)


def test_figures_are_of_what_was_held_out() -> None:
    """Tickets of several intents count as wrong, those out of scope as left to people or not."""
    mixed = [Example(f"{one.text}, {ABOUT['technical'][0]} too", None) for one in examples(60)]
    made = train([*examples(800), *mixed])
    rows, figures = made.figures["rows"], made.figures
    assert rows["given"] == 860
    assert rows["train"] + rows["calibrate"] + rows["held_out"] <= 860
    assert figures["all"]["tickets"] == rows["held_out"] == len(made.held_out)
    assert figures["all"]["right"] < rows["held_out"]
    assert sum(bucket["tickets"] for bucket in figures["buckets"]) == rows["held_out"]
    beyond = [Example("zebra lasagne quantum", "escalate")] * 3
    again = measured(unpack(made.weights), beyond, made.threshold)
    assert again["out_of_scope"] == {"tickets": 3, "caught": 3}


@pytest.mark.parametrize(
    "body",
    [
        "I was charged twice and the upload fails",
        "How do I export? How do I import?",
        "I want a refund of pay_1, please refund it",
        "This is ridiculous, why was I charged",
        "Let me speak to a person about my bill",
        "Thank you very much",
        "qwertz uiop asdf",
        "why was my card charged on the invoice again by you " * 7,
    ],
)
def test_paid_model_is_asked_what_is_not_one_short_calm_question(body: str) -> None:
    """However sure the trained one is: it knows neither parts nor moods."""
    assert before_a_model(ticket(body, ""), sure("billing"), 0.98) is None


def test_trained_model_answers_where_it_is_good_enough() -> None:
    """Its measured accuracy is the confidence; below the bar a model is asked."""
    asked = ticket("Why was my card charged on Monday?", "")
    found = before_a_model(asked, sure("billing"), 0.98)
    assert found is not None
    opinion, tag = found
    assert (opinion.intents, opinion.confidence, opinion.language) == (["billing"], 0.99, "en")
    assert [(q.intent, q.text) for q in opinion.questions] == [("billing", asked["body"])]
    assert tag == {"version": 7, "intent": "billing", "accuracy": 0.99, "routed": True}
    assert before_a_model(asked, sure("billing", 0.97), 0.98) is None


def test_without_a_model_a_statement_is_routed_and_a_question_searched_for() -> None:
    """An exact answer is never lost to billing; the hand-off still goes where the model says."""
    routed = without_a_model(ticket("My card was charged on Monday", ""), sure("billing"), 0.5)
    assert routed is not None
    assert (routed[0].intents, routed[0].confidence) == (["billing"], 0.95)
    asked = without_a_model(ticket("Why was my card charged?", ""), sure("billing"), 0.5)
    assert asked is not None
    assert (asked[0].intents, asked[1]["routed"]) == (["general"], False)
    state: Any = {**fresh_run("r", ticket("x")), "triage": {"intents": ["general"]}}
    assert skill_for(state, {"reason": "unsure", "detail": ""}) == "general"
    state["triage"]["trained"] = asked[1]
    assert skill_for(state, {"reason": "unsure", "detail": ""}) == "billing"
    assert skill_for(state, {"reason": "anger", "detail": ""}) == "complaints"


@pytest.mark.parametrize(
    ("body", "model", "least"),
    [
        ("Please refund pay_1", sure("technical"), 0.5),
        ("It shows error E42", sure("billing"), 0.5),
        ("My card was charged", sure("billing", threshold=None), 0.5),
        ("My card was charged", sure("billing", threshold=0.99999999), 0.5),
        ("My card was charged", sure("billing"), 0.96),
    ],
    ids=["a wish", "a code", "never sure", "not sure", "the tenant's threshold"],
)
def test_without_a_model_the_rules_keep_what_is_certain(
    body: str, model: TrainedModel, least: float
) -> None:
    """Then the offline model triages as if there were no trained one."""
    assert without_a_model(ticket(body, ""), model, least) is None
