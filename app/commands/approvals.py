"""deskgraph approvals: what waits for a person, and a person's decision from a terminal.

Both talk to a running API with the reviewer's own key, and not to the database as the commands for
operators do. Who may decide what (the key's scope and limit, no decision by the key that started
the run, two different approvers, the digest) is then held in one place for every way to decide,
the decision carries the name of the key that took it, and a reviewer needs no password of the
database, with which none of these rules would hold.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, get_args
from uuid import UUID

import httpx
import typer
from rich.padding import Padding
from rich.prompt import Confirm

from app.api.schemas import ApprovalOut, ExpandApproval
from app.commands.answer import Answer, answer_by_hand, answer_from_options
from app.commands.approval_screen import agreed, asks, screen, summary
from app.commands.database import load_settings
from app.commands.ids import id_prefix
from app.commands.reviewer_api import (
    KeyFile,
    Url,
    every,
    get,
    get_if_allowed,
    reviewer_api,
    who_decided,
)
from app.commands.terminal import (
    ID_CHARACTERS,
    WIDE_COLUMNS,
    add_row,
    age,
    console,
    failure,
    inert,
    plain_table,
    typed,
)
from app.commands.usage import OBJECT, usage
from app.services.approvals.decide import Verdict

cli = typer.Typer()

EXPAND = get_args(ExpandApproval)
DECIDED = ("approval_id", "run_id", "verdict", "approval_status", "agreed", "required_approvers")
PIPED_SCREEN = 110
WATCH_SECONDS = 10
# Hexadecimal digits of a UUID.
WHOLE_ID = 32


@cli.command("list", epilog=usage("approvals list", ApprovalOut.model_fields, option="--json"))
def list_approvals(
    url: Url = None,
    api_key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for scripts.")] = False,
) -> None:
    """List the approvals that wait in the key's tenant, those that expire first on top."""
    with reviewer_api(load_settings(), url, api_key_file) as api:
        waiting = sorted(
            every(api, "/v1/approvals", status="pending", expand=list(EXPAND) if as_json else []),
            key=_due,
        )
    if as_json:
        for approval in waiting:
            typer.echo(json.dumps(approval))
    elif waiting:
        _print(waiting)
    else:
        typer.echo("Nothing waits for a person.")


def _due(approval: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(approval["expires_at"])


def _print(waiting: list[dict[str, Any]]) -> None:
    out = console()
    wide = out.width >= WIDE_COLUMNS
    heads = ("approval", "expires in", "agreed", *(("ticket",) if wide else ()), "asks for")
    table = plain_table(*heads, widths=(ID_CHARACTERS, 10, 6))
    now = datetime.now(UTC)
    for approval in waiting:
        people = f"{len(agreed(approval))} of {approval['required_approvers']}"
        due = age(_due(approval), now)
        ticket = (approval["ticket_id"],) if wide else ()
        add_row(table, approval["id"], due, people, *ticket, asks(approval))
    out.print(table)
    out.print(inert(f"Decide one: {typed('approvals decide ID')}", "dim"))


@cli.command(
    "decide",
    epilog=usage("approvals decide 01a20158", DECIDED, form=OBJECT, option="--json"),
)
def decide(
    approval_id: Annotated[str, typer.Argument(help="The approval's id, or how it begins.")],
    verdict: Annotated[Verdict | None, typer.Option(help="Asked for if it is not given.")] = None,
    comment: Annotated[str, typer.Option(help="For the ticket, and for other reviewers.")] = "",
    digest: Annotated[
        str | None,
        typer.Option(help="Of the approval that was read; without it, a person confirms."),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="STEP.FIELD=VALUE to change with `edit`; repeatable."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="STEP to leave out with `edit`; repeatable.")
    ] = None,
    url: Url = None,
    api_key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for scripts.")] = False,
) -> None:
    """Show what is asked, and decide it: approve, edit, reject or respond.

    A script gives --verdict and the --digest that `approvals list --json` says.

    Then exactly that plan is decided, or nothing.
    """
    if not (verdict and digest):
        _require_person(as_json=as_json)
    with reviewer_api(load_settings(), url, api_key_file) as api:
        approval = _found(api, id_prefix(approval_id))
        given = verdict and answer_from_options(
            approval, verdict, comment, change or [], drop or []
        )
        if given is None or digest is None:
            given = _by_a_person(api, approval, given)
            digest = approval["digest"]
        _send(api, approval, given, digest)
        _report(api, approval, given, as_json=as_json, watch=sys.stdout.isatty())


def _require_person(*, as_json: bool) -> None:
    """Refuse to go on without a terminal: a person confirms only what a screen has shown."""
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise failure(
            "There is no terminal to ask on, so give --verdict and --digest, as "
            f"`{typed('approvals list --json')}` prints it."
        )


def _found(api: httpx.Client, prefix: str) -> dict[str, Any]:
    """The open approval whose id begins like that."""
    if len(prefix) == WHOLE_ID:
        approval: dict[str, Any] = get(api, f"/v1/approvals/{UUID(prefix)}")
        return _pending(approval)
    waiting: Iterator[dict[str, Any]] = every(
        api, "/v1/approvals", status="pending", expand=list(EXPAND)
    )
    fitting = [one for one in waiting if one["id"].replace("-", "").startswith(prefix)]
    if not fitting:
        raise failure(
            f"No approval that waits begins with {prefix}; `{typed('approvals list')}` shows them."
        )
    if len(fitting) > 1:
        named = "\n".join(f"  {one['id']}  {one['ticket_id']}  {asks(one)}" for one in fitting)
        raise failure(f"Several approvals begin with {prefix}; give more of the id:\n{named}")
    [found] = fitting
    return found


def _pending(approval: dict[str, Any]) -> dict[str, Any]:
    if approval["status"] == "pending":
        return approval
    by = ", ".join(who_decided(one) for one in approval["decisions"])
    raise failure(
        f"This approval is {approval['status']}{f' by {by}' if by else ''}; there is nothing to "
        f"decide. `{typed('approvals list')}` shows what still waits."
    )


def _by_a_person(api: httpx.Client, approval: dict[str, Any], given: Answer | None) -> Answer:
    """Show everything, ask what was not given, and have the whole of it confirmed."""
    out = console(PIPED_SCREEN)
    run = get_if_allowed(api, f"/v1/runs/{approval['run_id']}")
    for part in screen(approval, run, _wrote(api, run)):
        out.print(part)
    answer = given or answer_by_hand(approval, out)
    if not Confirm.ask(inert(f"\n{summary(approval, answer)}\nSend it?"), console=out):
        out.print("Nothing was sent; the approval still waits.")
        raise typer.Exit(1)
    return answer


def _wrote(api: httpx.Client, run: dict[str, Any] | None) -> list[str]:
    """What the customer wrote that this run answers, if the key may read it."""
    thread = run and get_if_allowed(api, run["links"]["thread"])
    messages = thread["messages"] if thread else []
    return [
        message["text"]
        for message in messages
        if run and message["author"] == "customer" and message["run_id"] == run["id"]
    ]


def _send(api: httpx.Client, approval: dict[str, Any], answer: Answer, digest: str) -> None:
    body = {
        "approval_id": approval["id"],
        "digest": digest,
        "verdict": answer.verdict,
        "comment": answer.comment,
        "steps": [{"id": step, **change} for step, change in answer.steps.items()],
    }
    api.post(f"/v1/runs/{approval['run_id']}/resume", json=body).raise_for_status()


def _report(
    api: httpx.Client, approval: dict[str, Any], answer: Answer, *, as_json: bool, watch: bool
) -> None:
    now = get(api, f"/v1/approvals/{approval['id']}")
    if as_json:
        values = (now["id"], now["run_id"], answer.verdict, now["status"], len(agreed(now)))
        typer.echo(
            json.dumps(dict(zip(DECIDED, (*values, now["required_approvers"]), strict=True)))
        )
    elif now["status"] == "pending":
        names = ", ".join(agreed(now))
        typer.echo(
            f"Your answer counts. {now['required_approvers']} people must agree, so far: {names}. "
            "Another one decides with a key of their own."
        )
    else:
        typer.echo(f"The approval is {now['status']}; run {now['run_id']} goes on.")
        if watch:
            _watch(api, now["run_id"])


def _watch(api: httpx.Client, run_id: str) -> None:
    """Say what became of the run, if that is soon and the key may read it."""
    out = console()
    with out.status(f"Waiting up to {WATCH_SECONDS} s for the run"):
        run = get_if_allowed(api, f"/v1/runs/{run_id}", wait=WATCH_SECONDS)
    if run is None:
        return
    outcome = f", {run['outcome']}" if run["outcome"] else ""
    out.print(inert(f"The run is {run['status']}{outcome}.", "bold"))
    if run["reply"]:
        out.print(Padding(inert(run["reply"]["text"]), (0, 0, 0, 2)))
    if run["status"] == "interrupted":
        out.print(inert(f"It waits for a person again: {typed('approvals list')}"))
