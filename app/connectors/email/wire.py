"""The grammar of IMAP responses: bytes in, nested lists out, in linear time and bounded depth.

A response is its lines with the literals between them; a literal's bytes are never looked at.
Source: RFC 3501, section 9; RFC 4315 (APPENDUID); RFC 2060, 5.1.3 (names of folders).
"""

import base64
import re
from dataclasses import dataclass, field

MAX_DEPTH = 20

Value = str | bytes | None | list["Value"]
# A quoted string, a bracket, NIL or an atom; an atom keeps its [section] as a whole. What has no
# end reaches to the end of the line: to try again behind each beginning would take quadratic time.
_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*+)(?:"|\\?$)'
    r"|([()])"
    r'|([^\s()"\[]++(?:\[[^\]]*+(?:\](?:<\d+>)?|$))?|\[[^\]]*+(?:\]|$))',
    re.DOTALL,
)
_QUOTED = re.compile(r"[\x20-\x7e]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class WireError(Exception):
    """The server does not speak IMAP as we know it."""


@dataclass(slots=True)
class Response:
    """One response: `parts` are text and literals in turn, the first one text."""

    parts: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The line itself, without what literals hold."""
        return b"".join(self.parts[::2]).decode("ascii", "replace")

    def values(self) -> list[Value]:
        """What the response holds, its tag first. Raises WireError."""
        top: list[Value] = []
        stack = [top]
        for number, part in enumerate(self.parts):
            if number % 2:
                stack[-1].append(part)
            else:
                _read(part, stack)
        if len(stack) != 1:
            raise WireError("a list has no end")
        return top


def _read(text: bytes, stack: list[list[Value]]) -> None:
    # Each byte is one character, so that what is quoted can be bytes again.
    for quoted, bracket, atom in _TOKEN.findall(text.decode("latin-1")):
        if bracket == "(":
            if len(stack) > MAX_DEPTH:
                raise WireError("lists are nested too deep")
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif bracket == ")":
            if len(stack) == 1:
                raise WireError("a list ends that never began")
            stack.pop()
        elif atom:
            stack[-1].append(None if atom.upper() == "NIL" else atom)
        else:
            stack[-1].append(_ESCAPE.sub(r"\1", quoted).encode("latin-1"))


def pairs(values: Value) -> dict[str, Value]:
    """A FETCH list as names in capitals and values. Raises WireError."""
    if not isinstance(values, list) or len(values) % 2:
        raise WireError("a FETCH answer is no list of names and values")
    names = [name.upper() if isinstance(name, str) else "" for name in values[::2]]
    return dict(zip(names, values[1::2], strict=True))


def quoted(text: str) -> str:
    """The text as a quoted string.

    Raises:
        ValueError: it has a line break or a character beyond ASCII, which none may have.
    """
    if not _QUOTED.fullmatch(text):
        raise ValueError("cannot stand in a quoted string")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folder_name(name: str) -> str:
    """A folder's name in the modified UTF-7 of IMAP, quoted."""
    coded, beyond = [], ""
    for sign in [*name, ""]:
        if sign and not " " <= sign <= "~":
            beyond += sign
            continue
        if beyond:
            text = base64.b64encode(beyond.encode("utf-16-be")).decode("ascii")
            coded.append(f"&{text.rstrip('=').replace('/', ',')}-")
            beyond = ""
        coded.append("&-" if sign == "&" else sign)
    return quoted("".join(coded))


def uid_set(uids: list[int]) -> str:
    """UIDs as IMAP names a set, with runs of neighbours joined."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)
