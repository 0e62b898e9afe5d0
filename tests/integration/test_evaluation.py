"""The shipped dataset through the real graph: offline, with a good model, and with bad ones."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.commands.evaluate import Measured, Wanted, evaluate, measure
from app.db.core.base import Base
from app.db.core.connections import Sessions
from app.db.tables.tenants import Tenant as TenantRow
from app.execution.wiring import Service
from app.models.offline.chat_model import OfflineChatModel
from app.quality.evaluation.dataset import Case, read_dataset
from app.quality.evaluation.figures import figures
from app.quality.evaluation.tenant import NAMED, TRAIL
from app.quality.evaluation.verdict import plain
from graphs.context import Models
from graphs.llm.pool import open_pool
from graphs.policy import Policy
from graphs.state import Grounding
from tests.doubles.attacks import REPLIES
from tests.doubles.knowing_model import KnowingModel, LyingModel
from tests.unit.test_docs import table

MAX_WRONG = 0.02
# A ticket takes a tenth of a second, so `make test` asks one in so many, and `make thorough` all.
EVERY = 12
LIES = list(REPLIES.values())
# Other tests take the same ways; to trace all of these tickets takes twice as long again.
many = pytest.mark.no_cover
# Plain questions, which a model answers unless it is kept from it.
ANSWERABLE = {"how_to"}


def wanted(groups: Collection[str] = (), grounding: Grounding | None = None) -> Wanted:
    """The shipped tickets of these groups, or all, under the default policy."""
    cases = [case for case in read_dataset() if not groups or case.group in groups]
    policy = Policy.model_validate({"answer_cache_seconds": 0, "grounding": grounding})
    return Wanted(cases, (), policy)


async def measured(service: Service, model: OfflineChatModel, what: Wanted) -> Measured:
    """The verdicts when that model plays every role of a configured one."""
    models = Models(fast=model, strong=model, fallback=OfflineChatModel())
    return await measure(replace(service, models=open_pool(models)), what, model.model_name)


def wrong(measured: Measured) -> list[str]:
    """What went wrong, for the failure of a test to show."""
    found = [one for one in measured.judged if one.verdict.kind == "wrong"]
    return [f"{one.case.id}: {one.verdict.why}" for one in found]


@many
async def test_offline_hardly_ever_answers_wrongly(service: Service, *, thorough: bool) -> None:
    """Without a key the service may hand over what it likes, and say nothing false."""
    [offline] = await evaluate(service.settings, few(wanted(), thorough=thorough))
    assert offline.model == "offline"
    assert figures(offline.judged).wrong_share <= MAX_WRONG, wrong(offline)
    assert not thorough or shown(offline) == documented("offline, now")


@many
async def test_good_model_answers_and_hardly_ever_wrongly(
    service: Service, *, thorough: bool
) -> None:
    """What a good model drafts leaves in 95 of 100 tickets that an article answers."""
    good = await measured(service, KnowingModel(), few(wanted(), thorough=thorough))
    total = figures(good.judged)
    assert total.wrong_share <= MAX_WRONG, wrong(good)
    assert total.answered_share >= 0.95, [
        one.case.id
        for one in good.judged
        if one.case.expect.answerable and one.verdict.kind not in {"right", "partial"}
    ]
    assert not thorough or shown(good) == documented("a good model, `verified`")


@pytest.mark.thorough
@many
async def test_good_model_is_hardly_ever_wrong_in_quotes_mode(
    service: Service, *, thorough: bool
) -> None:
    """It answers less, since a reply holds nothing but whole quotes."""
    what = few(wanted(grounding="quotes"), thorough=thorough)
    good = await measured(service, KnowingModel(), what)
    assert figures(good.judged).wrong_share <= MAX_WRONG, wrong(good)
    assert not thorough or shown(good) == documented("a good model, `quotes`")


def few(what: Wanted, *, thorough: bool) -> Wanted:
    """One ticket in so many, or all."""
    return what if thorough else replace(what, cases=what.cases[::EVERY])


def shown(measured: Measured) -> list[str]:
    """The figures as docs/triage.md writes them."""
    total = figures(measured.judged)
    alone = total.wrong + total.right + total.partial
    return [
        f"{percent(total.wrong_share)} ({total.wrong} of {alone})",
        percent(total.answered_share),
        str(total.handed_over),
    ]


def percent(share: float) -> str:
    """With one digit, where there is one to show."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def documented(row: str) -> list[str]:
    """A line of the table in docs/triage.md."""
    rows = {name: cells for name, *cells in table("docs/triage.md", "## How often it is wrong")}
    return rows[row]


@many
async def test_nothing_false_leaves_of_an_obedient_drafter(
    service: Service, *, thorough: bool
) -> None:
    """An honest verifier stops every lie, although each stands beside a true quote."""
    lies = LIES if thorough else LIES[::EVERY]
    model = LyingModel(lies=lies)
    measures = await measured(service, model, few(wanted(ANSWERABLE), thorough=thorough))
    assert model.drafted > len(lies)
    assert lies_sent(measures) == []


@pytest.mark.thorough
@many
async def test_nothing_false_leaves_in_quotes_mode_when_both_obey(
    service: Service, *, thorough: bool
) -> None:
    """There a reply holds whole quotes of what was found, whatever any model says."""
    lies = LIES if thorough else LIES[::EVERY]
    model = LyingModel(lies=lies, blind=True)
    what = few(wanted(ANSWERABLE, "quotes"), thorough=thorough)
    measures = await measured(service, model, what)
    assert model.drafted > len(lies)
    assert lies_sent(measures) == []


def lies_sent(measures: Measured) -> list[str]:
    """The replies that hold a lie; each run sent something, an answer or a holding reply."""
    sent = {one.case.id: one.ended.state["reply"] for one in measures.judged}
    assert all(sent.values())
    texts = {id_: plain(reply["text"]) for id_, reply in sent.items() if reply}
    return [f"{id_}: {lie}" for id_, text in texts.items() for lie in LIES if plain(lie) in text]


async def test_nothing_is_left_of_an_evaluation(service: Service, sessions: Sessions) -> None:
    """Its tenant goes with every row but its trail; the rehearsal wrote no run, message, effect."""
    before = await rows(sessions)
    await evaluate(service.settings, replace(wanted(), cases=wanted().cases[:3]))
    async with sessions() as session:
        ours = select(TenantRow.id).where(TenantRow.id.startswith(NAMED))
        assert list(await session.scalars(ours)) == []
    assert await rows(sessions) == before


async def rows(sessions: Sessions) -> dict[str, int]:
    """How many rows each table has."""
    counts = {}
    async with sessions() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in TRAIL:
                continue
            counts[table.name] = await session.scalar(select(func.count()).select_from(table)) or 0
    return counts


async def test_ticket_that_breaks_its_run_is_wrong(service: Service) -> None:
    """A fault in the code is a finding about that ticket, and the others are still measured."""

    class Broken(KnowingModel):
        def case_of(self, given: object) -> Case:
            raise AssertionError

    [case] = [case for case in read_dataset() if case.id == "how_to-01"]
    measures = await measured(service, Broken(), replace(wanted(), cases=[case]))
    [one] = measures.judged
    assert one.verdict.kind in {"wrong", "handed over"}


@pytest.mark.parametrize("model", ["gpt-5", "offline"])
async def test_only_a_configured_server_can_be_asked(service: Service, model: str) -> None:
    """Without a key there is one model."""
    what = replace(wanted(), cases=wanted().cases[:1], models=(model,))
    if model == "offline":
        [measures] = await evaluate(service.settings, what)
        assert measures.model == "offline"
    else:
        with pytest.raises(Exception, match="2"):
            await evaluate(service.settings, what)
