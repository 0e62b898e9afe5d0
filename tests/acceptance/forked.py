"""What each process of a stack runs. Forked from a server that has imported all of it before."""

import os
import signal
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

# First: it sets what langgraph reads when it is imported.
from app import cli
from app.commands import database, serve
from app.models import openai, openai_chat

IMPORTED = (database, serve, openai, openai_chat)


def command(
    arguments: list[str], env: dict[str, str], log: Path, errors: Path | None = None
) -> None:
    """`deskgraph` with these arguments, in these surroundings.

    What it prints goes to the end of `log`, and what it prints as errors too, or to `errors`.
    """
    os.environ.clear()
    os.environ.update(env)
    for file, stream in ((log, sys.stdout), (errors or log, sys.stderr)):
        with file.open("ab") as out:
            os.dup2(out.fileno(), stream.fileno())
    sys.argv = ["deskgraph", *arguments]
    cli.main()


def on_terminal(arguments: list[str], env: dict[str, str], terminal: str, opened: Event) -> None:
    """`deskgraph` with these arguments on the terminal of that path, with a session of its own."""
    os.environ.clear()
    os.environ.update(env)
    os.setsid()
    # The first one that a session opens becomes its terminal: Ctrl-C and passwords go through it.
    descriptor = os.open(terminal, os.O_RDWR)
    for standard in range(3):
        os.dup2(descriptor, standard)
    os.close(descriptor)
    opened.set()
    # A shell starts what runs in the background with these ignored; a terminal does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_DFL)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # stays open
    sys.stdout = open(1, "w", 1, "utf-8", closefd=False)  # noqa: SIM115  # stays open
    sys.stderr = open(2, "w", 1, "utf-8", closefd=False)  # noqa: SIM115  # stays open
    sys.argv = ["deskgraph", *arguments]
    cli.main()
