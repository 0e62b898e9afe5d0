"""A mailing over a real SMTP server and a real Postgres: everybody once, whatever happens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select, update
from uuid_utils.compat import uuid7

from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from app.db.effects import mailings
from app.db.effects.approvals import get_approval, open_approval, record_decision
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.db.tables.sandbox import SandboxMail
from app.db.tenants.queries import ensure_tenant
from app.execution.wiring import ports_for
from app.lifecycle import ApprovalStatus
from app.settings import Settings
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.doubles.smtp_server import Postbox, smtp_server
from tests.integration.boxes import toolbox_on
from tests.integration.conftest import Begin
from tests.integration.test_ledger import EXPIRES
from tools.errors import (
    ApprovalRequiredError,
    RefusedError,
    RunLostError,
    UnavailableError,
    UnfinishedError,
)
from tools.mail import BULK_MAIL, PREVIEW_MAIL
from tools.ports import Caller, Mailer
from tools.toolbox import Toolbox

pytestmark = pytest.mark.no_articles

NEWS = {"audience": "news", "subject": "Hello {name}", "body": "Dear {name}, {unknown} 100 %."}
OpenToolbox = Callable[..., Toolbox]
OPEN = Policy(bulk_mail_gate_from=10**6)
BEGUN = "mail:news:T-1"


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    """A mail server of the test's own."""
    async with smtp_server(Postbox()) as opened:
        yield opened


@pytest.fixture
async def tenant(sessions: Sessions) -> Tenant:
    """A tenant with nothing but a key."""
    tenant_id = f"mail-{uuid7()}"
    async with sessions.begin() as session:
        await ensure_tenant(session, tenant_id, "Mail")
        key = await issue_key(session, tenant_id, "starter", ["runs:write", "mail:send"])
    return Tenant(tenant_id, key, key, key)


@pytest.fixture
async def caller(begin: Begin) -> Caller:
    """A running run whose key may mail."""
    return replace(await begin(), may_mail=True)


@pytest.fixture
def open_toolbox(sessions: Sessions, caller: Caller, postbox: Postbox) -> OpenToolbox:
    """The toolbox as `act` has it, with the mail server behind."""

    def make(policy: Policy = OPEN, **changes: Any) -> Toolbox:
        settings = Settings(
            _env_file=None, smtp_host="127.0.0.1", smtp_port=postbox.port, smtp_security="none",
            smtp_timeout_seconds=2, smtp_retry_seconds=0.05, mail_from="Fern <news@fern.example>",
            mail_unsubscribe_url="https://fern.example/u/{contact_id}",
        )  # fmt: skip
        who = changes.pop("caller", caller)
        ports = replace(ports_for(settings, sessions, who), **changes)
        box = toolbox_on(ports, sessions, who, policy)
        return replace(box, grants={BULK_MAIL.permission, PREVIEW_MAIL.permission})

    return make


@pytest.fixture
def people(sessions: Sessions, caller: Caller) -> Callable[..., Awaitable[None]]:
    """Puts people into the audience `news`."""

    async def put(*names: str, **values: Any) -> None:
        rows = [
            {"tenant_id": caller.tenant_id, "id": name, "email": f"{name}@example.com",
             "name": name.title(), "segments": ["news"], "unsubscribed": False, **values}
            for name in names
        ]  # fmt: skip
        async with sessions.begin() as session:
            await mailings.put_contacts(session, rows)

    return put


People = Callable[..., Awaitable[None]]


async def counted(box: Toolbox, **changes: Any) -> dict[str, Any]:
    """The arguments as code fills them from the server's count."""
    preview = await box.call("preview_mail", {**NEWS, **changes})
    return {**NEWS, **changes, "recipients": preview["count"], "as_of": preview["as_of"]}


async def until_done(box: Toolbox, args: dict[str, Any]) -> Any:
    """Call as `act` does, slice after slice."""
    while True:
        try:
            return await box.call("send_bulk_mail", args, step_id="mail-news")
        except UnfinishedError:
            continue


def ended(**counts: int) -> dict[str, Any]:
    """A result with these counts."""
    return {"audience": "news", "sent": 0, "failed": 0, "unknown": 0, "skipped": 0, **counts}


async def test_everybody_gets_one_mail_of_their_own(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """One connection for all; a second call sends nothing; only `{name}` is replaced."""
    await people("ann", "bob", "eva")
    await people("gone", unsubscribed=True)
    box = open_toolbox()
    args = await counted(box)
    assert await until_done(box, args) == ended(sent=3)
    assert await until_done(box, args) == ended(sent=3)
    assert sorted(postbox.addresses) == ["ann@example.com", "bob@example.com", "eva@example.com"]
    assert postbox.connections == 1
    [first] = [message for address, message in postbox.taken if address == "ann@example.com"]
    assert first["Subject"] == "Hello Ann"
    assert first["From"] == "Fern <news@fern.example>"
    assert first["List-Unsubscribe"] == "<https://fern.example/u/ann>"
    assert first.get_content().strip() == "Dear Ann, {unknown} 100 %."
    assert first.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "subject", ["Hi\r\nBcc: all@evil.example", "Hi\nX: y", "Hi\x00", "Hi\u2028X", "x" * 201, ""]
)
async def test_hostile_subject_is_refused_before_anything(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox, subject: str
) -> None:
    """A line break in a subject would be a header of the attacker's own."""
    await people("ann")
    args = await counted(open_toolbox())
    with pytest.raises(Exception, match="subject"):
        await open_toolbox().call("send_bulk_mail", {**args, "subject": subject}, step_id="s")
    assert postbox.tried == []


@pytest.mark.parametrize(
    "name",
    ["Ann\r\nBcc: all@evil.example", '"Ann" <x@evil.example>, "', "{name}", "Än\u0301n 日本"],
)
async def test_hostile_name_is_only_a_name(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox, name: str
) -> None:
    """One recipient, one To, no header from a contact's name, and no second replacing."""
    await people("ann", name=name)
    box = open_toolbox()
    assert await until_done(box, await counted(box)) == ended(sent=1)
    [(address, message)] = postbox.taken
    assert address == "ann@example.com"
    assert [a.addr_spec for a in message["To"].addresses] == ["ann@example.com"]
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello " + " ".join(name.split())


async def test_refused_for_good_fails_and_refused_for_now_is_tried_again(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """5xx once, 4xx three times with growing pauses; one that heals is sent."""
    answers = {"bad": "550 no such user", "busy": "451 later", "full": "452 later"}

    def rcpt(address: str) -> str | None:
        name = address.split("@", maxsplit=1)[0]
        return None if name == "full" and postbox.tried.count(address) > 1 else answers.get(name)

    postbox.rcpt = rcpt
    await people("ann", "bad", "busy", "full", "zoe")
    box = open_toolbox()
    assert await until_done(box, await counted(box)) == ended(sent=3, failed=2)
    tries = {name: postbox.tried.count(f"{name}@example.com") for name in answers}
    assert tries == {"bad": 1, "busy": 3, "full": 2}
    assert sorted(postbox.addresses) == ["ann@example.com", "full@example.com", "zoe@example.com"]


async def test_refusal_after_data_counts_like_one_before(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """The server says no to the content: that one got none, and the others do."""
    postbox.data = lambda address: "554 spam" if address.startswith("bob") else None
    await people("ann", "bob", "eva")
    box = open_toolbox()
    assert await until_done(box, await counted(box)) == ended(sent=2, failed=1)


async def test_line_cut_before_data_is_opened_again(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """Nothing had left yet, so the same one is mailed on a new connection."""
    postbox.rcpt = lambda a: (
        "hang up" if a.startswith("bob") and postbox.tried.count(a) == 1 else None
    )
    await people("ann", "bob", "eva")
    box = open_toolbox()
    assert await until_done(box, await counted(box)) == ended(sent=3)
    assert (len(postbox.taken), postbox.connections) == (3, 2)


async def test_line_cut_after_data_is_never_mailed_again(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """The server had it, but its answer was lost: reported as unknown, once in the postbox."""
    postbox.data = lambda address: "hang up" if address.startswith("bob") else None
    await people("ann", "bob", "eva")
    box = open_toolbox()
    assert await until_done(box, await counted(box)) == ended(sent=2, unknown=1)
    assert postbox.addresses.count("bob@example.com") == 1
    assert len(postbox.taken) == 3


async def test_crash_between_data_and_ledger_sends_no_mail_twice(
    sessions: Sessions, open_toolbox: OpenToolbox, caller: Caller, people: People, postbox: Postbox
) -> None:
    """The attempt dies after the server took Bob's mail; the next attempt goes on with Eva."""
    await people("ann", "bob", "eva")
    real = ports_for(Settings(_env_file=None), sessions, caller).mailings
    args = await counted(open_toolbox())
    with pytest.raises(DyingError):
        await until_done(open_toolbox(mailings=Dying(real, "bob")), args)
    async with sessions.begin() as session:
        await session.execute(update(Run).where(Run.id == caller.run_id).values(attempt=2))
    later = open_toolbox(caller=replace(caller, attempt=2))
    assert await until_done(later, args) == ended(sent=2, unknown=1)
    assert postbox.addresses == ["ann@example.com", "bob@example.com", "eva@example.com"]
    with pytest.raises(RunLostError):
        await real.next(f"mail:news:{caller.ticket_id}")


class DyingError(Exception):
    """The process is gone."""


class Dying:
    """Real mailings that die when the end of one person's mail is to be noted."""

    def __init__(self, real: Any, name: str) -> None:
        self.real, self.name = real, name

    def __getattr__(self, what: str) -> Any:
        return getattr(self.real, what)

    async def note(self, key: str, contact_id: str, delivery: Any) -> None:
        if contact_id == self.name:
            raise DyingError
        await self.real.note(key, contact_id, delivery)


async def test_cancelled_run_stops_between_two_recipients(
    sessions: Sessions, open_toolbox: OpenToolbox, caller: Caller, people: People, postbox: Postbox
) -> None:
    """Who was mailed stays mailed; the effect shows how far it came."""
    await people("ann", "bob", "eva")
    box = open_toolbox()
    args = await counted(box)

    real = ports_for(Settings(_env_file=None), sessions, caller).mailings

    class CancelledMeanwhile(Dying):
        async def note(self, key: str, contact_id: str, delivery: Any) -> None:
            await self.real.note(key, contact_id, delivery)
            async with sessions.begin() as session:
                query = update(Run).where(Run.id == caller.run_id)
                await session.execute(query.values(cancel_requested_at=datetime.now(UTC)))

    with pytest.raises(RunLostError):
        await until_done(open_toolbox(mailings=CancelledMeanwhile(real, "")), args)
    assert postbox.addresses == ["ann@example.com"]
    entry = await ledger_row(sessions, caller)
    assert (entry.status, entry.result) == ("started", None)
    assert entry.progress == {"sent": 1, "failed": 0, "unknown": 0, "skipped": 0, "waiting": 2}


async def ledger_row(sessions: Sessions, caller: Caller) -> LedgerEntry:
    """The mailing's row."""
    query = select(LedgerEntry).where(
        LedgerEntry.tenant_id == caller.tenant_id, LedgerEntry.tool == "send_bulk_mail"
    )
    async with sessions() as session:
        return (await session.scalars(query)).one()


async def test_progress_lags_at_most_a_hundred_behind(
    sessions: Sessions, open_toolbox: OpenToolbox, caller: Caller, people: People, postbox: Postbox
) -> None:
    """The row is counted again at the latest after a hundred, while the mailing runs."""
    await people(*(f"p{n:03d}" for n in range(104)))
    seen: list[tuple[int, int]] = []
    args = await counted(open_toolbox())
    real = ports_for(Settings(_env_file=None), sessions, caller).mailings

    class Watched(Dying):
        async def next(self, key: str) -> Any:
            progress = (await ledger_row(sessions, caller)).progress or {"sent": 0}
            seen.append((len(postbox.taken), progress["sent"]))
            return await self.real.next(key)

    assert await until_done(open_toolbox(mailings=Watched(real, "")), args) == ended(sent=104)
    assert all(taken - shown <= 100 for taken, shown in seen)
    assert any(0 < shown < 104 for _, shown in seen)
    assert len(set(postbox.addresses)) == len(postbox.addresses) == 104


@pytest.mark.parametrize("change", ["grown", "swapped", "moved"])
async def test_list_that_changed_after_the_count_is_not_mailed(
    sessions: Sessions,
    open_toolbox: OpenToolbox,
    people: People,
    postbox: Postbox,
    caller: Caller,
    change: str,
) -> None:
    """Grown, swapped one for one, or with another address: nothing is sent."""
    await people("ann", "bob")
    box = open_toolbox()
    args = await counted(box)
    if change == "grown":
        await people("eve")
    if change == "swapped":
        await people("bob", unsubscribed=True)
        await people("eve")
    if change == "moved":
        await people("bob", email="eve@example.com")
    with pytest.raises(RefusedError, match="counted"):
        await until_done(box, args)
    assert postbox.tried == []
    assert (await ledger_row(sessions, caller)).status == "failed"


async def test_who_leaves_after_the_count_is_not_mailed(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """A shorter list is what was agreed to, and less; importing the same again changes nothing."""
    await people("ann", "bob")
    box = open_toolbox()
    args = await counted(box)
    await people("ann")
    await people("bob", unsubscribed=True)
    await people("bob")
    assert await until_done(box, args) == ended(sent=1)
    assert postbox.addresses == ["ann@example.com"]


async def test_gate_counts_by_itself(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """Below the gate it goes, at the gate it needs a person, whatever the arguments say."""
    await people("ann", "bob")
    box = open_toolbox(Policy(bulk_mail_gate_from=2))
    args = {**await counted(box), "recipients": 1}
    with pytest.raises(ApprovalRequiredError):
        await until_done(box, args)
    assert postbox.tried == []
    box = open_toolbox(Policy(bulk_mail_gate_from=3))
    assert await until_done(box, await counted(box)) == ended(sent=2)


async def test_approval_covers_exactly_the_mail_that_was_shown(
    sessions: Sessions, open_toolbox: OpenToolbox, people: People, postbox: Postbox, caller: Caller
) -> None:
    """Another text or another count needs an approval of its own."""
    await people("ann", "bob")
    box = open_toolbox(Policy(bulk_mail_gate_from=1))
    args = await counted(box)
    await approve(sessions, caller, args)
    for change in ({"body": "other"}, {"recipients": 3}, {"subject": "x"}):
        with pytest.raises(ApprovalRequiredError):
            await until_done(box, {**args, **change})
    assert postbox.tried == []
    assert await until_done(box, args) == ended(sent=2)


async def approve(sessions: Sessions, caller: Caller, args: dict[str, Any]) -> None:
    """An approved plan with the mailing as its only step."""
    step = {"id": "mail-news", "tool": "send_bulk_mail", "args": args, "editable": []}
    async with sessions.begin() as session:
        approval_id = uuid7()
        await open_approval(
            session, id=approval_id, tenant_id=caller.tenant_id, run_id=caller.run_id,
            ticket_id=caller.ticket_id, interrupt_id="i", kind="plan", steps=[step], gate=["g"],
            digest="d", verdicts=["approve"], expires_at=EXPIRES,
        )  # fmt: skip
        decision = {"verdict": "approve", "steps": [step]}
        approval = await get_approval(session, caller.tenant_id, approval_id)
        assert approval is not None
        assert await record_decision(
            session, approval, status=ApprovalStatus.APPROVED, decision=decision
        )


async def test_server_that_is_away_loses_no_mail(
    open_toolbox: OpenToolbox, people: People, postbox: Postbox
) -> None:
    """No connection: unavailable, to be tried again; then everybody is mailed."""
    await people("ann", "bob")
    port, postbox.port = postbox.port, 9
    box = open_toolbox()
    args = await counted(box)
    with pytest.raises(UnavailableError):
        await until_done(box, args)
    postbox.port = port
    assert await until_done(open_toolbox(), args) == ended(sent=2)


async def test_without_a_server_the_sandbox_keeps_the_mails(
    sessions: Sessions, open_toolbox: OpenToolbox, people: People, caller: Caller
) -> None:
    """The demo works with no server, and shows what would have been sent."""
    await people("ann", "bob")
    kept: Mailer = ports_for(Settings(_env_file=None), sessions, caller).mailer
    box = open_toolbox(mailer=kept)
    assert await until_done(box, await counted(box)) == ended(sent=2)
    query = select(SandboxMail.recipient).where(SandboxMail.tenant_id == caller.tenant_id)
    async with sessions() as session:
        found = sorted(await session.scalars(query))
    assert found == ["ann@example.com", "bob@example.com"]


async def test_audiences_of_another_tenant_do_not_exist(
    open_toolbox: OpenToolbox, people: People, begin: Begin
) -> None:
    """Names and counts are the tenant's own."""
    await people("ann")
    stranger = replace(await begin(ticket="T-9"), tenant_id="nobody", may_mail=True)
    assert await open_toolbox(caller=stranger).call("read_audiences", {}) == {"all": 0}
    preview = await open_toolbox(caller=stranger).call("preview_mail", NEWS)
    assert (preview["count"], preview["first"], preview["text"]) == (0, [], "")


async def test_list_is_fixed_without_reading_it(
    sessions: Sessions, caller: Caller, people: People, open_toolbox: OpenToolbox
) -> None:
    """However many they are, the service is given a number and a time, and writes one statement."""
    names = [f"p{n:04d}" for n in range(2000)]
    await people(*names)
    args = await counted(open_toolbox())
    port = ports_for(Settings(_env_file=None), sessions, caller).mailings
    await ledger_begun(sessions, caller)
    read: list[int] = []

    def fetched(_connection: Any, cursor: Any, *_rest: Any) -> None:
        read.append(cursor.rowcount if cursor.description else 0)

    engine = sessions.kw["bind"].sync_engine
    event.listen(engine, "after_cursor_execute", fetched)
    try:
        await port.begin(BEGUN, "news", args["recipients"], args["as_of"])
        assert await port.problem("news", args["recipients"], args["as_of"]) is None
    finally:
        event.remove(engine, "after_cursor_execute", fetched)
    assert max(read) < 10
    assert (await port.tally(BEGUN))["waiting"] == len(names)


async def ledger_begun(sessions: Sessions, caller: Caller) -> None:
    """The row that the ledger writes before the call."""
    async with sessions.begin() as session:
        session.add(
            LedgerEntry(
                tenant_id=caller.tenant_id, key=BEGUN, run_id=caller.run_id, args={},
                customer_id=caller.customer_id, tool="send_bulk_mail", status="started",
            )
        )  # fmt: skip
