"""Toolboxes on a real Postgres, with the sandbox behind them."""

from app.adapters.effects.gate import PostgresGate
from app.db.core.connections import Sessions
from app.execution.wiring import ports_for
from app.settings import Settings
from graphs.policy import GRANTS, Policy
from tools.catalog import TOOLS
from tools.ports import Caller, Ports
from tools.strategies import live
from tools.toolbox import Toolbox


def sandbox(sessions: Sessions, caller: Caller) -> Ports:
    """What a run without any other setting reaches."""
    return ports_for(Settings(_env_file=None), sessions, caller)


def gate_of(sessions: Sessions, caller: Caller, policy: Policy) -> PostgresGate:
    """The gate of a run."""
    return PostgresGate(sessions, caller, policy, sandbox(sessions, caller))


def toolbox_on(ports: Ports, sessions: Sessions, caller: Caller, policy: Policy) -> Toolbox:
    """The toolbox as `act` has it, with these ports behind."""
    gate = PostgresGate(sessions, caller, policy, ports)
    return Toolbox("act", GRANTS["act"], TOOLS, ports, caller, gate, ports.ledger, live)
