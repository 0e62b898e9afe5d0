"""What each process of a stack runs. Forked from a server that has imported all of it before."""

import os
import sys
from pathlib import Path

# First: it sets what langgraph reads when it is imported.
from app import cli
from app.commands import database, serve
from app.models import openai, openai_chat

IMPORTED = (database, serve, openai, openai_chat)


def command(arguments: list[str], env: dict[str, str], log: Path) -> None:
    """`deskgraph` with these arguments, in these surroundings, its output at the end of a file."""
    os.environ.clear()
    os.environ.update(env)
    with log.open("ab") as out:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(out.fileno(), sys.stderr.fileno())
    sys.argv = ["deskgraph", *arguments]
    cli.main()
