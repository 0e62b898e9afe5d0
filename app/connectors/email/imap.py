"""A small IMAP client: one command at a time, what a mailbox needs and nothing more.

Everything that the server says is bounded; a line that is cut, a timeout and nonsense are all
UnavailableError, so that whether a command was carried out is unknown.
Source: RFC 3501; RFC 2177 (IDLE); RFC 4315 (UIDPLUS); RFC 4959 (SASL-IR is not used).
"""

import asyncio
import base64
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from app.connectors.email.dial import tls_context
from app.connectors.email.settings import EmailCredentials
from app.connectors.email.wire import (
    Response,
    Value,
    folder_name,
    pairs,
    quoted,
    uid_set,
)
from app.connectors.errors import CredentialsError, SettingsError
from tools.errors import UnavailableError

MAX_LINE = 1_000_000
MAX_ANSWER_BYTES = 8_000_000
_LITERAL = re.compile(r"\{([0-9]{1,10})\}\r\n$")
_CODE = re.compile(r"\[([A-Z-]{1,40})(?: ([^\]\[]{0,200}))?\]")
# A refusal to sign in that says nothing about the password. RFC 5530, section 3.
LATER_CODES = ("UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "PRIVACYREQUIRED")


class Folder(NamedTuple):
    """A folder as it was when it was opened."""

    uidvalidity: int
    uidnext: int
    exists: int


class ImapRefusedError(Exception):
    """The server said NO or BAD; its text is for operators."""


@dataclass(slots=True)
class Imap:
    """One connection that is signed in; it waits at most `seconds` for each answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seconds: float
    capabilities: frozenset[str] = frozenset()
    folder: str | None = None
    _number: int = field(default=0)

    async def open(self, folder: str, *, write: bool = False) -> Folder:
        """Choose the folder that the next commands speak of.

        Raises:
            SettingsError: there is no such folder.
        """
        verb = "SELECT" if write else "EXAMINE"
        try:
            answers = await self.command(f"{verb} {folder_name(folder)}")
        except ImapRefusedError as refusal:
            raise SettingsError(f"the folder {folder!r} cannot be opened: {refusal}") from None
        self.folder = folder
        codes = {found[1]: found[2] for each in answers if (found := _CODE.search(each.text))}
        exists = [int(each.text.split()[1]) for each in answers if _says(each, "EXISTS")]
        return Folder(
            _number(codes.get("UIDVALIDITY")), _number(codes.get("UIDNEXT")), (exists or [0])[-1]
        )

    async def search(self, criteria: str) -> list[int]:
        """UIDs of the open folder, ascending."""
        answers = await self.command(f"UID SEARCH {criteria}")
        found: set[int] = set()
        for answer in answers:
            words = answer.text.split()
            if words[1:2] == ["SEARCH"]:
                found |= {int(word) for word in words[2:] if word.isdigit()}
        return sorted(found)

    async def fetch(self, uids: Sequence[int], items: str) -> dict[int, dict[str, Value]]:
        """What the folder holds of these mails; one that is gone by now is left out."""
        if not uids:
            return {}
        answers = await self.command(f"UID FETCH {uid_set(list(uids))} ({items})")
        found: dict[int, dict[str, Value]] = {}
        wanted = set(uids)
        for answer in answers:
            values = answer.values()
            if len(values) == 4 and values[2] == "FETCH":
                named = pairs(values[3])
                uid = _number(named.get("UID"))
                # Flags that change meanwhile are said unasked, without our items.
                if uid in wanted and len(named) > len(found.get(uid, ())):
                    found[uid] = named
        return found

    async def append(self, folder: str, content: bytes, flags: str) -> int | None:
        """Put a mail there; its UID, if the server says it."""
        head = f"APPEND {folder_name(folder)} ({flags})"
        answers = await self.command(head, content)
        code = _CODE.search(answers[-1].text)
        if code and code[1] == "APPENDUID" and code[2]:
            return _number(code[2].split()[-1]) or None
        return None

    async def store(self, uid: int, change: str, flags: str) -> None:
        """Set (`+`) or take away (`-`) flags of one mail."""
        await self.command(f"UID STORE {uid} {change}FLAGS.SILENT ({flags})")

    async def delete(self, uid: int) -> None:
        """Mark one mail as deleted, and remove it where that can be done for one mail alone."""
        await self.store(uid, "+", r"\Deleted")
        if "UIDPLUS" in self.capabilities:
            await self.command(f"UID EXPUNGE {uid}")

    async def folders(self) -> list[str]:
        """The names of all folders, as IMAP codes them."""
        answers = await self.command('LIST "" "*"')
        found = [each.values() for each in answers if _says(each, "LIST", at=1)]
        names = [values[-1] for values in found if values]
        return [name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
                for name in names]  # fmt: skip

    async def idle(self, seconds: float) -> bool:
        """Wait until the folder changes; False when nothing did within the time."""
        tag = await self._send("IDLE")
        begun = await self._response()
        while not begun.text.startswith("+"):
            if begun.text.startswith(f"{tag} "):
                raise UnavailableError("the mail server refuses IDLE")
            begun = await self._response()
        changed = False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not changed:
                    changed = _changes(await self._response(None))
        await self._write(b"DONE\r\n")
        for answer in await self._answers(tag):
            changed = changed or _changes(answer)
        return changed

    async def command(self, text: str, literal: bytes | None = None) -> list[Response]:
        """Run one command; the last response is the tagged one.

        Raises:
            ImapRefusedError: NO or BAD.
            UnavailableError: no answer, or one that is not IMAP.
        """
        tag = await self._send(text if literal is None else f"{text} {{{len(literal)}}}")
        if literal is not None:
            go = await self._response()
            while not go.text.startswith("+"):
                if go.text.startswith(f"{tag} "):
                    raise ImapRefusedError(_refusal(go))
                go = await self._response()
            await self._write(literal + b"\r\n")
        return await self._answers(tag)

    async def _answers(self, tag: str) -> list[Response]:
        answers, size = [], 0
        while True:
            answer = await self._response()
            size += sum(map(len, answer.parts))
            if size > MAX_ANSWER_BYTES:
                raise UnavailableError("the mail server's answer is too long")
            if answer.text.startswith("* BYE"):
                raise UnavailableError("the mail server said goodbye")
            answers.append(answer)
            if answer.text.startswith(f"{tag} "):
                if not answer.text.startswith(f"{tag} OK"):
                    raise ImapRefusedError(_refusal(answer))
                return answers

    async def _send(self, text: str) -> str:
        self._number += 1
        tag = f"a{self._number}"
        await self._write(f"{tag} {text}\r\n".encode("ascii"))
        return tag

    async def _write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                self.writer.write(data)
                await self.writer.drain()
        except (OSError, TimeoutError) as error:
            raise _cut(error) from None

    async def _response(self, seconds: float | None = -1) -> Response:
        """The next response, with its literals; `seconds` None waits without an end."""
        limit = self.seconds if seconds == -1 else seconds
        try:
            async with asyncio.timeout(limit):
                return await self._whole_response()
        except TimeoutError as error:
            if limit is None:
                raise
            raise _cut(error) from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise _cut(error) from None

    async def _whole_response(self) -> Response:
        response, size = Response(), 0
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size += len(line)
            literal = _LITERAL.search(line[-20:].decode("latin-1"))
            if literal is None:
                response.parts.append(line[:-2])
                return response
            length = int(literal[1])
            size += length
            if size > MAX_ANSWER_BYTES:
                raise UnavailableError("the mail server's answer is too long")
            response.parts.append(line[: line.rindex(b"{")])
            response.parts.append(await self.reader.readexactly(length))

    async def greet(self) -> None:
        """Read the greeting, which answers no command. Raises UnavailableError for another one."""
        if not (await self._response()).text.startswith("* OK"):
            raise UnavailableError("the mail server does not greet as IMAP does")

    async def start_tls(self, host: str) -> None:
        """Encrypt the line. What was put into the clear line to be read behind it is refused."""
        await self.command("STARTTLS")
        with suppress(TimeoutError):
            # Answers at once what is in the buffer, and waits for nothing.
            async with asyncio.timeout(0):
                await self.reader.read(1)
                raise UnavailableError("the mail server says more than it should before TLS")
        try:
            await self.writer.start_tls(tls_context(), server_hostname=host)
        except (OSError, ssl.SSLError) as error:
            raise UnavailableError(
                f"no TLS with the mail server ({type(error).__name__})"
            ) from None

    async def ask_capabilities(self) -> None:
        """What the server can do; asked again after each step that changes it."""
        for answer in await self.command("CAPABILITY"):
            words = answer.text.upper().split()
            if words[1:2] == ["CAPABILITY"]:
                self.capabilities = frozenset(words[2:])

    async def sign_in(self, credentials: EmailCredentials) -> None:
        """Raises CredentialsError when the server does not take the password."""
        user, password = credentials.user, credentials.password.get_secret_value()
        try:
            if "AUTH=PLAIN" in self.capabilities:
                await self._plain(user, password)
            else:
                await self.command(f"LOGIN {quoted(user)} {quoted(password)}")
        except ValueError:
            raise CredentialsError("the mail server takes ASCII passwords only") from None
        except ImapRefusedError as refusal:
            if any(f"[{code}]" in str(refusal).upper() for code in LATER_CODES):
                raise UnavailableError("the mail server lets no one in for now") from None
            raise CredentialsError("the mail server refused user or password (IMAP)") from None
        await self.ask_capabilities()

    async def _plain(self, user: str, password: str) -> None:
        tag = await self._send("AUTHENTICATE PLAIN")
        go = await self._response()
        while not go.text.startswith("+"):
            if go.text.startswith(f"{tag} "):
                raise ImapRefusedError(_refusal(go))
            go = await self._response()
        secret = base64.b64encode(f"\0{user}\0{password}".encode())
        await self._write(secret + b"\r\n")
        await self._answers(tag)


def _says(answer: Response, word: str, at: int = 2) -> bool:
    return answer.text.startswith("* ") and answer.text.split()[at : at + 1] == [word]


def _changes(answer: Response) -> bool:
    """Whether mail came or went. A server that ends the line says BYE: look at it again."""
    if answer.text.startswith("* BYE"):
        raise UnavailableError("the mail server said goodbye")
    return _says(answer, "EXISTS") or _says(answer, "EXPUNGE") or _says(answer, "RECENT")


def _number(value: Value) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0


def _refusal(answer: Response) -> str:
    return answer.text.partition(" ")[2][:200]


def _cut(error: BaseException) -> UnavailableError:
    return UnavailableError(f"the mail server did not answer ({type(error).__name__})")
