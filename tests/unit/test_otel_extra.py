"""The extra `otel` is needed only by those who ask for it, and they read what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import some

ROOT = Path(__file__).parents[2]
# An installation without the exporter, as `pip install deskgraph` makes it.
HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.exporter", "opentelemetry.sdk", "opentelemetry.proto")):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
"""


def run(code: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The code in such an installation."""
    return subprocess.run(
        [sys.executable, "-c", HIDDEN + code],
        cwd=ROOT,
        env={**os.environ, "DESKGRAPH_DATABASE_URL": "postgresql://x@127.0.0.1:9/x", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", some(["worker", "api"], 2))
def test_endpoint_without_the_extra_is_explained(command: str) -> None:
    """Before anything is connected to; the sentence holds the command."""
    code = f"from app import cli; sys.argv = ['deskgraph', '{command}']; cli.main()"
    endpoint = "http://127.0.0.1:9/v1/traces"
    done = run(code, DESKGRAPH_OTEL_ENDPOINT=endpoint, DESKGRAPH_SECRET_KEY="x")
    assert done.returncode == 2, done.stderr
    assert "pip install 'deskgraph[otel]'" in done.stderr


def test_without_an_endpoint_nothing_of_it_is_imported() -> None:
    """LangSmith alone, or no traces at all, work as ever."""
    code = """
from app.observability.tracing import Tracing
from app.settings import Settings
from pydantic import SecretStr
assert Tracing(Settings(_env_file=None, langsmith_api_key=SecretStr("k"))).is_on
assert not Tracing(Settings(_env_file=None)).is_on
assert "opentelemetry.sdk" not in sys.modules
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
