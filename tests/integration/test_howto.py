"""The change of each page of docs/howto works on the code as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.unit.test_howto import APPLY, ROOT, changed, every_diff, skip_when_done

# What a checkout holds besides its own files, and what no test of the code needs.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "*.lock")

# A new effect is one more for the laws of all effects.
HELD_BY = {"new_tool": ["tests/unit/test_effect_laws.py"]}


def run(folder: Path, *command: str) -> None:
    """A command in the copy; git and pytest must not find the checkout that it was made from."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every_diff
def test_the_diffs_own_tests_pass(diff: Path, tmp_path: Path) -> None:
    """Applied to a copy of the tree, the tests that the diff adds or changes pass there."""
    skip_when_done(diff)
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    run(copy, *APPLY, str(diff))
    own = [name for name in changed(diff) if re.fullmatch(r"tests/.*/test_\w+\.py", name)]
    assert own
    own += HELD_BY.get(diff.stem, [])
    run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own)
