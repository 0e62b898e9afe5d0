"""deskgraph runs: lists runs, and shows everything about one run on one screen.

For operators: both read the database itself, as `keys` and `policy` do, and change nothing.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import load_settings, with_database, with_sessions
from app.commands.ids import id_prefix, id_range
from app.commands.run_report import RunReport, report_of
from app.commands.run_screen import screen
from app.commands.terminal import (
    ID_CHARACTERS,
    WIDE_COLUMNS,
    add_row,
    age,
    console,
    failure,
    inert,
    one_line,
    plain_table,
    typed,
)
from app.commands.usage import OBJECT, usage
from app.db.core.connections import Sessions
from app.db.runs.filters import RunFilters
from app.db.runs.queries import runs_of_tenant
from app.db.tables.runs import Run
from app.db.tenants.queries import tenant_exists
from app.lifecycle import RunStatus
from app.settings import Settings
from graphs.state import Outcome

cli = typer.Typer()
Tenant = Annotated[str, typer.Option(help="Whose runs.")]

LINE = (
    "id", "tenant_id", "ticket_id", "customer_id", "subject", "status", "outcome", "ignored",
    "error", "attempt", "tokens", "cost_usd", "replay_of", "merged_into", "created_at",
    "started_at", "finished_at",
)  # fmt: skip
# Of a prefix that several runs share, so many are named.
NAMED = 10
SUBJECT_CHARACTERS = 80
PIPED_SCREEN = 110


@cli.command("list", epilog=usage("runs list --status interrupted", LINE, option="--json"))
def list_runs(
    tenant: Tenant = "demo",
    status: Annotated[RunStatus | None, typer.Option(help="Only runs of this status.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only runs of this customer id.")] = None,
    ticket: Annotated[str | None, typer.Option(help="Only runs of this ticket id.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only runs that ended like this.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for scripts.")] = False,
) -> None:
    """List a tenant's runs, newest first, one line a run."""
    query = runs_of_tenant(tenant, RunFilters(status, ticket, customer, outcome)).order_by(
        Run.id.desc()
    )

    async def work(sessions: Sessions) -> list[Run]:
        async with sessions() as session:
            await require_tenant(session, tenant)
            return list(await session.scalars(query.limit(limit)))

    with with_database(load_settings()) as settings:
        rows = with_sessions(settings, work)
    if as_json:
        for run in rows:
            typer.echo(json.dumps(_line(run)))
        return
    _print(rows, limit)


def _print(rows: list[Run], limit: int) -> None:
    if not rows:
        typer.echo(
            f"No run fits. `{typed('demo')}` sends ten tickets to a running `{typed('dev')}`."
        )
        return
    out = console()
    wide = out.width >= WIDE_COLUMNS
    heads = (
        "run",
        "status",
        "outcome",
        "age",
        "ticket",
        *(("customer", "subject") if wide else ()),
    )
    table = plain_table(*heads, widths=(ID_CHARACTERS, 11, 9, 4), overflow="ellipsis")
    now = datetime.now(UTC)
    for run in rows:
        ago = age(run.created_at, now).split()[0]
        cells = (run.id, run.status, run.outcome, ago, run.ticket_id)
        more = (run.customer_id, one_line(run.ticket.get("subject", ""), SUBJECT_CHARACTERS))
        add_row(table, *cells, *(more if wide else ()))
    out.print(table)
    if len(rows) == limit:
        out.print(inert(f"Only the newest {limit}; --limit shows more.", "dim"))


def _line(run: Run) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in LINE if name not in ("subject", "ignored")}
    values["subject"] = run.ticket.get("subject")
    values["ignored"] = run.result.get("ignored")
    values["cost_usd"] = None if run.cost_usd is None else float(run.cost_usd)
    return {name: _plain(values[name]) for name in LINE}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return value if isinstance(value, int | float | dict | None) else str(value)


@cli.command(
    "show",
    epilog=usage("runs show 01a20158", RunReport.model_fields, form=OBJECT, option="--json"),
)
def show_run(
    run_id: Annotated[str, typer.Argument(help="The run's id, or how it begins.")],
    tenant: Tenant = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for scripts.")] = False,
) -> None:
    """Show a run's row, ticket, steps, plan, approvals, ledger, events, callbacks, checkpoint."""
    prefix = id_prefix(run_id)

    with with_database(load_settings()) as settings:

        async def work(sessions: Sessions) -> RunReport:
            return await _found(sessions, settings, tenant, prefix)

        report = with_sessions(settings, work)
    if as_json:
        # ASCII only, so that no text of a customer can drive a terminal.
        typer.echo(json.dumps(report.model_dump(mode="json")))
        return
    out = console(PIPED_SCREEN)
    for part in screen(report):
        out.print(part)


async def _found(sessions: Sessions, settings: Settings, tenant: str, prefix: str) -> RunReport:
    query = runs_of_tenant(tenant).where(Run.id.between(*id_range(prefix))).order_by(Run.id)
    async with sessions() as session:
        await require_tenant(session, tenant)
        rows = list(await session.scalars(query.limit(NAMED + 1)))
    if not rows:
        raise failure(
            f"Tenant {tenant!r} has no run {prefix}; see "
            f"`{typed(f'runs list --tenant {tenant}')}`, "
            "or name another --tenant."
        )
    if len(rows) > 1:
        named = "\n".join(f"  {run.id}  {run.ticket_id}  {run.status}" for run in rows[:NAMED])
        more = "\n  and more" if len(rows) > NAMED else ""
        raise failure(f"Several runs begin with {prefix}; give more of the id:\n{named}{more}")
    return await report_of(sessions, settings, rows[0])


async def require_tenant(session: AsyncSession, tenant: str) -> None:
    """Raise BadParameter for a tenant that is not there."""
    if not await tenant_exists(session, tenant):
        raise typer.BadParameter(f"no tenant {tenant!r}; `keys create --create-tenant` makes one")
