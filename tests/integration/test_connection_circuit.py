"""A connected system that is down is not called by everything that waits for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Response
from pydantic import SecretStr

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.circuit import LIMIT, PAUSE_SECONDS, SOON_SECONDS, ConnectionCircuit
from app.connectors.connector import Opened
from app.connectors.email.checks import check_mailbox
from app.connectors.email.desk import MailDesk
from app.connectors.email.settings import EmailCredentials, EmailSettings
from app.connectors.email.submission import connected
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.http import HttpClient
from tests.doubles.server import serving
from tools.errors import UnavailableError


@dataclass(slots=True)
class Desk:
    """Answers every call with this status, and counts them."""

    url: str = ""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/", self._answer, methods=["POST"])
        return app

    async def _answer(self) -> Response:
        self.calls += 1
        return Response(b"{}", self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Line:
    """A desk, and our client of it."""

    desk: Desk
    http: HttpClient

    async def call(self, connection: str | None = "con_a", times: int = 1) -> list[object]:
        """How so many calls of a connection end, one after the other."""
        client = self.http.of(connection) if connection else self.http
        ends: list[object] = []
        for _ in range(times):
            ends += await asyncio.gather(
                client.call("POST", self.desk.url, body=b"{}"), return_exceptions=True
            )
        return ends


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A new one."""
    desk = Desk()
    with serving(desk.app) as url:
        desk.url = f"{url}/"
        async with HttpClient(make_guard([f"127.0.0.1:{urlsplit(url).port}"])) as http:
            yield Line(desk, http)


async def test_desk_that_is_down_is_left_alone_after_some_calls(line: Line) -> None:
    """What waits hears how long; other connections and calls without one are not held up."""
    ends = await line.call(times=LIMIT + 20)
    assert line.desk.calls == LIMIT
    assert all(isinstance(end, UnavailableError) for end in ends)
    last = ends[-1]
    assert isinstance(last, UnavailableError)
    assert last.retry_after is not None
    assert 0 < last.retry_after <= PAUSE_SECONDS
    line.desk.status = 200
    [other] = await line.call("con_b")
    [own] = await line.call(None)
    assert not isinstance(other, Exception)
    assert not isinstance(own, Exception)
    [still] = await line.call()
    assert isinstance(still, UnavailableError)


async def test_many_calls_at_once_reach_a_desk_that_is_down_a_few_times(line: Line) -> None:
    """Those that were on their way when it opened; no later one."""
    await asyncio.gather(*(line.call() for _ in range(16)))
    assert line.desk.calls <= 16
    before = line.desk.calls
    await asyncio.gather(*(line.call() for _ in range(50)))
    assert line.desk.calls == before


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialsError), (302, SettingsError), (404, None), (200, None)]
)
async def test_what_answers_is_not_down(
    line: Line, status: int, kind: type[Exception] | None
) -> None:
    """Refused credentials and unknown tickets are answers."""
    line.desk.status = status
    ends = await line.call(times=LIMIT + 5)
    assert line.desk.calls == LIMIT + 5
    assert all(isinstance(end, kind) if kind else not isinstance(end, Exception) for end in ends)


class Server(NamedTuple):
    """A mail server that hangs up on everyone, and how many came."""

    port: int
    came: list[int]


@asynccontextmanager
async def hanging_up() -> AsyncIterator[Server]:
    """One on loopback."""
    came: list[int] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Server(server.sockets[0].getsockname()[1], came)


async def test_mail_server_that_is_down_is_left_alone() -> None:
    """IMAP and SMTP each by itself; `test` of a connection, which has no circuit, still asks."""
    async with hanging_up() as imap, hanging_up() as smtp:
        ends = [f"127.0.0.1:{imap.port}", f"127.0.0.1:{smtp.port}"]
        settings = EmailSettings(
            address="help@desk.example", authserv_id="mx", imap_host="127.0.0.1",
            imap_port=imap.port, imap_security="plain", smtp_host="127.0.0.1",
            smtp_port=smtp.port, smtp_security="plain",
        )  # fmt: skip
        credentials = EmailCredentials(user="help", password=SecretStr("x"))
        async with HttpClient(make_guard(ends)) as http:
            opened = Opened("con_a", "acme", settings, credentials, http.of("con_a"))
            desk = MailDesk(opened)
            for _ in range(LIMIT + 5):
                with pytest.raises(UnavailableError) as away:
                    await desk.read("T-1")
            assert (len(imap.came), len(smtp.came)) == (LIMIT, 0)
            assert away.value.retry_after is not None
            for _ in range(LIMIT + 5):
                with pytest.raises(UnavailableError):
                    await connected(opened)
            assert len(smtp.came) == LIMIT
            found = await check_mailbox(replace(opened, http=http))
            assert [check.ok for check in found if check.name in ("imap", "smtp")] == [False] * 2
    assert (len(imap.came), len(smtp.came)) == (LIMIT + 1, LIMIT + 1)


async def test_retry_after_is_obeyed_and_is_no_failure(line: Line) -> None:
    """The desk is there and says when; payments and desks alike are left alone until then."""
    line.desk.status, line.desk.headers = 429, {"Retry-After": "30"}
    ends = await line.call(times=LIMIT + 5)
    assert line.desk.calls == 1
    waits = [end.retry_after for end in ends if isinstance(end, UnavailableError)]
    assert len(waits) == LIMIT + 5
    assert all(wait is not None and 25 < wait <= 30 for wait in waits)


async def test_limit_of_a_second_is_waited_for(line: Line) -> None:
    """What another call was refused is no reason to give up; a later one is made, and answered."""
    line.desk.status, line.desk.headers = 429, {"Retry-After": "1"}
    [limited] = await line.call(times=1)
    assert isinstance(limited, UnavailableError)
    line.desk.status, line.desk.headers = 200, {}
    began = time.monotonic()
    [answered] = await line.call(times=1)
    assert not isinstance(answered, UnavailableError)
    assert (line.desk.calls, time.monotonic() - began > 0.5) == (2, True)


def test_one_call_tries_when_the_pause_is_over() -> None:
    """The others come back a second later; one answer closes the circuit."""
    now, said = [0.0], list[bool]()
    circuit = ConnectionCircuit(2, 10.0, said.append, clock=lambda: now[0])

    def fails() -> None:
        with circuit.call():
            raise UnavailableError("HTTP 500")

    for _ in range(2):
        with pytest.raises(UnavailableError, match="HTTP 500"):
            fails()
    now[0] = 4.0
    assert circuit.refusal().retry_after == 6.0
    now[0] = 10.0
    with circuit.call():
        assert circuit.is_open
        assert circuit.refusal().retry_after == SOON_SECONDS
        with pytest.raises(UnavailableError, match="has not answered"):
            fails()
    assert not circuit.is_open
    assert said == [True, False]
