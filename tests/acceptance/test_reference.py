"""/docs in a real browser that reaches nothing but the service."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack

CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; test_reference.py of unit holds")
def test_reference_is_drawn_offline_under_its_policy(stack: Stack, tmp_path: Path) -> None:
    """Every operation is on the page, and the browser refused nothing that the page asked for."""
    assert CHROMIUM is not None
    drawn = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"{stack.url}/"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in drawn.stderr, drawn.stderr
    for shown in ("/v1/runs/{run_id}/resume", "/metrics", "Authorize", "deskgraph"):
        assert shown.replace("/", "/\u200b") in drawn.stdout or shown in drawn.stdout, shown
    assert "Failed to load API definition" not in drawn.stdout
