"""The change of each page of docs/howto works on the code as it is."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import warm
from tests.unit.test_howto import APPLY, ROOT, changed, every_diff, skip_when_done

# What a checkout holds besides its own files, and what no test of the code needs. The bytecode goes
# along: it fits the files that the diff leaves as they are.
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "*.lock")

# A new effect is one more for the laws of all effects, and for those of the catalog.
LAWS = "extend_trial or name_is_one or names_an_effect or only_a_reply"
HELD_BY = {"new_tool": ["tests/unit/test_effect_laws.py", "-k", LAWS]}


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


def apply(diff: Path, copy: Path) -> None:
    """Apply it; git must not find the checkout that the copy was made from."""
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    command = [*APPLY, str(diff)]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every_diff
def test_the_diffs_own_tests_pass(diff: Path, tmp_path: Path, copies: Pytest) -> None:
    """Applied to a copy of the tree, the tests that the diff adds or changes pass there."""
    skip_when_done(diff)
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    apply(diff, copy)
    own = [name for name in changed(diff) if re.fullmatch(r"tests/.*/test_\w+\.py", name)]
    assert own
    own += HELD_BY.get(diff.stem, [])
    copies.run(copy, "-q", "-p", "no:cacheprovider", *own)
