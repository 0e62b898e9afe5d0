"""deskgraph demo: ten sample tickets over HTTP, and a live table of what becomes of them."""

import sys
import time
from typing import Any

import httpx
import typer
from rich.live import Live
from rich.table import Table

from app.commands.database import running_dev
from app.commands.demo_data.tickets import TICKETS
from app.commands.terminal import add_row, complain, one_line, typed
from app.settings import Settings

WATCH_SECONDS = 60
REFRESH_SECONDS = 0.3
BODY_CHARACTERS = 60
AT_REST = {"interrupted", "success", "error", "timeout", "cancelled"}


def run_demo(settings: Settings, url: str | None, key: str | None) -> None:
    """Send the tickets to a running service and watch until each run rests."""
    dev = running_dev(settings) or {}
    url, key = url or dev.get("url"), key or dev.get("starter_key")
    if not url or not key:
        complain(f"No running `{typed('dev')}` found: give --url and --key.")
        raise typer.Exit(2)
    try:
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30
        ) as api:
            watch(api, send_all(api))
    except httpx.HTTPStatusError as error:
        complain(f"{url} refused: {error.response.text}")
        raise typer.Exit(1) from None
    except httpx.TransportError as error:
        complain(f"{url} does not answer ({error}); is `{typed('dev')}` running?")
        raise typer.Exit(1) from None


def send_all(api: httpx.Client) -> list[str]:
    """Start a run for each ticket, under fresh ticket ids; the runs' ids in order."""
    batch = format(int(time.time()), "x")
    ids = []
    for number, ticket in enumerate(TICKETS, 1):
        sent = api.post("/v1/runs", json={"ticket": {"id": f"demo-{batch}-{number}", **ticket}})
        ids.append(str(sent.raise_for_status().json()["id"]))
    return ids


def watch(api: httpx.Client, ids: list[str]) -> None:
    """Redraw the table until every run finished or waits for a person."""
    until = time.monotonic() + WATCH_SECONDS
    with Live(refresh_per_second=8) as live:
        while True:
            runs = [api.get(f"/v1/runs/{run_id}").raise_for_status().json() for run_id in ids]
            live.update(table(runs))
            if all(run["status"] in AT_REST for run in runs) or time.monotonic() > until:
                break
            time.sleep(REFRESH_SECONDS)
    if waiting := sum(run["status"] == "interrupted" for run in runs):
        if not sys.stdout.isatty():
            # rich ends its table with a line break on a terminal alone.
            typer.echo()
        typer.echo(f"{waiting} runs wait for an approver: {typed('approvals list')}")


def table(runs: list[dict[str, Any]]) -> Table:
    """One row a run."""
    drawn = Table("customer", "ticket", "status", "outcome", "what came out", expand=True)
    for run, ticket in zip(runs, TICKETS, strict=True):
        cells = (
            run["customer_id"],
            one_line(ticket["body"], BODY_CHARACTERS),
            run["status"],
            run["outcome"],
        )
        add_row(drawn, *cells, news(run))
    return drawn


def news(run: dict[str, Any]) -> str:
    """The most telling thing about a run, in one line."""
    if run["status"] == "interrupted":
        return "; ".join(step["risk"] for step in run["plan"])
    if run["handoff"]:
        agent = run["handoff"]["agent"]
        return f"to {agent['name']}" if agent else "waits for a free colleague"
    if run["reply"]:
        cited = ", ".join(run["reply"]["citations"])
        return (
            f"answered from {cited}" if cited else one_line(run["reply"]["text"], BODY_CHARACTERS)
        )
    return ""
