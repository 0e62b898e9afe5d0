"""`deskgraph connections`: what a newcomer types, and what each refusal says to do next."""

import json

import pytest

from app.connectors.catalog import CONNECTORS
from app.services.connections.encryption import new_key
from tests.conftest import Tenant
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving
from tests.integration.command_line import deskgraph

pytestmark = pytest.mark.no_articles

KEYS = json.dumps([new_key()])
URL = "url=https://desk.example/in"
RESTRICTED, SIGNING = "rk_test_0123456789", "whsec_0123456789"


@pytest.fixture
def name(tenant: Tenant) -> str:
    """The tenant whose connections these are."""
    return tenant.id


async def run(database_url: str, *words: str, typed: str = "", **env: str) -> tuple[int, str, str]:
    """Exit code, standard output, and standard error as one line of words."""
    done = await deskgraph(
        database_url, "connections", *words, typed=typed, DESKGRAPH_ENCRYPTION_KEYS=KEYS, **env
    )
    return done.exit_code, done.stdout, " ".join(done.stderr.replace("│", " ").split())


async def added(database_url: str, tenant: str, kind: str, *more: str, typed: str = "") -> str:
    """The id of a new connection."""
    code, out, says = await run(
        database_url, "add", kind, "--name", "X", "--tenant", tenant, *more, typed=typed
    )
    assert code == 0, says
    return out.splitlines()[0]


async def test_desk_is_added_changed_listed_tested_and_removed(
    database_url: str, name: str
) -> None:
    """By its id, which `add` prints first, with the secret of its hooks alone on the next line."""
    code, out, says = await run(
        database_url, "add", "webhook", "--name", "Own", "--setting", URL, "--tenant", name
    )
    found, secret = out.split()
    assert (code, secret[:6]) == (0, "whsec_")
    assert f"Its hooks go to https://YOUR-API/v1/hooks/{found}, signed with this" in says
    of_tenant = (found, "--tenant", name)
    desk = OwnDesk()
    desk.connect("", secret)
    with serving(desk.app) as url:
        groups = 'groups={"billing": "Finance"}'
        here = ("--setting", f"url={url}/deskgraph", "--setting", groups)
        assert (await run(database_url, "change", *of_tenant, *here))[0] == 0
        _, line, _ = await run(database_url, "list", "--json", "--tenant", name)
        assert json.loads(line)["settings"]["groups"] == {"billing": "Finance"}
        allow = {"DESKGRAPH_CALLBACK_ALLOW": '["127.0.0.0/8"]'}
        code, out, _ = await run(database_url, "test", *of_tenant, **allow)
    assert code == 1
    assert out.startswith("ok       reachable: ")
    assert f"MISSING  hooks: No hook came yet: let the system post to /v1/hooks/{found}." in out
    await run(database_url, "change", *of_tenant, "--pause")
    _, line, _ = await run(database_url, "list", "--json", "--tenant", name)
    assert json.loads(line)["paused_because"] == "An operator paused it."
    assert (await run(database_url, "remove", *of_tenant))[0] == 0
    code, _, says = await run(database_url, "test", *of_tenant)
    assert code == 2
    assert f"There is no connection {found}. See" in says


async def test_closed_address_is_refused_with_what_would_allow_it(
    database_url: str, name: str
) -> None:
    """The setting, and what must stand in it."""
    found = await added(database_url, name, "webhook", "--setting", "url=http://127.0.0.1:9400/in")
    code, out, _ = await run(database_url, "test", found, "--tenant", name)
    assert code == 1
    assert "unless DESKGRAPH_CALLBACK_ALLOW names 127.0.0.1:9400" in out


async def test_stripes_secret_comes_after_its_key(database_url: str, name: str) -> None:
    """The webhook exists only once the connection does; no secret of ours is shown for it."""
    words = ("add", "stripe", "--name", "S", "--tenant", name)
    code, out, says = await run(database_url, *words, typed=f"{RESTRICTED}\n\n")
    assert (code, out.count("\n")) == (0, 1), says
    found = out.strip()
    assert "change" in says
    assert "whsec_" not in says
    again = ("change", found, "--credentials", "--tenant", name)
    code, out, says = await run(database_url, *again, typed=f"{RESTRICTED}\n{SIGNING}\n")
    assert (code, out) == (0, f"{found} is changed.\n"), says


async def test_mailbox_has_no_hooks(database_url: str, name: str) -> None:
    """So nothing is said of any."""
    servers = ("address=support@example.com", "imap_host=mx.example", "smtp_host=mx.example")
    settings = [word for server in servers for word in ("--setting", server)]
    words = ("add", "email", "--name", "M", "--tenant", name, *settings)
    code, out, says = await run(database_url, *words, typed="support\nsecret\n")
    assert (code, out.count("\n")) == (0, 1), says
    assert "/v1/hooks" not in says


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["webhok"], f"no connector 'webhok'; there are {', '.join(sorted(CONNECTORS))}"),
        (["webhook"], "settings.url: Field required. The settings are: outcomes, groups, url."),
        (["webhook", "--setting", "url"], "'url' is not NAME=VALUE"),
        (["webhook", "--setting", "url=desk"], "the URL must be https://host"),
        (["webhook", "--setting", "uri=https://x.example"], "The settings are: outcomes, groups"),
        (["webhook", "--setting", URL, "--tenant", "none"], "`keys create --create-tenant`"),
    ],
)
async def test_wrong_call_says_what_is_right(
    database_url: str, name: str, words: list[str], says: str
) -> None:
    """Exit code 2, and nothing is made."""
    tenant = [] if "--tenant" in words else ["--tenant", name]
    code, out, said = await run(database_url, "add", *words, "--name", "X", *tenant)
    assert (code, out) == (2, "")
    assert says in said
    assert (await run(database_url, "list", "--json", "--tenant", name))[1] == ""
