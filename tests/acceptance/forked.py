"""What each process of a stack runs. Forked from a server that has imported all of it before."""

import os
import sys
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
