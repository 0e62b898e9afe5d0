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
# `make test` sends some of each operation at random, `make thorough` as many as the configuration
# says, and every limit of every parameter besides: so many requests come of it at least.
FEW = ("--phases", "examples,fuzzing", "--max-examples", "6")
LEAST_OF_FEW, LEAST_OF_ALL = 200, 1000


@pytest.fixture
async def key(tenant: Tenant, sessions: Sessions) -> str:
    """A key that may do everything."""
    async with sessions.begin() as session:
        return await issue_key(session, tenant.id, "all", list(SCOPES))


@pytest.mark.timeout(600)
def test_every_answer_is_one_that_the_document_describes(
    stack: Stack, key: str, tmp_path: Path, *, thorough: bool
) -> None:
    """No 5xx, and no status, media type, header or shape that an operation does not document.

    A request that fits the schema may still be refused: for a cursor of another list, a key that
    was used, a version that is no longer the newest.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
               stack.url + "/openapi.json", "-H", f"Authorization: Bearer {key}", "--no-color",
               "--checks", "all", "--exclude-checks", "positive_data_acceptance",
               *([] if thorough else FEW)]  # fmt: skip
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    generated = re.search(r"(\d+) generated", ran.stdout)
    assert generated is not None, ran.stdout
    assert int(generated[1]) > (LEAST_OF_ALL if thorough else LEAST_OF_FEW)
