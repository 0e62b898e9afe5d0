"""`deskgraph shell`: a prompt with the service's parts, for people who know what they do."""

import re

from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.command_line import deskgraph
from tests.integration.workplace import Workplace


async def at_prompt(database_url: str, *lines: str) -> tuple[str, str]:
    """What the shell prints, and what it says beside it, when these lines are typed."""
    done = await deskgraph(database_url, "shell", typed="\n".join([*lines, ""]))
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


async def test_banner_names_what_is_there_and_that_it_writes(database_url: str) -> None:
    """Every name that the banner lists can be typed, and the banner says that sessions commit."""
    names = "settings sessions graph service runs steps approvals ledger events Run Step Message "
    names += "Approval Decision LedgerEntry Event Callback Tenant ApiKey PolicyVersion "
    names += "select update func"
    shown, beside = await at_prompt(
        database_url, *(f"print({name!r} in globals())" for name in names.split())
    )
    assert all(name in beside for name in names.split())
    assert "THIS SHELL CAN WRITE" in beside
    assert database_url.rpartition("@")[2] in beside
    assert database_url not in beside, "the password is not shown"
    assert shown.count("True") == len(names.split())


async def test_lines_may_await_queries_and_the_graph(
    database_url: str, service: Service, tenant: Tenant
) -> None:
    """A stored run and its checkpoint are found by the queries and the graph that are there."""
    workplace = Workplace(service, tenant)
    run = await workplace.advance(await workplace.start())
    shown, _ = await at_prompt(
        database_url,
        "async with sessions() as s:",
        f"    row = await s.scalar(runs.runs_of_tenant({tenant.id!r}))",
        "",
        "print(row.status)",
        "state = await graph.aget_state({'configurable': {'thread_id': str(row.thread_id)}})",
        "state.next",
    )
    assert run.status == "interrupted"
    assert "interrupted" in shown
    assert "('approve',)" in shown


async def test_what_fails_is_shown_and_the_prompt_stays(database_url: str) -> None:
    """An error in a line, in what it awaits or in its syntax ends that line only; exit() ends."""
    shown, beside = await at_prompt(
        database_url,
        "1 / 0",
        "import asyncio; await asyncio.wait_for(asyncio.sleep(9), 0)",
        "print(",
        ")))",
        "print('still here')",
        "exit()",
        "print('not here')",
    )
    assert "still here" in shown
    assert "not here" not in shown
    for error in ("ZeroDivisionError", "TimeoutError", "SyntaxError"):
        assert error in beside


async def test_error_is_shown_from_the_typed_line_on(database_url: str) -> None:
    """A misspelled name shows the typed line alone: no frame of the console."""
    _, beside = await at_prompt(database_url, "rnus")
    assert 'File "<console>", line 1' in beside
    assert beside.count("  File ") == 1
    assert "NameError: name 'rnus' is not defined" in beside


async def test_banner_begins_lines_with_names_alone(database_url: str) -> None:
    """What stands where names stand can be typed; a heading does not look like one."""
    _, beside = await at_prompt(database_url)
    first = re.findall(r"^  (\w+)(?:,|  )", beside, re.MULTILINE)
    shown, _ = await at_prompt(database_url, *(f"print({name!r} in globals())" for name in first))
    assert (len(first) >= 7, shown.count("True")) == (True, len(first))
