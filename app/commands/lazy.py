"""Groups of commands that are imported when they are used, so that --help answers at once.

What the commands import (the database, the web framework, the graph) takes some seconds; a list of
their names needs none of it.
"""

from collections.abc import MutableMapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

# The groups of the command line, each the `cli` of the module of its name, and what they are for.
GROUPS = {
    "runs": "List runs, and show everything about one.",
    "approvals": "See what waits for a person, and decide it.",
    "tenants": "Create tenants.",
    "keys": "Create, list and revoke API keys; end sessions.",
    "policy": "Show and set a tenant's policy.",
    "audit": "Check and export the audit trail.",
    "connections": "Connect helpdesks, mailboxes and payments.",
    "articles": "Fill the knowledge base.",
    "agents": "Import and list who takes hand-offs.",
    "contacts": "Fill the list of contacts.",
    "customers": "Erase customers.",
    "langsmith": "Find out whether traces arrive.",
    "webhooks": "Sign callbacks.",
}


class LazyGroup(TyperGroup):
    """The commands of one module, which is imported when one of them is asked for."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """The commands by name."""
        return _commands_of(str(self.name))

    @commands.setter
    def commands(self, _none: MutableMapping[str, Any]) -> None:
        """The constructor sets the commands that are known by then, which are none."""


@cache
def _commands_of(module: str) -> MutableMapping[str, Any]:
    group = typer.main.get_group(import_module(f"app.commands.{module}").cli)
    return group.commands


class CommandLine(TyperGroup):
    """The root: its own commands, and the groups."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, purpose in GROUPS.items():
            self.add_command(LazyGroup(name=name, help=purpose, no_args_is_help=True))
