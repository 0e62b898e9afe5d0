"""A service whose models are a stand-in provider, with a database of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.openai.questions import FAST, STRONG
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Stack, running
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving


@pytest.fixture(scope="package")
def own_url(migrated_database: Callable[[], str]) -> str:
    """A database without other workers."""
    return migrated_database()


@pytest.fixture
async def tenant(own_url: str, *, articles: bool) -> Tenant:
    """A tenant on it."""
    return await tenant_on(own_url, articles=articles)


@pytest.fixture(scope="package")
def all_models() -> OpenAIDouble:
    """The provider of this package."""
    return OpenAIDouble()


@pytest.fixture(autouse=True)
def models(all_models: OpenAIDouble) -> OpenAIDouble:
    """A provider that answers well, until a test says otherwise."""
    all_models.reset()
    return all_models


@pytest.fixture(scope="package")
def stack(
    own_url: str, tmp_path_factory: pytest.TempPathFactory, all_models: OpenAIDouble
) -> Iterator[Stack]:
    """A service that asks it."""
    with serving(all_models.app) as provider:
        env = {
            "DESKGRAPH_OPENAI_API_KEY": "openai-key",
            "DESKGRAPH_OPENAI_BASE_URL": f"{provider}/v1",
            "DESKGRAPH_FAST_MODEL": FAST,
            "DESKGRAPH_STRONG_MODEL": STRONG,
            "DESKGRAPH_MODEL_TIMEOUT_SECONDS": "1",
            # One test's failures must not switch the model off for the next test.
            "DESKGRAPH_CIRCUIT_FAILURES": "1000",
        }
        folder = Path(tmp_path_factory.mktemp("openai"))
        with running(Stack(own_url, folder, **env)) as started:
            started.api()
            started.worker()
            yield started
