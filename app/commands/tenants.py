"""deskgraph tenants create: a tenant, and with --sandbox a world to try it with."""

import re
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.seed import seed
from app.commands.terminal import add_row, console, inert, plain_table, typed
from app.commands.usage import usage
from app.db.knowledge.articles import articles_of_tenant
from app.db.tables.knowledge import Article
from app.db.tables.sandbox import SandboxPayment, SandboxSubscription
from app.db.tenants.queries import ensure_tenant, tenant_exists
from tools.money import format_money

cli = typer.Typer()
# It stands in addresses, options and log lines.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

Seeded = tuple[list[SandboxPayment], list[SandboxSubscription], list[Article]]


@cli.callback()
def _group() -> None:
    """Create tenants. A callback, so that one command is still named."""


@cli.command("create", epilog=usage("tenants create acme --sandbox"))
def create_tenant(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, `-` and `_`.")],
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Add customers, payments and articles to try it with.")
    ] = False,
) -> None:
    """Create a tenant; with --sandbox, fill it and print what is in it."""
    if not NAME.fullmatch(name):
        raise typer.BadParameter("give up to 63 lower-case letters, digits, `-` and `_`")

    async def work(session: AsyncSession) -> Seeded | None:
        if await tenant_exists(session, name):
            raise typer.BadParameter(f"there is a tenant {name!r} already")
        await ensure_tenant(session, name, name)
        if not sandbox:
            return None
        await seed(session, name)
        return await read_seeded(session, name)

    with with_database(load_settings()) as settings:
        seeded = in_session(settings, work)
    out = console()
    if seeded:
        print_seeded(out, *seeded)
    command = typed(f"keys create --tenant {name} --name Helpdesk --scope runs:write")
    out.print(inert(f"Tenant {name} is there. Give it a key: {command}"))


async def read_seeded(session: AsyncSession, tenant: str) -> Seeded:
    """What a new tenant has, as the database has it."""
    payments = select(SandboxPayment).where(SandboxPayment.tenant_id == tenant)
    renewing = select(SandboxSubscription).where(SandboxSubscription.tenant_id == tenant)
    return (
        list(await session.scalars(payments.order_by(SandboxPayment.id))),
        list(await session.scalars(renewing.order_by(SandboxSubscription.id))),
        list(await session.scalars(articles_of_tenant(tenant).order_by(Article.id))),
    )


def print_seeded(
    out: Console,
    payments: list[SandboxPayment],
    subscriptions: list[SandboxSubscription],
    articles: list[Article],
) -> None:
    """Three tables: what customers paid, what renews, and what can be answered from."""
    paid = plain_table("customer", "payment", "for", "amount", "on")
    for payment in payments:
        amount = format_money(payment.amount_minor, payment.currency)
        day = f"{payment.captured_at:%Y-%m-%d}"
        disputed = " (disputed)" if payment.disputed else ""
        add_row(paid, payment.customer_id, payment.id, payment.description + disputed, amount, day)
    out.print(paid)
    renewing = plain_table("customer", "subscription", "for", "amount", "renews on")
    for one in subscriptions:
        amount = format_money(one.amount_minor, one.currency)
        renews = f"{one.renews_at:%Y-%m-%d}" if one.renews_at else None
        add_row(renewing, one.customer_id, one.id, one.description, amount, renews)
    out.print(renewing)
    known = plain_table("article", "title")
    for article in articles:
        add_row(known, article.id, article.title)
    out.print(known)
