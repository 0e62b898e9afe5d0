"""What a cancelled run had begun: looked up at the provider, so that nothing done goes untold."""

from typing import Any

from app.db.effects.ledger import started_of_run
from app.db.tables.runs import Run
from app.execution.run_error import unknown_outcome
from app.execution.wiring import Service
from tools.catalog import EFFECTS
from tools.errors import ToolError
from tools.ports import Caller


async def recall_begun(service: Service, run: Run) -> dict[str, Any] | None:
    """Write down how the calls ended that the run began; an error for the run if one is unknown.

    No call is made again. A call that nobody can be asked about stays `started`.
    """
    async with service.sessions() as session:
        begun = await started_of_run(session, run.tenant_id, run.id)
    if not begun:
        return None
    caller = Caller(run.tenant_id, run.customer_id, run.ticket_id, run.id, run.attempt)
    ports = service.ports(service.settings, service.sessions, caller)
    unknown = []
    for entry in begun:
        effect = EFFECTS.get(entry.tool)
        try:
            result = await effect.find(ports, entry.key) if effect and effect.find else None
        except ToolError:
            result = None
        if result is None:
            unknown.append(entry.key)
        else:
            await ports.ledger.finish(entry.key, result)
    return unknown_outcome(unknown) if unknown else None
