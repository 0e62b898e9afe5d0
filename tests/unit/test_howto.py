"""Each page of docs/howto has a diff that fits the code as it is and that the page describes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOWTO = ROOT / "docs/howto"
DIFFS = sorted(HOWTO.glob("*.diff"))

# One line of context is enough to find a place: others may change the lines beside it.
APPLY = ("git", "apply", "-C1", "--whitespace=error-all")

every_diff = pytest.mark.parametrize("diff", DIFFS, ids=lambda diff: diff.stem)


def changed(diff: Path) -> list[str]:
    """The files that a diff adds or changes."""
    return re.findall(r"^\+\+\+ b/(.+)$", diff.read_text(), re.MULTILINE)


def carried_out(diff: Path) -> bool:
    """Whether the checkout has the new files of the exercise already."""
    added = re.findall(r"^--- /dev/null\n\+\+\+ b/(.+)$", diff.read_text(), re.MULTILINE)
    return any((ROOT / name).exists() for name in added)


def skip_when_done(diff: Path) -> None:
    """A checkout in which the exercise was carried out has nothing to try."""
    if carried_out(diff):
        pytest.skip(f"the change of {diff.name} is in this checkout")


@every_diff
def test_the_diff_applies(diff: Path) -> None:
    """It fits the code as it is; CONTRIBUTING.md says how to make it again when it does not."""
    skip_when_done(diff)
    check = [*APPLY, "--check", str(diff)]
    applied = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert applied.returncode == 0, applied.stderr


@every_diff
def test_the_page_names_every_file_of_its_diff(diff: Path) -> None:
    """The page counts the files, names each of them and links the diff."""
    page = diff.with_suffix(".md").read_text()
    files = changed(diff)
    for name in files:
        assert f"`{name}`" in page
    assert f"{len(files)} files" in page
    assert f"({diff.name})" in page


def test_every_page_has_a_diff() -> None:
    """No page is left out of the tests above, and the list names all of them."""
    pages = {page.stem for page in HOWTO.glob("*.md")} - {"README"}
    assert pages == {diff.stem for diff in DIFFS}
    assert all(f"({page}.md)" in (HOWTO / "README.md").read_text() for page in pages)
