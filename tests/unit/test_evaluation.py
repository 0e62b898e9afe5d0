"""deskgraph eval: datasets are read strictly, verdicts follow the expectations."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.commands.articles import read_source
from app.commands.seed import ARTICLES, PAYMENTS, SUBSCRIPTIONS
from app.formats.jsonl import RowError
from app.quality.evaluation.dataset import ANY_ARTICLE, Case, read_dataset
from app.quality.evaluation.figures import Judged, by_group, failures, figures
from app.quality.evaluation.junit import write_junit
from app.quality.evaluation.rehearse import Rehearsed
from app.quality.evaluation.verdict import Verdict, judge, says
from graphs.state import Plan, fresh_run

LEAST = 240
GROUPS = {
    "how_to", "billing", "several", "out_of_scope", "mail_noise", "languages", "thanks_loops",
    "anger_legal", "attacks", "held_out",
}  # fmt: skip


def case(**expect: Any) -> Case:
    """A ticket with these expectations."""
    ticket = {"subject": "s", "body": "b", "customer": {"id": "cus_1"}}
    whole = {"outcome": ["answered", "escalated"], **expect}
    return Case.model_validate({"id": "t", "group": "g", "ticket": ticket, "expect": whole})


def ended(outcome: str, text: str = "", *cited: str, **state: Any) -> Rehearsed:
    """A run that ended so, and sent that text."""
    reply = {"id": "r", "text": text, "citations": list(cited), "public": True}
    left = {"outcome": outcome, "reply": reply if text else None, "draft": reply}
    ticket: Any = {"subject": "s", "body": "b", "language": None, "customer_name": None}
    whole: Any = {**fresh_run("r", ticket), "findings": {}, **left, **state}
    return Rehearsed(whole)


def refund(payment_id: str, amount_minor: int = 4900) -> dict[str, Any]:
    """A planned refund."""
    args = {"payment_id": payment_id, "amount_minor": amount_minor, "currency": "USD", "reason": ""}
    return {"id": "s1", "tool": "refund_payment", "args": args}


def plan(*steps: dict[str, Any]) -> Plan:
    """A plan of these steps."""
    whole: Any = {"steps": steps, "gate": [], "required_approvers": 1, "changed": [], "round": 0}
    planned: Plan = whole
    return planned


def test_shipped_dataset_fits_the_demo() -> None:
    """Every article, payment and subscription that an expectation names exists."""
    cases = read_dataset()
    articles = {article.id for article in read_source(ARTICLES)} | {ANY_ARTICLE}
    ids = {row[1] for row in (*PAYMENTS, *SUBSCRIPTIONS)}
    assert len(cases) >= LEAST
    assert {one.group for one in cases} == GROUPS
    assert {id_ for one in cases for id_ in one.expect.articles} <= articles
    assert {id_ for one in cases for wish in one.expect.effects for id_ in wish.ids} <= ids


def test_what_must_be_said_stands_in_an_article_that_may_be_cited() -> None:
    """A mistake in the dataset would count a true answer as wrong."""
    texts = {
        one.id: f"{one.title}\n{one.content}".replace("*", "") for one in read_source(ARTICLES)
    }
    english = [one for one in read_dataset() if one.group in {"how_to", "several"}]
    for one in english:
        allowed = [texts[id_].casefold() for id_ in one.expect.articles]
        for words in filter(None, one.expect.must_say):
            wordings = [wording.casefold() for wording in words.split("|")]
            assert any(w in text for w in wordings for text in allowed), (one.id, words)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no json", "Invalid JSON"),
        ('{"id": "a"}', "Field required"),
        ("[1]", "should be an object"),
    ],
)
def test_broken_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    """Which line, and what is wrong with it."""
    source = tmp_path / "d.jsonl"
    source.write_text(f"{case().model_dump_json(exclude={'expect': {'effects'}})}\n{line}\n")
    with pytest.raises(RowError, match=why) as error:
        read_dataset(source)
    assert f"{source}:2" in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"must_say": "x"},
        {"must_sya": ["x"]},
        {"outcome": ["done"]},
        {"outcome": []},
        {"questions": 2, "must_say": ["x"]},
        {"effects": ["refund"]},
        {"effects": ["pay pay_1"]},
        {"effects": ["refund pay_1 many USD"]},
        {"effects": [1]},
    ],
)
def test_expectation_that_nothing_checks_is_refused(tmp_path: Path, wrong: Any) -> None:
    """A mistyped key or value would make a ticket right whatever is said."""
    line = json.loads(case().model_dump_json())
    line["expect"] = {"outcome": ["answered"], **wrong}
    source = tmp_path / "d.jsonl"
    source.write_text(json.dumps(line))
    with pytest.raises(RowError):
        read_dataset(source)


def test_same_id_twice_and_no_ticket_are_refused(tmp_path: Path) -> None:
    """Both hide tickets."""
    source = tmp_path / "d.jsonl"
    source.write_text("\n".join([json.dumps(json.loads(case().model_dump_json()))] * 2))
    with pytest.raises(RowError, match="twice"):
        read_dataset(source)
    source.write_text("\n\n")
    with pytest.raises(RowError, match="no tickets"):
        read_dataset(source)


TWO = {"questions": 2, "must_say": ["60 minutes|one hour", "2 GB"], "articles": ["a", "b"]}
HANDED = [{"step_id": "s", "tool": "create_handoff", "args": {}, "result": {}}]


@pytest.mark.parametrize(
    ("expect", "end", "kind"),
    [
        ({}, ended("answered", "Yes."), "right"),
        ({}, ended("escalated", "A colleague writes."), "handed over"),
        ({"outcome": ["escalated"]}, ended("answered", "Yes."), "wrong"),
        ({}, ended("ignored"), "wrong"),
        ({"outcome": ["ignored"]}, ended("ignored"), "silent"),
        ({"outcome": ["ignored"], "silent": True}, ended("escalated", "Wait."), "wrong"),
        ({"must_say": ["7"]}, ended("answered", "7 days."), "right"),
        ({"must_say": ["7"]}, ended("answered", "17 days."), "wrong"),
        ({"must_say": ["a", "b"]}, ended("answered", "A only"), "wrong"),
        ({"must_not_say": ["evil.example"]}, ended("escalated", "See evil.example."), "wrong"),
        ({"articles": ["a"]}, ended("answered", "Yes.", "a"), "right"),
        ({"articles": ["a"]}, ended("answered", "Yes.", "a", "b"), "wrong"),
        ({"articles": ["*"]}, ended("answered", "Yes.", "b"), "right"),
        (TWO, ended("answered", "60 minutes. 2 GB.", "a"), "right"),
        (TWO, ended("answered", "One hour.", "a"), "wrong"),
        (TWO, ended("answered", "One hour.", "a", effects=HANDED), "partial"),
        (TWO, ended("answered", "One hour.", "a", asked_back=[{"question": "q2"}]), "partial"),
        (TWO, ended("answered", "Hello.", "a", effects=HANDED), "wrong"),
        ({"outcome": ["asked"], "must_say": ["x"]}, ended("asked", "Which one?"), "right"),
        ({}, Rehearsed(ended("answered").state, failure="KeyError"), "wrong"),
        ({}, ended("acted", "Done."), "wrong"),
    ],
)
def test_verdicts(expect: dict[str, Any], end: Rehearsed, kind: str) -> None:
    """One ending and one expectation each."""
    assert judge(case(**expect), end).kind == kind


@pytest.mark.parametrize(
    ("steps", "wishes", "kind"),
    [
        ([refund("pay_1")], ["refund pay_1"], "handed over"),
        ([refund("pay_1")], ["refund pay_1|pay_2 4900 USD"], "handed over"),
        ([refund("pay_1")], ["refund pay_1 900 USD"], "wrong"),
        ([refund("pay_1")], ["cancel pay_1"], "wrong"),
        ([refund("pay_1")], [], "wrong"),
        ([refund("pay_1"), refund("pay_2")], ["refund pay_1|pay_2"], "wrong"),
        ([refund("pay_1"), refund("pay_2")], ["refund pay_1", "refund pay_2"], "handed over"),
    ],
)
def test_plan_without_a_wish_is_wrong_although_a_person_sees_it(
    steps: list[Any], wishes: list[str], kind: str
) -> None:
    """Money may be proposed only as far as the customer asked for it."""
    after = ended("acted", "We have refunded it.", plan=plan(*steps))
    seen = Rehearsed(after.state, gates=[plan(*steps)])
    expect = case(outcome=["acted"], effects=wishes, must_not_say=["we have refunded"])
    assert judge(expect, seen).kind == kind


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("settings > billing", "Settings > Billing", True),
        ("it is 49.00 usd", "49", True),
        ("it is 49,000 usd", "49", False),
        ("yesterday", "Yes", False),
        ("yes, it does", "Yes", True),
        ("a task-list", "sk-", False),
        ("14日以内", "14", True),
    ],
)
def test_words_are_found_as_a_reader_finds_them(text: str, words: str, found: bool) -> None:
    """Not as a part of another number or word."""
    assert says(text, words) is found


def judged(kind: Any, group: str = "g", **expect: Any) -> Judged:
    """A ticket with that verdict."""
    given = case(**expect).model_copy(update={"group": group})
    return Judged(given, ended("answered", "Bad \x00 sign"), Verdict(kind, "why"))


def test_figures_and_thresholds() -> None:
    """Shares are of what left alone, and of what an article answers."""
    every = [
        judged("right", must_say=["x"]),
        judged("handed over", must_say=["x"]),
        judged("wrong"),
        judged("partial", "h"),
        judged("silent", "h"),
    ]
    total = figures(every)
    assert (total.wrong, total.right, total.partial, total.handed_over, total.silent) == (1,) * 5
    assert (total.wrong_share, total.answered_share) == (1 / 3, 0.5)
    assert failures(total, 0.34, 0.5) == []
    assert len(failures(total, 0.02, 0.95)) == 2
    assert {name: group.tickets for name, group in by_group(every).items()} == {"g": 3, "h": 2}
    nothing = figures([judged("handed over")])
    assert failures(nothing, 0.0, 1.0) == []


def test_junit_file_is_xml_with_a_failure_for_each_wrong_ticket(tmp_path: Path) -> None:
    """CI systems read it; a reply may hold signs that XML cannot."""
    path = tmp_path / "j.xml"
    write_junit(path, {"offline": [judged("wrong"), judged("right")]})
    [suite] = ET.parse(path).getroot()  # noqa: S314  # written just now
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert len(suite.findall("testcase/failure")) == 1
