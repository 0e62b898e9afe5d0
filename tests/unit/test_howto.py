"""Each page of docs/howto has a diff that does what the page says, on the code as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOWTO = ROOT / "docs/howto"
DIFFS = sorted(HOWTO.glob("*.diff"))
# What a checkout holds besides its own files, and what no test of the code needs.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "*.lock")


def changed(diff: Path) -> list[str]:
    """The files that a diff adds or changes."""
    return re.findall(r"^\+\+\+ b/(.+)$", diff.read_text(), re.MULTILINE)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the copy; git and pytest must not find the checkout that it was made from."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("diff", DIFFS, ids=lambda diff: diff.stem)
def test_the_diff_applies_and_its_tests_pass(diff: Path, tmp_path: Path) -> None:
    """Applied to a copy of the tree, the exercise's own tests pass there."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for mode in ("--check", "--whitespace=error-all"):
        applied = run(copy, "git", "apply", mode, str(diff))
        assert applied.returncode == 0, applied.stderr
    own = [name for name in changed(diff) if re.fullmatch(r"tests/.*/test_\w+\.py", name)]
    assert own
    tested = run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("diff", DIFFS, ids=lambda diff: diff.stem)
def test_the_page_names_every_file_of_its_diff(diff: Path) -> None:
    """The page counts the files, names each of them and links the diff."""
    page = diff.with_suffix(".md").read_text()
    files = changed(diff)
    for name in files:
        assert f"`{name}`" in page
    assert f"{len(files)} files" in page
    assert f"({diff.name})" in page


def test_every_page_has_a_diff() -> None:
    """No page is left out of the test above, and the list names all of them."""
    pages = {page.stem for page in HOWTO.glob("*.md")} - {"README"}
    assert pages == {diff.stem for diff in DIFFS}
    assert all(f"({page}.md)" in (HOWTO / "README.md").read_text() for page in pages)
