"""The access token of a connection: one process renews it, and all of them use what it stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.errors import CredentialsError
from app.connectors.http import HttpClient
from app.connectors.oauth import Token
from app.connectors.zendesk.desk import Zendesk, desk
from app.connectors.zendesk.grants import REFRESH_SECONDS, source_of
from app.db.connections import tokens as rows
from app.db.connections.tokens import Owner
from app.db.tables.connections import Connection
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.encryption import Vault, new_key
from app.services.connections.expiry import expires_soon
from tests.conftest import Tenant
from tests.doubles.server import serving
from tests.doubles.zendesk_double import CLIENT, CLIENT_SECRET, ZendeskDouble
from tests.doubles.zendesk_hooks import SIGNING_SECRET
from tests.doubles.zendesk_state import BOT, CUSTOMER
from tools.errors import UnavailableError

pytestmark = pytest.mark.no_articles


@dataclass(slots=True)
class Place:
    """A tenant's connection to Zendesk, by a refresh token."""

    service: Service
    tenant: Tenant
    double: ZendeskDouble
    http: HttpClient
    connection_id: str
    ticket_id: str

    async def opened(self) -> Opened:
        """As a worker opens it."""
        async with self.service.sessions() as session:
            row = await manage.get(session, self.tenant.id, self.connection_id)
        return manage.open_connection(row, self.service.vault, self.http, self.service.sessions)

    async def desk(self) -> Zendesk:
        """The port, as a worker gets it for each of its attempts."""
        return desk(await self.opened())

    async def row(self) -> Connection:
        """The connection now."""
        async with self.service.sessions() as session:
            return await manage.get(session, self.tenant.id, self.connection_id)

    async def change(self, **credentials: str) -> None:
        """An operator gives other credentials."""
        given = {"client_secret": CLIENT_SECRET, "webhook_secret": SIGNING_SECRET, **credentials}
        async with self.service.sessions.begin() as session:
            await manage.change(
                session, self.service.vault, self.tenant.id, self.connection_id, credentials=given
            )


@asynccontextmanager
async def connected(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A place of its own."""
    double = ZendeskDouble()
    ticket = double.create(CUSTOMER, {"subject": "Help", "comment": {"body": "Help."}})
    with serving(double.app) as url:
        async with HttpClient(make_guard([f"127.0.0.1:{urlsplit(url).port}"])) as http:
            settings = {"base_url": url, "client_id": CLIENT, "bot_id": str(BOT)}
            given = {"client_secret": CLIENT_SECRET, "refresh_token": double.authorize()}
            async with service.sessions.begin() as session:
                row, _ = await manage.add(
                    session, service.vault, tenant.id, "zendesk", "Zendesk", settings, given
                )
                connection_id = row.id
            yield Place(service, tenant, double, http, connection_id, str(ticket.id))


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A new one."""
    async with connected(service, tenant) as made:
        yield made


async def test_many_workers_refresh_once(place: Place) -> None:
    """A second refresh would end the pair of the first; here all of them read with one token."""
    desks = [await place.desk() for _ in range(12)]
    views = await asyncio.gather(*(desk.read(place.ticket_id) for desk in desks))
    assert all(not view.gone for view in views)
    assert place.double.grants == ["refresh_token"]
    # And again when all of them are refused at once.
    place.double.end_tokens()
    await asyncio.gather(*(desk.read(place.ticket_id) for desk in desks))
    assert place.double.grants == ["refresh_token"] * 2
    assert len(place.double.refreshable) == 1


@pytest.mark.parametrize("says_expiry", [True, False])
async def test_connection_ends_with_its_refresh_token(place: Place, says_expiry: bool) -> None:
    """Each refresh puts the end off; that of the access token, two hours from now, is none."""
    assert (await place.row()).expires_at is None, "not said yet"
    for _ in range(2):
        place.double.end_tokens()
        place.double.says_expiry = says_expiry
        before = datetime.now(UTC)
        await (await place.desk()).read(place.ticket_id)
        row, lives = await place.row(), timedelta(seconds=REFRESH_SECONDS)
        if says_expiry:
            assert row.expires_at is not None
            assert before + lives <= row.expires_at <= datetime.now(UTC) + lives
        else:
            assert row.expires_at is None
        assert not expires_soon(row)


async def test_clients_own_credentials_do_not_end(place: Place) -> None:
    """What they give ends every two hours, and is had again."""
    await (await place.desk()).read(place.ticket_id)
    assert (await place.row()).expires_at is not None
    await place.change()
    await (await place.desk()).read(place.ticket_id)
    assert place.double.grants == ["refresh_token", "client_credentials"]
    assert (await place.row()).expires_at is None


async def test_refresh_ends_the_alarm_of_the_token_before(place: Place) -> None:
    """It was said that the connection ends; used again, it has an end of its own."""
    async with place.service.sessions.begin() as session:
        row = await manage.get(session, place.tenant.id, place.connection_id, lock=True)
        row.expires_at = row.expiry_warned_at = datetime.now(UTC)
    await (await place.desk()).read(place.ticket_id)
    row = await place.row()
    assert row.expiry_warned_at is None
    assert not expires_soon(row)


async def test_token_is_kept_encrypted_and_goes_with_the_connection(place: Place) -> None:
    """Nothing in the row shows it; removed with the credentials, kept over a change of keys."""
    await (await place.desk()).read(place.ticket_id)
    [access], row = list(place.double.tokens), await place.row()
    assert row.tokens is not None
    assert access.encode() not in row.tokens
    key = new_key()
    both = Vault([key, *place.service.vault.keys])
    async with place.service.sessions.begin() as session:
        locked = await manage.get(session, place.tenant.id, place.connection_id, lock=True)
        manage.reseal(locked, both)
        assert locked.tokens is not None
        assert Vault([key]).open(locked.tokens)["access"] == access
        await session.rollback()
    async with place.service.sessions.begin() as session:
        await manage.remove(session, place.tenant.id, place.connection_id)
    async with place.service.sessions() as session:
        removed = await session.get_one(Connection, place.connection_id)
    assert (removed.credentials, removed.tokens) == (None, None)


async def test_new_webhook_secret_keeps_the_pair(place: Place) -> None:
    """The first refresh token is dead by then; only another one replaces it."""
    await (await place.desk()).read(place.ticket_id)
    given = place.service.vault.open((await place.row()).credentials or b"")
    await place.change(refresh_token=given["refresh_token"])
    await (await place.desk()).read(place.ticket_id)
    assert place.double.grants == ["refresh_token"]
    await place.change(refresh_token=place.double.authorize())
    await (await place.desk()).read(place.ticket_id)
    assert place.double.grants == ["refresh_token"] * 2


async def test_credentials_that_were_changed_are_not_used_on(place: Place) -> None:
    """A worker that opened the connection before comes again later, and pauses nothing."""
    old = await place.desk()
    await place.change(refresh_token=place.double.authorize())
    with pytest.raises(UnavailableError, match="changed"):
        await old.read(place.ticket_id)
    assert place.double.grants == []


async def test_refused_renewal_lets_the_next_one_try(place: Place) -> None:
    """The lease ends with it, and the words say what to do."""
    place.double.refreshable.clear()
    for _ in range(2):
        with pytest.raises(CredentialsError, match="authorise"):
            await (await place.desk()).read(place.ticket_id)
    assert place.double.grants == ["refresh_token"] * 2


async def test_lease_of_a_process_that_died_ends(place: Place) -> None:
    """Another one takes it over; what the dead one still brings is not stored."""
    opened, owner = await place.opened(), await owner_of(place)
    sessions = place.service.sessions
    async with sessions.begin() as session:
        dead = await rows.lease(session, owner, 0.2)
        assert dead is not None
        assert await rows.lease(session, owner, 30) is None
    # Within the wait for its lease.
    await desk(opened).read(place.ticket_id)
    async with sessions.begin() as session:
        assert not await rows.store(session, owner, dead.version, b"late", None)
    assert place.double.grants == ["refresh_token"]


async def test_new_credentials_wait_for_no_lease_of_the_old_ones(place: Place) -> None:
    """A renewal with the old ones that is on its way stores nothing, and holds nothing up."""
    owner, sessions = await owner_of(place), place.service.sessions
    async with sessions.begin() as session:
        old = await rows.lease(session, owner, 30)
    assert old is not None
    await place.change(refresh_token=place.double.authorize())
    async with asyncio.timeout(10):
        await (await place.desk()).read(place.ticket_id)
    async with sessions.begin() as session:
        assert not await rows.store(session, owner, old.version, b"late", None)
    assert place.double.grants == ["refresh_token"]


async def test_cancelled_caller_loses_no_pair(place: Place) -> None:
    """The refresh goes on to its end, since the pair before it is over."""
    opened, asked, go_on = await place.opened(), asyncio.Event(), asyncio.Event()
    assert opened.tokens is not None

    async def slowly(_kept: Token | None) -> Token:
        asked.set()
        await go_on.wait()
        return Token("new", "next", datetime.now(UTC) + timedelta(hours=1))

    caller = asyncio.create_task(opened.tokens.get(source_of(opened), slowly))
    await asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()

    async def never(_kept: Token | None) -> Token:
        raise AssertionError("it was renewed already")

    assert await opened.tokens.get(source_of(opened), never) == "new"


async def test_token_of_another_tenant_is_not_read(place: Place) -> None:
    """Each query names the tenant."""
    await (await place.desk()).read(place.ticket_id)
    owner = await owner_of(place)
    theirs = Owner("another", owner.connection_id, owner.credentials)
    async with place.service.sessions() as session:
        assert await rows.kept(session, owner) is not None
        assert await rows.kept(session, theirs) is None


async def owner_of(place: Place) -> Owner:
    """The connection as it was opened."""
    row = await place.row()
    assert row.credentials is not None
    return Owner(row.tenant_id, row.id, row.credentials)
