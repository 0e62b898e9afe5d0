"""What commands print for scripts has the keys that docs/commands.md names, in that order."""

import json
from pathlib import Path

import pytest

from app.commands.usage import OBJECT
from app.quality.evaluation.dataset import SHIPPED
from tests.conftest import ENCRYPTION_KEY, Tenant
from tests.integration.command_line import deskgraph
from tests.integration.conftest import Begin
from tests.unit.test_command_docs import COMMANDS, DOCUMENTED, documented_keys

pytestmark = pytest.mark.no_articles

# `approvals` needs an API, `dev` processes of its own, and `train` many tickets: their tests hold
# them to the same page.
ELSEWHERE = {"approvals list", "approvals decide", "dev", "train"}
ARGUMENTS = {"customers erase": ["cus_eva"]}
# It makes a tenant of its own; one ticket of the shipped ones is enough.
OWN_TENANT = "eval"
CONNECTION = [
    "connections",
    "add",
    "webhook",
    "--name",
    "Own",
    "--setting",
    "url=https://127.0.0.1:1/",
]
FIRST = {"policy history": ["policy", "set", "-"], "connections list": CONNECTION,
         "webhooks secret list": ["webhooks", "secret", "create"]}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "option"), [pair for pair in DOCUMENTED if pair[0] not in ELSEWHERE]
)
async def test_keys_are_the_documented_ones(
    database_url: str, tenant: Tenant, begin: Begin, tmp_path: Path, command: str, option: str
) -> None:
    """Each object that is printed has exactly these keys."""
    caller = await begin()
    ticket = tmp_path / "ticket.jsonl"
    ticket.write_text(SHIPPED.read_text().partition("\n")[0])
    of_test = {"runs show": [str(caller.run_id)], OWN_TENANT: [str(ticket)]}
    arguments = {**ARGUMENTS, **of_test}.get(command, [])
    whose = [] if command == OWN_TENANT else ["--tenant", tenant.id]
    if first := FIRST.get(command):
        keys = {"DESKGRAPH_ENCRYPTION_KEYS": json.dumps([ENCRYPTION_KEY])}
        given = '{"anger_threshold": 0.7}'
        prepared = await deskgraph(database_url, *first, *whose, typed=given, **keys)
        assert prepared.exit_code == 0, prepared.output
    options = [option] if option else []
    done = await deskgraph(database_url, *command.split(), *arguments, *whose, *options)
    assert done.exit_code == 0, done.output
    single = f"{OBJECT} of JSON" in str(COMMANDS[command].epilog)
    printed = [json.loads(text) for text in ([done.stdout] if single else done.stdout.splitlines())]
    assert printed, "there is something to read"
    for one in printed:
        assert list(one) == documented_keys(command)
        assert done.stdout.isascii()
