"""One command of the command line, called in this process on the tests' database."""

import asyncio
from functools import partial

from typer.testing import CliRunner, Result

from app.cli import app


async def deskgraph(database_url: str, *arguments: str, typed: str = "", **env: str) -> Result:
    """Run a command to its end in a thread, so that servers of the test's loop can answer it."""
    unset = dict.fromkeys(("DESKGRAPH_API_KEY", "DESKGRAPH_DATA_DIR"))
    given = {**unset, "DESKGRAPH_DATABASE_URL": database_url, **env}
    invoke = partial(CliRunner().invoke, app, arguments, input=typed, env=given)
    done = await asyncio.to_thread(invoke)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done
