"""A short campaign: processes are killed under traffic, and no promise is broken."""

import os
import subprocess
import sys

import pytest

KILLS, SEED = 8, 1


@pytest.mark.timeout(600)
def test_short_campaign_breaks_no_promise() -> None:
    """Exit code 0; else the table, the violations and how to run it again are in the output."""
    # Processes that are killed write no coverage, and it would only slow them down.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-m", "tests.acceptance.crash"]
    done = subprocess.run(
        [*command, f"--kills={KILLS}", f"--seed={SEED}"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{KILLS} kills" in done.stdout
