"""Schemathesis derives requests from the OpenAPI document and holds every answer against it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.api.http.dependencies import SCOPES
from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from tests.acceptance.stack import Stack
from tests.conftest import Tenant

CONFIG = Path(__file__).with_name("schemathesis.toml")
# So many requests come of the configuration at least.
LEAST = 1000
# In `make test` fewer requests hold the same, in tests/acceptance/test_any_input.py and in
# tests/integration/test_openapi_answers.py.
pytestmark = pytest.mark.thorough


@pytest.fixture
async def key(tenant: Tenant, sessions: Sessions) -> str:
    """A key that may do everything."""
    async with sessions.begin() as session:
        return await issue_key(session, tenant.id, "all", list(SCOPES))


@pytest.mark.timeout(600)
def test_every_answer_is_one_that_the_document_describes(
    stack: Stack, key: str, tmp_path: Path
) -> None:
    """No 5xx, and no status, media type, header or shape that an operation does not document.

    A request that fits the schema may still be refused: for a cursor of another list, a key that
    was used, a version that is no longer the newest.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
               stack.url + "/openapi.json", "-H", f"Authorization: Bearer {key}", "--no-color",
               "--checks", "all", "--exclude-checks", "positive_data_acceptance"]  # fmt: skip
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    generated = re.search(r"(\d+) generated", ran.stdout)
    assert generated is not None, ran.stdout
    assert int(generated[1]) > LEAST
