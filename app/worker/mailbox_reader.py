"""Reads connected mailboxes: waits for mail, and puts what came into the inbox with the cursor.

A mailbox is read by one worker at a time, by a lease on its row; no database connection is held
while it waits.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import Mailbox
from app.connectors.errors import CredentialsError, SettingsError
from app.db.connections import queries
from app.db.core.availability import DATABASE_ERRORS, log_database_error, wait_out
from app.db.tables.connections import Connection
from app.errors import DeskgraphError
from app.execution.wiring import Service
from app.log import get_logger
from app.services.connections.hooks import keep_event
from app.services.connections.manage import connector_of, open_connection
from app.services.connections.pausing import pause_connection
from tools.errors import UnavailableError

log = get_logger(__name__)

# How soon a new connection is read, and one whose worker died is read by another.
LOOK_SECONDS = 2.0
WAIT_SECONDS = 60.0
LEASE = timedelta(seconds=150)
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
KINDS = [kind for kind, connector in CONNECTORS.items() if connector.mailbox is not None]


async def read_mailboxes(service: Service, stop: asyncio.Event) -> None:
    """Read every tenant's mailboxes until `stop` is set."""
    reading: dict[str, asyncio.Task[None]] = {}
    try:
        while KINDS and not stop.is_set():
            try:
                async with service.sessions.begin() as session:
                    leased = await queries.lease_unread(session, KINDS, LEASE)
            except DATABASE_ERRORS as error:
                await wait_out(error, "mailboxes", 0)
                leased = []
            for row in leased:
                if row.id not in reading or reading[row.id].done():
                    reading[row.id] = asyncio.create_task(_read(service, row))
                    reading[row.id].add_done_callback(_say_why)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
    finally:
        for task in reading.values():
            task.cancel()
        await asyncio.gather(*reading.values(), return_exceptions=True)
        await _release(service, list(reading))


async def _release(service: Service, connection_ids: list[str]) -> None:
    """Let others read them at once; with the database away, they begin when the leases end."""
    if not connection_ids:
        return
    try:
        async with service.sessions.begin() as session:
            await queries.release(session, connection_ids)
    except DATABASE_ERRORS as error:
        log_database_error(error, "mailboxes")


def _say_why(task: "asyncio.Task[None]") -> None:
    """A reader that ends by an error of ours begins again when its lease ends, and is heard of."""
    if not task.cancelled() and (error := task.exception()):
        log.error("mailbox_reader_failed", error=error, exc_info=error)


async def _read(service: Service, row: Connection) -> None:
    """Read one mailbox for as long as its lease is ours and it can be read."""
    failures, current = 0, row
    while True:
        try:
            mailbox = _opened(service, current)
            await _read_once(service, current, mailbox)
            failures = 0
        except (CredentialsError, SettingsError, DeskgraphError) as error:
            await _pause(service, current, str(error))
            return
        except UnavailableError as error:
            failures += 1
            await _note(service, current, str(error))
            await asyncio.sleep(min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE / 3))
        except DATABASE_ERRORS as error:
            await wait_out(error, "mailboxes", FIRST_PAUSE)
        try:
            async with service.sessions.begin() as session:
                renewed = await queries.renew_lease(session, current.id, LEASE)
        except DATABASE_ERRORS as error:
            await wait_out(error, "mailboxes", FIRST_PAUSE)
            continue
        if renewed is None:
            return
        current = renewed


async def _note(service: Service, row: Connection, error: str) -> None:
    try:
        async with service.sessions.begin() as session:
            await queries.note_error(session, row.id, error)
    except DATABASE_ERRORS as away:
        await wait_out(away, "mailboxes", 0)


def _opened(service: Service, row: Connection) -> Mailbox:
    make = connector_of(row.kind).mailbox
    assert make is not None, "only such kinds are leased"
    return make(open_connection(row, service.vault, service.http))


async def _read_once(service: Service, row: Connection, mailbox: Mailbox) -> None:
    """Wait for mail, then store what came and how far the mailbox was read, as one change."""
    if row.cursor is not None:
        await mailbox.wait(row.cursor, WAIT_SECONDS)
    came, cursor = await mailbox.poll(row.cursor)
    async with service.sessions.begin() as session:
        for delivery_id, event in came:
            await keep_event(session, row, delivery_id, event)
        await queries.set_cursor(session, row.id, cursor)


async def _pause(service: Service, row: Connection, why: str) -> None:
    await pause_connection(service.sessions, row, why)
    async with service.sessions.begin() as session:
        await queries.release(session, [row.id])
