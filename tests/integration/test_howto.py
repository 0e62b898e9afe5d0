"""The change of each page of docs/howto works on the code as it is."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration import warm
from tests.unit.test_howto import APPLY, DIFFS, ROOT, changed, every_diff, skip_when_done

# What a checkout holds besides its own files, and what no test of the code needs. The bytecode goes
# along: it fits the files that the diff leaves as they are.
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "*.lock")

# A new effect is one more for the laws of all effects, and for those of the catalog.
LAWS = "extend_trial or name_is_one or names_an_effect or only_a_reply"
HELD_BY = {"new_tool": ("tests/unit/test_effect_laws.py", LAWS)}

# To start pytest in a copy takes seconds: `make test` does it for one, `make thorough` for each.
QUICK = "new_node"


class Pytest:
    """A process that runs pytest in copies, and knows nothing of the checkout that we are."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "pytest.log"
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        command = [sys.executable, warm.__file__]
        self.popen = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, copy: Path, *arguments: str) -> None:
        """Fails unless all tests pass."""
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.log.write_text("")
        self.popen.stdin.write(json.dumps([str(copy), str(self.log), *arguments]) + "\n")
        self.popen.stdin.flush()
        code = self.popen.stdout.readline().strip()
        assert code == "0", f"{code}: {self.log.read_text()}"


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pytest]:
    """The pytest of all copies."""
    ready = Pytest(tmp_path_factory.mktemp("copies"))
    yield ready
    ready.popen.communicate()


def apply(diff: Path, copy: Path) -> str:
    """Apply it, or change nothing and say why; git must not find the checkout we copied."""
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    command = [*APPLY, str(diff)]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture
def new_copy(tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of the tree."""
    numbers = itertools.count()
    return lambda: Path(shutil.copytree(ROOT, tmp_path / f"copy{next(numbers)}", ignore=LEFT_OUT))


@every_diff
def test_the_diff_is_in_style(diff: Path, new_copy: Callable[[], Path]) -> None:
    """Applied alone, `make lint` would find no fault in its files: contributors start from them."""
    skip_when_done(diff)
    copy = new_copy()
    assert apply(diff, copy) == ""
    assert objections_of_style(copy, diff) == ""


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param(diff, id=diff.stem, marks=[] if diff.stem == QUICK else pytest.mark.thorough)
        for diff in DIFFS
    ],
)
def test_the_diffs_own_tests_pass(diff: Path, new_copy: Callable[[], Path], copies: Pytest) -> None:
    """Applied alone, the tests that the diff adds or changes pass."""
    skip_when_done(diff)
    copy = new_copy()
    assert apply(diff, copy) == ""
    copies.run(copy, *own_tests(diff))


def objections_of_style(copy: Path, diff: Path) -> str:
    """What `make lint` would say of the diff's Python files."""
    files = [name for name in changed(diff) if name.endswith(".py")]
    ruff = str(Path(sys.executable).with_name("ruff"))
    said = ""
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, "--no-cache", *files],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        said += done.stdout + done.stderr
        if done.returncode and not said:
            said = f"ruff {command[0]} ended with {done.returncode}"
    return said


def own_tests(diff: Path) -> list[str]:
    """Arguments of pytest: the tests that the diff brings, and those that hold what it adds."""
    files = [name for name in changed(diff) if re.fullmatch(r"tests/.*/test_\w+\.py", name)]
    assert files
    keywords = [Path(name).stem for name in files]
    if diff.stem in HELD_BY:
        file, laws = HELD_BY[diff.stem]
        files.append(file)
        keywords.append(laws)
    return ["-q", "-p", "no:cacheprovider", *files, "-k", " or ".join(keywords)]
