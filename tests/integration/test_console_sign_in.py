"""Signing in to the console: by key, by link, by an identity provider; out here and everywhere."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text, update

from app.db.tables.tenants import ApiKey
from app.db.tenants.queries import list_keys, revoke_key
from app.execution.wiring import Service
from app.services.console import sign_in as cases
from tests.conftest import Tenant
from tests.integration.command_line import deskgraph
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console, words

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant, by API keys alone."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def test_key_signs_in_and_the_cookie_is_out_of_reach(console: Console) -> None:
    """HttpOnly, SameSite, for 12 hours; the id is opaque and only its hash is stored."""
    browser, key = console.browser(), await console.key("Ann")
    form = {"key": f" {key} ", "next": "/console?kind=plan"}
    sent = await browser.post("/console/sign-in", data=form)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/console?kind=plan")
    [cookie] = sent.headers.get_list("Set-Cookie")
    assert cookie.startswith("deskgraph_session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    opaque = browser.cookies["deskgraph_session"]
    async with console.service.sessions() as session:
        stored = await session.execute(text("SELECT id_sha256 FROM console_sessions"))
        hashes = [bytes(row[0]) for row in stored]
    assert cases.sha256(opaque) in hashes
    assert opaque.encode() not in hashes


async def test_cookie_is_secure_off_loopback(console: Console) -> None:
    """Under any other name of the host the browser keeps it over TLS alone, and for it alone."""
    key = await console.key("Ann")
    headers = {"Host": "desk.example.com", "Origin": "https://desk.example.com"}
    sent = await console.browser().post("/console/sign-in", data={"key": key}, headers=headers)
    [cookie] = sent.headers.get_list("Set-Cookie")
    assert cookie.startswith("__Host-deskgraph_session=")
    assert "Secure" in cookie.split("; ")
    page = await console.browser().get("/console/sign-in", headers={"Host": "desk.example.com"})
    assert "not served over TLS" in words(page)


@pytest.mark.parametrize("key", ["", "dg_", "dg_x_y", "Bearer", "dg_é_x", "dg_\x00_x", "x" * 9000])
async def test_wrong_key_is_refused(console: Console, key: str) -> None:
    """With one sentence, whatever is wrong with it."""
    refused = await console.browser().post("/console/sign-in", data={"key": key})
    assert refused.status_code == 401
    assert "No live key is spelled like that." in words(refused)
    assert "Set-Cookie" not in refused.headers


async def test_key_without_a_scope_that_reads_is_not_signed_in(console: Console) -> None:
    """A helpdesk's key that only starts runs is no person's; by a link neither."""
    key = await console.key("Helpdesk two", "runs:write")
    async with console.service.sessions.begin() as session:
        row = await session.get_one(ApiKey, key.split("_")[1])
        link = f"/console/sign-in/{await cases.make_link(session, row)}"
    browser = console.browser()
    for address in ("/console/sign-in", link):
        refused = await browser.post(address, data={"key": key})
        assert refused.status_code == 403
        assert "approvals:decide or runs:read or admin" in words(refused)
        assert "Set-Cookie" not in refused.headers


async def test_person_without_a_scope_any_more_can_sign_out(console: Console) -> None:
    """They see why there is no page for them, with the way out, which works."""
    ann = await console.sign_in("Ann")
    async with console.service.sessions.begin() as session:
        lost = update(ApiKey).where(ApiKey.tenant_id == console.tenant.id, ApiKey.name == "Ann")
        await session.execute(lost.values(scopes=["runs:write"]))
    refused = await ann.get("/console")
    assert (refused.status_code, "Sign out" in words(refused)) == (403, True)
    assert "sse-connect" not in refused.text
    assert (await ann.post("/console/sign-out", data={})).status_code == 303
    assert (await ann.get("/console")).status_code == 303


async def test_unknown_page_has_the_menu_of_who_is_signed_in(console: Console) -> None:
    """A mistyped address leads on; who is not signed in sees the sentence alone."""
    ann = await console.sign_in("Ann")
    for browser, known in ((ann, True), (console.browser(), False)):
        page = await browser.get("/console/aprovals")
        assert page.status_code == 404
        assert "There is no such page." in words(page)
        assert ("Sign out everywhere" in words(page)) is known


async def test_session_lasts_as_set(service: Service, tenant: Tenant, begin: Begin) -> None:
    """`console_session_seconds` bounds the row and the cookie."""
    async with serving_console(service, tenant, begin, console_session_seconds=600) as console:
        key = await console.key("Ann")
        sent = await console.browser().post("/console/sign-in", data={"key": key})
        assert "Max-Age=600" in sent.headers["Set-Cookie"].split("; ")
        async with service.sessions() as session:
            lasts = "SELECT extract(epoch FROM expires_at - created_at) FROM console_sessions"
            of_tenant = text(f"{lasts} WHERE tenant_id = :tenant")
            [(seconds,)] = await session.execute(of_tenant, {"tenant": tenant.id})
        assert seconds == 600


async def test_administrator_ends_the_sessions_of_a_person(
    console: Console, database_url: str
) -> None:
    """`deskgraph keys sign-out` ends those of all their keys, and links not used yet."""
    first, second = await console.sign_in("Ann"), await console.sign_in("ANN ")
    other = await console.sign_in("Ben")
    async with console.service.sessions.begin() as session:
        [ann] = [key for key in await list_keys(session, console.tenant.id) if key.name == "Ann"]
        link = f"/console/sign-in/{await cases.make_link(session, ann)}"
    done = await deskgraph(database_url, "keys", "sign-out", ann.id, "--tenant", console.tenant.id)
    assert (done.exit_code, done.stdout) == (0, "Sessions ended: 2.\n")
    assert [(await one.get("/console")).status_code for one in (first, second, other)] == [
        303, 303, 200,
    ]  # fmt: skip
    assert (await console.browser().get(link)).status_code == 401
    unknown = await deskgraph(database_url, "keys", "sign-out", ann.id, "--tenant", "another")
    assert unknown.exit_code == 1


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/v1/runs", "/console\\@evil", "/consolex"],
)
async def test_signing_in_leads_to_the_console_alone(console: Console, address: str) -> None:
    """No link can make it send a person elsewhere."""
    key = await console.key("Ann")
    sent = await console.browser().post("/console/sign-in", data={"key": key, "next": address})
    assert sent.headers["Location"] == "/console"


async def test_without_a_session_the_page_asks_for_one(console: Console) -> None:
    """And leads back; a form is not taken, and the person reads so."""
    _, approval = await console.paused()
    browser = console.browser()
    asked = await browser.get(card(approval), params={"answered": str(approval.id)})
    assert asked.status_code == 303
    assert asked.headers["Location"].startswith(
        f"/console/sign-in?next={card(approval)}%3Fanswered"
    )
    sent = await browser.post(card(approval), data=answer(approval, "approve"))
    assert sent.headers["Location"] == f"/console/sign-in?next={card(approval)}&lost=1"
    assert "what you sent was not taken" in words(await browser.get(sent.headers["Location"]))
    part = await browser.get(f"{card(approval)}/state", headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert part.headers["HX-Redirect"].startswith("/console/sign-in?next=")
    assert await console.desk.decisions(approval) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": ""},
        {},
    ],
)
async def test_form_of_another_site_is_refused(console: Console, headers: dict[str, str]) -> None:
    """Also with the person's cookie; and so is a form that does not say where it is from."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    for name in ("Sec-Fetch-Site", "Origin"):
        del ann.headers[name]
    sent = await ann.post(card(approval), data=answer(approval, "approve"), headers=headers)
    assert sent.status_code == 403
    assert "was not sent by a page of this console" in words(sent)
    assert await console.desk.decisions(approval) == []
    # An older browser, which sends the origin alone.
    own = await ann.post(
        card(approval), data=answer(approval, "approve"), headers={"Origin": console.url}
    )
    assert own.status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"verdict=approve&verdict=reject", None, 422),
        (b"verdict=%ff", None, 400),
        (b"&".join(b"f%d=1" % n for n in range(501)), None, 400),
        ("verdict=ä".encode(), None, 400),
        (b'{"verdict": "approve"}', "application/json", 415),
        (b"x" * 300_000, None, 413),
    ],
)
async def test_bad_forms_are_refused(
    console: Console, content: bytes, kind: str | None, status: int
) -> None:
    """As pages, and never as an error of ours."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    headers = {"Content-Type": kind or "application/x-www-form-urlencoded"}
    sent = await ann.post(card(approval), content=content, headers=headers)
    assert sent.status_code == status, sent.text
    assert sent.headers["Content-Type"].startswith("text/html")


async def test_session_ends_with_its_key_and_its_time(console: Console) -> None:
    """A revoked key, or the hour, ends it at the next request."""
    ann, ben = await console.sign_in("Ann"), await console.sign_in("Ben")
    async with console.service.sessions.begin() as session:
        [key] = [k for k in await list_keys(session, console.tenant.id) if k.name == "Ann"]
        assert await revoke_key(session, console.tenant.id, key.id)
        late = {"late": cases.sha256(ben.cookies["deskgraph_session"])}
        ended = "UPDATE console_sessions SET expires_at = now() WHERE id_sha256 = :late"
        await session.execute(text(ended), late)
    assert (await ann.get("/console")).status_code == 303
    assert (await ben.get("/console")).status_code == 303


async def test_sign_out_here_and_everywhere(console: Console) -> None:
    """One browser, or all of the person's: whichever key of theirs each signed in with."""
    first, second = await console.sign_in("Ann"), await console.sign_in("ANN ")
    other = await console.sign_in("Ben")
    assert (await first.post("/console/sign-out", data={})).status_code == 303
    assert (await first.get("/console")).status_code == 303
    assert (await second.get("/console")).status_code == 200
    third = await console.sign_in("Ann")
    assert (await third.post("/console/sign-out", data={"everywhere": "yes"})).status_code == 303
    assert (await second.get("/console")).status_code == 303
    assert (await other.get("/console")).status_code == 200


async def test_link_signs_in_once(console: Console) -> None:
    """Looking at it uses nothing up; pressing the button does."""
    token = await console.key("Ann")
    async with console.service.sessions.begin() as session:
        key = await session.get_one(ApiKey, token.split("_")[1])
        link = f"/console/sign-in/{await cases.make_link(session, key)}"
    browser = console.browser()
    for _ in range(2):
        assert "signs you in as Ann" in words(await browser.get(link))
    assert (await browser.post(link, data={})).status_code == 303
    assert (await browser.get("/console")).status_code == 200
    again = await console.browser().post(link, data={})
    assert (again.status_code, "This link was used" in words(again)) == (401, True)
    assert (await console.browser().get(link)).status_code == 401
