"""docs/howto/new_tool.md: the tool that it adds works by its six files alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.unit.desk import ROOT

PAGE = ROOT / "docs/howto/new_tool.md"
DIFF = ROOT / "docs/howto/new_tool.diff"
# What a checkout holds besides its own files.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
# Its own tests, the laws of effects that name it, and the lists of all effects.
HELD_BY = [f"tests/unit/test_{name}.py" for name in ("extend_trial", "effect_laws", "docs")]
CHOSEN = "extend_trial or are_listed or node_table"
FILES = re.findall(r"^\+\+\+ b/(.+)$", DIFF.read_text(), re.MULTILINE)


def run(folder: Path, *command: str) -> None:
    """A command in the copy; git and pytest must not find the checkout that it was made from."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"GIT_CEILING_DIRECTORIES": str(folder.parent), "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_tool_is_six_files_that_the_page_names() -> None:
    """One more file would be a place that knows effects one by one."""
    assert len(FILES) <= 6
    assert f"{len(FILES)} files" in PAGE.read_text()
    assert all(f"`{name}`" in PAGE.read_text() for name in FILES)


def test_new_tool_of_the_page_works(tmp_path: Path) -> None:
    """In a copy of the tree its own tests pass, and the laws that hold every effect."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    run(copy, "git", "apply", str(DIFF))
    run(
        copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *HELD_BY
    )
