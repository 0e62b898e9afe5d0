"""One API and one worker, as real processes, for all tests that kill nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.acceptance.connected import OwnConnected
from tests.acceptance.in_process import InProcess, api_in_process
from tests.acceptance.stack import Client, Stack, running
from tests.conftest import Tenant
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving


@pytest.fixture(scope="session")
def stack(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running service."""
    with running(Stack(database_url, Path(tmp_path_factory.mktemp("stack")))) as started:
        started.api()
        started.worker()
        yield started


@pytest.fixture(scope="session")
def in_process(stack: Stack, settings: Settings) -> Iterator[InProcess]:
    """The API without a socket, on the running service's database."""
    with api_in_process(settings) as api:
        yield api


@pytest.fixture
def starter(stack: Stack, tenant: Tenant) -> Client:
    """The helpdesk."""
    return stack.client(tenant.starter)


@pytest.fixture
def approver(stack: Stack, tenant: Tenant) -> Client:
    """A person who decides."""
    return stack.client(tenant.approver)


@pytest.fixture
def admin(stack: Stack, tenant: Tenant) -> Client:
    """Somebody who may do all but decide."""
    return stack.client(tenant.admin)


@pytest.fixture
def connected(
    stack: Stack, tenant: Tenant, starter: Client, approver: Client, admin: Client
) -> Iterator[OwnConnected]:
    """A tenant with a connected desk."""
    desk = OwnDesk()
    with serving(desk.app) as url:
        settings = {
            "url": f"{url}/deskgraph",
            "outcomes": {"answered": {"tags_add": ["bot"], "status": "pending"}},
            "groups": {"complaints": "Second line"},
        }
        asked = {"kind": "webhook", "name": "Own", "settings": settings}
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        body = made.json()
        desk.connect(f"{stack.url}{body['hook_path']}", body["hook_secret"])
        yield OwnConnected(body["id"], admin, approver, starter, desk)
