"""A client that openapi-python-client makes from the OpenAPI document: whole, and of use."""

import ast
import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.stack import Stack
from tests.conftest import Tenant
from tests.tls import TLS

pytestmark = [pytest.mark.generated_client, pytest.mark.no_cover]
PACKAGE = "deskgraph_client"
MAKE = f"""
project_name_override: {PACKAGE.replace("_", "-")}
package_name_override: {PACKAGE}
post_hooks: []
"""


@pytest.fixture(scope="module")
def made(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client's package; nothing of the document was left out of it."""
    folder = Path(tmp_path_factory.mktemp("client"))
    document, config = folder / "openapi.json", folder / "config.yaml"
    document.write_text(httpx.get(f"{stack.url}/openapi.json", verify=TLS).text)
    config.write_text(MAKE)
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    paths = ["--path", document, "--config", config, "--output-path", folder / "made"]
    # Its packages are apart from ours: it asks for other versions of them.
    env = {**os.environ, "PYTHONPATH": os.environ["CLIENT_GENERATOR"]}
    command = [*generator, *map(str, paths)]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sys.path.insert(0, str(folder / "made"))
    yield folder / "made" / PACKAGE
    sys.path.remove(str(folder / "made"))


def test_client_has_no_class_twice(made: Path) -> None:
    """No name twice, no enumeration with the values of another, and few of them all."""
    classes = [
        node
        for path in (made / "models").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    names = Counter(node.name for node in classes)
    assert [name for name, times in names.items() if times > 1] == []
    enums = Counter(
        json.dumps(sorted(ast.unparse(n.value) for n in node.body if isinstance(n, ast.Assign)))
        for node in classes
        if any("Enum" in ast.unparse(base) for base in node.bases)
    )
    assert [values for values, times in enums.items() if times > 1] == []
    assert len(classes) < 200


def test_client_starts_and_reads_a_run(made: Path, stack: Stack, tenant: Tenant) -> None:
    """The first calls of an integrator: who am I, start, read, list, and a problem as a class."""
    package: Any = importlib.import_module(PACKAGE)
    models: Any = importlib.import_module(f"{PACKAGE}.models")

    def call(tag: str, name: str, *path: Any, **given: Any) -> Any:
        module: Any = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
        return module.sync(*path, client=client, **given)

    client = package.AuthenticatedClient(
        base_url=stack.url, token=tenant.starter, verify_ssl=TLS, timeout=30
    )
    me = call("index", "get_me")
    assert (me.tenant.id, me.key.scopes) == (tenant.id, ["runs:write", "runs:read"])
    body = models.StartRun(
        ticket=models.TicketIn(
            id="T-1",
            subject="Upload",
            body="My upload fails with error E42. How do I fix it?",
            customer=models.CustomerIn(id="cus_lou"),
        )
    )
    run = call("runs", "start_run", body=body, wait=20)
    assert isinstance(run, models.RunOut), run
    assert run.outcome == models.Outcome.ANSWERED
    assert call("runs", "get_run", run.id).reply.text == run.reply.text
    page = call(
        "runs", "list_runs", outcome=models.Outcome.ANSWERED, expand=[models.ExpandRun.REPLY]
    )
    assert [item.reply.text for item in page.items] == [run.reply.text]
    refused = call("policy", "get_policy")
    assert isinstance(refused, models.Problem)
    assert refused.code == "missing-scope"
