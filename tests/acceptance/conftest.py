"""One API and one worker, as real processes, for all tests that kill nothing.

They end with the tests of this folder: idle, they cost a twentieth of a core each.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.acceptance.connected import OwnConnected, own_desk_of
from tests.acceptance.in_process import InProcess, api_in_process
from tests.acceptance.stack import Client, Stack, running
from tests.conftest import Tenant


@pytest.fixture(scope="module")
def own_url(migrated_database: Callable[[], str]) -> str:
    """A database of the module's own: other workers take none of its runs."""
    return migrated_database()


@pytest.fixture(scope="package")
def stack(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running service."""
    with running(Stack(database_url, Path(tmp_path_factory.mktemp("stack")))) as started:
        started.api()
        started.worker()
        yield started


@pytest.fixture(scope="package")
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
    """A caller who may do all but decide."""
    return stack.client(tenant.admin)


@pytest.fixture
def connected(stack: Stack, tenant: Tenant) -> Iterator[OwnConnected]:
    """A tenant with a connected desk."""
    with own_desk_of(stack, tenant) as desk:
        yield desk
