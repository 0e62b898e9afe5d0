"""deskgraph customers: erase one."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.routes.customers import show
from app.api.schemas import ErasureOut, OutsideId
from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import complain
from app.commands.usage import OBJECT, usage
from app.db.tenants import queries as tenant_queries
from app.errors import CustomerHasLiveRunsError
from app.log.error_text import wrong_value
from app.services.conversations import erase_customer as erasure

cli = typer.Typer()
OUTSIDE_ID: TypeAdapter[str] = TypeAdapter(OutsideId)


@cli.command(
    "erase",
    epilog=usage("customers erase cus_ann --tenant acme", ErasureOut.model_fields, form=OBJECT),
)
def erase_customer(
    customer_id: Annotated[str, typer.Argument(help="The customer's id at the helpdesk.")],
    tenant: Annotated[str, typer.Option(help="Whose customer.")] = "demo",
) -> None:
    """Erase what a customer wrote and who they are, and print what was done as JSON."""
    try:
        OUTSIDE_ID.validate_python(customer_id)
    except ValidationError as error:
        raise typer.BadParameter(wrong_value(error.errors()[0]["msg"])) from None

    async def work(session: AsyncSession) -> str:
        if not await tenant_queries.tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}")
        note = await erasure.erase(session, tenant, customer_id, "cli")
        return show(note).model_dump_json(indent=2)

    with with_database(load_settings()) as settings:
        try:
            typer.echo(in_session(settings, work))
        except CustomerHasLiveRunsError as refusal:
            complain(f"{refusal.detail}\n{' '.join(refusal.extra['run_ids'])}")
            raise typer.Exit(1) from None
