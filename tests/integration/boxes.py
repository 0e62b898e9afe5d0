"""Toolboxes on a real Postgres, with the sandbox behind them."""

from typing import Any

from app.adapters.effects.gate import PostgresGate
from app.db.core.connections import Sessions
from app.execution.wiring import ports_for
from app.settings import Settings
from graphs.policy import GRANTS, Policy
from tools.catalog import TOOLS
from tools.models import JsonObject, Proposer
from tools.ports import Caller, Ports
from tools.strategies import live
from tools.toolbox import AnyTool, Toolbox


# A model that no policy of these tests distrusts.
MODEL: Proposer = {"model": "gpt-5-mini", "fallback": False}


class ModelToolbox(Toolbox):
    """A toolbox whose calls were proposed by that model, unless a test says otherwise."""

    async def call(
        self,
        tool: AnyTool | str,
        args: JsonObject,
        *,
        step_id: str | None = None,
        proposer: Proposer | None = MODEL,
    ) -> Any:
        """See Toolbox."""
        return await Toolbox.call(self, tool, args, step_id=step_id, proposer=proposer)


def sandbox(sessions: Sessions, caller: Caller) -> Ports:
    """What a run without any other setting reaches."""
    return ports_for(Settings(_env_file=None), sessions, caller)


def gate_of(sessions: Sessions, caller: Caller, policy: Policy) -> PostgresGate:
    """The gate of a run."""
    return PostgresGate(sessions, caller, policy, sandbox(sessions, caller))


def toolbox_on(ports: Ports, sessions: Sessions, caller: Caller, policy: Policy) -> Toolbox:
    """The toolbox as `act` has it, with these ports behind."""
    gate = PostgresGate(sessions, caller, policy, ports)
    return ModelToolbox("act", GRANTS["act"], TOOLS, ports, caller, gate, ports.ledger, live)
