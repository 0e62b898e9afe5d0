"""The README's example does what the README shows."""

import re
import subprocess
from pathlib import Path

from tests.acceptance.stack import Stack
from tests.conftest import Tenant

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_prints_what_the_readme_shows(stack: Stack, tenant: Tenant) -> None:
    """Pasted into a shell with real keys, the script prints exactly the block below it."""
    [(script, shown)] = re.findall(
        r"^```bash\n(.*?)^```\n\n```text\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL
    )
    head, _, rest = script.partition("\n")
    assert head == "URL=http://127.0.0.1:8000 STARTER=dg_... APPROVER=dg_..."
    assert len([line for line in script.splitlines() if line.strip()]) <= 25
    keys = f"URL={stack.url} STARTER={tenant.starter} APPROVER={tenant.approver}\n"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", keys + rest], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout == shown
