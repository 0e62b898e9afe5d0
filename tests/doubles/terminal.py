"""A person at a real terminal: starts a command on a pseudo-terminal, reads it and types.

The command is forked as the processes of a stack are: to import it takes seconds.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping
from multiprocessing.process import BaseProcess

from tests.acceptance import forked
from tests.acceptance.stack import FORKS

PATIENCE_SECONDS, QUIET_SECONDS = 60, 0.1
ROWS, COLUMNS = 50, 120
# What the command itself sends to colour its text and to draw its spinner.
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A running `deskgraph` command whose input and output are a terminal."""

    def __init__(self, process: BaseProcess, descriptor: int) -> None:
        self._process, self._descriptor = process, descriptor
        self.raw = ""
        self._read_upto = 0

    @property
    def shown(self) -> str:
        """Everything that was shown so far, as one reads it."""
        return STYLE.sub("", self.raw).replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        """Until the text is shown behind what was waited for before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (at := self.shown.find(text, self._read_upto)) < 0:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.shown}"
            assert self._read(), f"it ended without {text!r}:\n{self.shown}"
        self._read_upto = at + len(text)

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        self.press(f"{line}\n")

    def press(self, keys: str) -> None:
        """Press keys, once nothing new is shown: Ctrl-C is `\\x03`, Ctrl-D is `\\x04`.

        A Ctrl-C between a prompt and the read behind it is seen by Python only after that read.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while select.select([self._descriptor], [], [], QUIET_SECONDS)[0] and self._read():
            assert time.monotonic() < deadline, f"it goes on showing:\n{self.shown}"
        os.write(self._descriptor, keys.encode())

    def end(self) -> int:
        """Read what it still shows; its exit code once it has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read():
            assert time.monotonic() < deadline, f"it goes on after:\n{self.shown}"
        self._process.join(PATIENCE_SECONDS)
        assert self._process.exitcode is not None, "it does not end"
        return self._process.exitcode

    def _read(self) -> bool:
        """Take in what is shown next; False when nothing more will come."""
        if not select.select([self._descriptor], [], [], 0.1)[0]:
            return True
        try:
            found = os.read(self._descriptor, 65536)
        except OSError:
            # Linux says EIO when the other side is closed.
            return False
        self.raw += found.decode("utf-8", "replace")
        return bool(found)


@contextlib.contextmanager
def terminal(*arguments: str, env: Mapping[str, str]) -> Iterator[Terminal]:
    """`deskgraph` with these arguments on a terminal; killed if it still runs at the end."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("DESKGRAPH_")}
    descriptor, command_side = pty.openpty()
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    opened = FORKS.Event()
    asked = (
        list(arguments), {**surroundings, "TERM": "xterm", **env},
        os.ttyname(command_side), opened,
    )  # fmt: skip
    process = FORKS.Process(target=forked.on_terminal, args=asked)
    process.start()
    assert opened.wait(PATIENCE_SECONDS), "it did not start"
    # Only the command has it open now, so that reading ends when the command does.
    os.close(command_side)
    try:
        yield Terminal(process, descriptor)
    finally:
        process.kill()
        process.join()
        os.close(descriptor)
