"""For modules whose work goes over all tenants: a database of their own, where there are few."""

from collections.abc import AsyncIterator, Callable

import pytest

from app.db.core.connections import Sessions
from app.execution.wiring import Service, open_service
from tests.integration.conftest import settings_for


@pytest.fixture(scope="module")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A migrated database that no other module uses."""
    return migrated_database()


@pytest.fixture(scope="module")
async def service(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The wired service on it, without API and worker."""
    async with open_service(settings_for(database_url, tmp_path_factory)) as opened:
        yield opened


@pytest.fixture(scope="module")
def sessions(service: Service) -> Sessions:
    """Sessions on it."""
    return service.sessions
