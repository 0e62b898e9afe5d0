"""The IMAP client against servers that say too much, nonsense, or nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.email.imap import Imap, ImapRefusedError
from app.connectors.email.settings import EmailCredentials, EmailSettings
from app.connectors.email.sign_in import signed_in
from app.connectors.email.wire import Response, WireError, folder_name, quoted, uid_set
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.http import HttpClient
from tools.errors import UnavailableError

Says = Callable[[str, str], bytes | None]
SECONDS = 0.5


@asynccontextmanager
async def scripted(says: Says, greeting: bytes = b"* OK ready\r\n") -> AsyncIterator[int]:
    """A server that answers each command with what `says` makes of its tag and text."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while line := await reader.readline():
            tag, _, text = line.decode("latin-1").strip().partition(" ")
            if (said := says(tag, text)) is None:
                break
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def client(says: Says) -> AsyncIterator[Imap]:
    """A client that is connected and waits half a second at most."""
    async with scripted(says, b"") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=10_000)
        yield Imap(reader, writer, seconds=SECONDS)
        writer.close()


def fixed(said: bytes) -> Says:
    """The same answer to every command, with the tag put in for TAG."""
    return lambda tag, text: said.replace(b"TAG", tag.encode())


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"* OK half a line",
        b"* 1 FETCH (UID 1 BODY[] {99999999}\r\n",
        b"* 1 FETCH (UID 1 BODY[] {9}\r\nabc",
        b"x" * 20_000,
        b"* SEARCH " + b"1 " * 2_000 + b"\r\n" * 3,
    ],
    ids=["silence", "half a line", "huge literal", "half a literal", "long line", "no end"],
)
async def test_what_has_no_end_is_unknown(said: bytes) -> None:
    """Within the time limit, whatever was said of it."""
    async with client(fixed(said)) as imap:
        with pytest.raises(UnavailableError):
            async with asyncio.timeout(5):
                await imap.search("ALL")


async def test_cut_line_is_unknown_at_once() -> None:
    """Nothing waits for the time limit when the server is gone."""
    async with client(lambda tag, text: None) as imap:
        with pytest.raises(UnavailableError):
            async with asyncio.timeout(SECONDS):
                await imap.search("ALL")


async def test_answers_are_bounded_as_a_whole() -> None:
    """Many lines that are short each; the connection is given up."""
    async with client(fixed((b"* " + b"x" * 9_000 + b"\r\n") * 1_000)) as imap:
        imap.seconds = 20
        with pytest.raises(UnavailableError, match="too long"):
            await imap.search("ALL")


async def test_thousands_of_lines_in_one_answer_are_read() -> None:
    """A folder with a backlog: no depth of recursion, no square of the lines."""
    lines = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n) for n in range(1, 5001))
    async with client(fixed(lines + b"TAG OK done\r\n")) as imap:
        found = await imap.fetch(range(1, 5001), "RFC822.SIZE")
        assert len(found) == 5000
        assert found[4711] == {"UID": "4711", "RFC822.SIZE": "9"}


async def test_what_was_not_asked_for_is_left_out() -> None:
    """Flags that change meanwhile, mails of other UIDs, and answers of other kinds."""
    said = (
        b"* 2 EXISTS\r\n* 1 FETCH (UID 7 BODY[] {5}\r\n) NIL)\r\n"
        b"* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n"
        b'* 1 FETCH (UID 8 BODY[] "eight")\r\nTAG OK [X] done\r\n'
    )  # fmt: skip
    async with client(fixed(said)) as imap:
        assert await imap.fetch([7], "BODY.PEEK[]") == {7: {"UID": "7", "BODY[]": b") NIL"}}


@pytest.mark.parametrize("said", [b"TAG NO [NOPERM] no\r\n", b"TAG BAD what\r\n"])
async def test_refusals_are_said(said: bytes) -> None:
    """In the server's words, for operators."""
    async with client(fixed(said)) as imap:
        with pytest.raises(ImapRefusedError):
            await imap.search("ALL")
        with pytest.raises(SettingsError, match="'INBOX'"):
            await imap.open("INBOX")


async def test_folder_without_uidvalidity_has_none() -> None:
    """Such a server makes no cursor; it is not taken for a number."""
    async with client(fixed(b"* OK [UIDVALIDITY abc] x\r\n* 3 EXISTS\r\nTAG OK done\r\n")) as imap:
        assert await imap.open("INBOX") == (0, 0, 3)


async def test_idle_hears_a_goodbye_and_a_refusal() -> None:
    """And a line that dies; none of them is taken for a mail."""
    for said in (b"+ idling\r\n* BYE shutting down\r\n", b"TAG BAD no idle\r\n", b"+ idling\r\n"):
        says: Says = fixed(said)
        async with client(lambda tag, text, says=says: says(tag, text) if text else None) as imap:  # type: ignore[misc]
            with pytest.raises(UnavailableError):
                async with asyncio.timeout(5):
                    await imap.idle(0.2)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] no\r\n", CredentialsError),
        (b"TAG NO no\r\n", CredentialsError),
        (b"TAG NO [UNAVAILABLE] later\r\n", UnavailableError),
        (b"TAG NO [INUSE] later\r\n", UnavailableError),
        (b"* BYE\r\n", UnavailableError),
    ],
)
async def test_sign_in_tells_a_dead_password_from_a_server_in_trouble(
    answer: bytes, error: type[Exception]
) -> None:
    """Only the first pauses the connection; no error holds the password."""

    def says(tag: str, text: str) -> bytes | None:
        if text == "CAPABILITY":
            return f"* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n".encode()
        return answer.replace(b"TAG", tag.encode()) if text.startswith("LOGIN") else None

    async with scripted(says) as port:
        with pytest.raises(error) as raised:
            async with signed_in(given(port)):
                pass
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("greeting", [b"* BYE busy\r\n", b"220 smtp\r\n", b"* PREAUTH hi\r\n"])
async def test_greeting_of_something_else_is_refused(greeting: bytes) -> None:
    """Before any password is sent; also one that says that we are signed in already."""
    heard: list[str] = []
    async with scripted(lambda tag, text: heard.append(text), greeting) as port:
        with pytest.raises(UnavailableError):
            async with signed_in(given(port)):
                pass
    assert heard == []


async def test_clear_text_behind_starttls_is_refused() -> None:
    """What someone on the line puts behind the answer would be read as if TLS had carried it."""

    def says(tag: str, text: str) -> bytes:
        return f"{tag} OK go\r\n{tag} OK [CAPABILITY AUTH=PLAIN] forged\r\n".encode()

    async with scripted(says) as port:
        with pytest.raises(UnavailableError, match="before TLS"):
            async with signed_in(given(port, imap_security="starttls")):
                pass


@pytest.mark.parametrize(
    ("host", "port", "security", "why"),
    [
        ("10.0.0.1", 993, "tls", "open internet"),
        ("127.0.0.1", 993, "tls", "open internet"),
        ("169.254.169.254", 993, "tls", "open internet"),
        ("8.8.8.8", 993, "plain", "TLS"),
        ("8.8.8.8", 25, "tls", "port"),
        ("8.8.8.8", 22, "starttls", "port"),
    ],
)
async def test_guard_forbids_servers_that_are_not_on_the_internet(
    host: str, port: int, security: str, why: str
) -> None:
    """No tenant reaches our own network through a mailbox, and no password leaves in clear."""
    opened = given(port, imap_host=host, imap_security=security)
    opened.http.guard = make_guard([])
    with pytest.raises(SettingsError, match=why):
        async with signed_in(opened):
            pass


async def test_server_that_says_nothing_is_given_up() -> None:
    """After as long as the connection's client waits for an answer."""
    async with scripted(lambda _tag, _text: b"") as port:
        with pytest.raises(UnavailableError, match="TimeoutError"):
            async with signed_in(given(port)):
                pass


def given(port: int, **changed: str) -> Opened:
    """A connection to a server on this machine, which waits half a second at most."""
    given = {
        "address": "a@desk.example", "imap_host": "127.0.0.1", "imap_port": port,
        "imap_security": "plain", "smtp_host": "127.0.0.1", **changed,
    }  # fmt: skip
    settings = EmailSettings.model_validate(given)
    credentials = EmailCredentials.model_validate({"user": "ann", "password": "s3cret"})
    http = HttpClient(make_guard([f"127.0.0.1:{port}"]), SECONDS)
    return Opened("con_1", "acme", settings, credentials, http)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b'* LIST (\\Sent) "/" "Sent \\"x\\""', ["*", "LIST", ["\\Sent"], b"/", b'Sent "x"']),
        (b"* 1 FETCH (A NIL B (C (D)))", ["*", "1", "FETCH", ["A", None, "B", ["C", ["D"]]]]),
        (b"BODY[HEADER.FIELDS (FROM TO)]<0>", ["BODY[HEADER.FIELDS (FROM TO)]<0>"]),
        (b'"no end', [b"no end"]),
        (b"a[no end", ["a[no end"]),
    ],
)
def test_grammar(line: bytes, values: list[object]) -> None:
    """Atoms, strings, sections, lists."""
    assert Response([line]).values() == values


@pytest.mark.parametrize("line", [b"(", b")", b"(" * 50 + b")" * 50])
def test_lists_that_do_not_close_are_refused(line: bytes) -> None:
    """Or are nested deeper than any answer is."""
    with pytest.raises(WireError):
        Response([line]).values()


def test_names_sets_and_strings() -> None:
    """As they stand in commands. Source of the folder: RFC 3501, 5.1.3."""
    assert folder_name("~peter/mail/台北/日本語 & co") == '"~peter/mail/&U,BTFw-/&ZeVnLIqe- &- co"'
    assert uid_set([5, 1, 2, 3, 9, 9]) == "1:3,5,9"
    assert quoted('a"b\\') == '"a\\"b\\\\"'
    for odd in ("a\r\nA1 LOGOUT", "ä", "\x00"):
        with pytest.raises(ValueError, match="quoted string"):
            quoted(odd)
