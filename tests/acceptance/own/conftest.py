"""For modules whose processes need a database of their own: any worker takes any run of its own."""

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.conftest import Tenant


@pytest.fixture(scope="module")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A database that no other module uses."""
    return migrated_database()


@pytest.fixture
async def tenant(database_url: str, *, articles: bool) -> Tenant:
    """A tenant on that database."""
    return await tenant_on(database_url, articles=articles)


@pytest.fixture(scope="module")
def held_model() -> Iterator[HeldModel]:
    """One model for all tests of a module; `model` releases what a test held."""
    held = HeldModel()
    yield held
    held.close()


@pytest.fixture
def model(held_model: HeldModel) -> Iterator[HeldModel]:
    """A model whose answers a test holds back."""
    held_model.calls.clear()
    yield held_model
    held_model.release()
