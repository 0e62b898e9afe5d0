"""The README's example does what the README shows."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from app.commands.dev import EXAMPLE
from tests.acceptance.stack import Stack
from tests.conftest import Tenant

README = Path(__file__).resolve().parents[2] / "README.md"
SHELLS = [["bash", "-euo", "pipefail", "-c"], ["zsh", "-eu", "-c"]]
INSTALLED = [shell for shell in SHELLS if shutil.which(shell[0])]
[(SCRIPT, SHOWN)] = re.findall(
    r"^```bash\n(.*?)^```\n\n```text\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL
)


def pasted(stack: Stack, tenant: Tenant, shell: list[str]) -> str:
    """What the script prints with real keys; it must print nothing beside it."""
    keys = f"URL={stack.url} STARTER={tenant.starter} APPROVER={tenant.approver}\n"
    ran = subprocess.run(
        [*shell, keys + SCRIPT.partition("\n")[2]], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("shell", INSTALLED, ids=lambda shell: shell[0])
def test_the_example_prints_what_the_readme_shows(
    stack: Stack, tenant: Tenant, shell: list[str]
) -> None:
    """It prints exactly the block below it, also after the ticket that `make run` prints."""
    sent = stack.client(tenant.starter).http.post("/v1/runs?wait=20", json=EXAMPLE)
    assert sent.json()["status"] == "interrupted"
    assert pasted(stack, tenant, shell) == SHOWN


def test_the_example_can_be_pasted_again(stack: Stack, tenant: Tenant) -> None:
    """The second time there is nothing left to refund, and the script says so and ends well."""
    [shell] = INSTALLED[:1]
    pasted(stack, tenant, shell)
    again = pasted(stack, tenant, shell).splitlines()
    assert again[1:4] == ["success", "No approval is asked for:", "escalated"]
    assert len(again) == 5


def test_the_example_says_what_is_refused(stack: Stack, tenant: Tenant) -> None:
    """With the keys left as they are printed, it shows the answer of the API and ends well."""
    keyless = replace(tenant, starter="dg_...")
    assert "key" in pasted(stack, keyless, INSTALLED[0]).splitlines()[1].lower()


def test_the_example_can_be_pasted_into_a_terminal() -> None:
    """No line is a comment and no text holds an apostrophe: zsh takes neither at a prompt."""
    head, *lines = SCRIPT.splitlines()
    assert head == "URL=http://127.0.0.1:8000 STARTER=dg_... APPROVER=dg_..."
    assert len([line for line in SCRIPT.splitlines() if line.strip()]) <= 30
    assert not [line for line in lines if line.lstrip().startswith("#")]
    assert not re.findall(r"\w'\w", SCRIPT)
