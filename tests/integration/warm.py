"""Runs pytest in copies of the tree, each in a fork of this process, which has the libraries ready.

A program of its own, that imports nothing of ours: each copy brings its own. Reads one JSON list a
line, of a folder, a file for the output and the arguments; answers with the exit code.
"""

import importlib
import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

# What costs most of the time that a test of ours needs to start.
LIBRARIES = (
    "pytest", "aiosmtpd.controller", "alembic.command", "fastapi", "genai_prices", "hypothesis",
    "jsonschema_rs", "langchain_openai", "langcodes", "langgraph.checkpoint.postgres.aio",
    "langgraph.graph", "procrastinate", "psycopg_pool", "pydantic_settings", "rich.console",
    "snowballstemmer", "sqlalchemy.ext.asyncio", "typer.testing", "uvicorn",
)  # fmt: skip


def main() -> None:
    """Serve until the end of the standard input."""
    ArgumentParser(
        prog="python -m tests.integration.warm",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    ).parse_args()
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        folder, log, *arguments = json.loads(line)
        if (child := os.fork()) == 0:
            _run(folder, log, arguments)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def _run(folder: str, log: str, arguments: list[str]) -> None:
    import pytest  # noqa: PLC0415  # ready by now

    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    os.chdir(folder)
    sys.path[0] = folder
    code = pytest.main(arguments)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
