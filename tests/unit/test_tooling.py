"""One set of checks: what a commit hook runs, `make` and CI run too, with the locked versions."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases import some
from tests.collecting import is_chosen
from tests.unit.test_docs import code, table, text_of
from tests.unit.test_locks import pins_of

ROOT = Path(__file__).resolve().parents[2]
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=).*?(?:## (.*))?$", re.MULTILINE)


def hooks() -> list[dict[str, Any]]:
    """The hooks of .pre-commit-config.yaml."""
    [repository] = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    found: list[dict[str, Any]] = repository["hooks"]
    return found


def recipe(target: str) -> str:
    """The lines that make runs for a target of one rule."""
    [lines] = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", text_of("Makefile"), re.MULTILINE)
    return str(lines)


def tool(name: str) -> Path:
    """A program of the environment that runs the tests."""
    return Path(sysconfig.get_path("scripts"), name)


def test_hooks_run_the_locked_tools() -> None:
    """Each hook runs a tool of the environment that the lock pins, and none is downloaded."""
    pins, tools = pins_of("requirements-test.lock", {}), set[str]()
    for hook in hooks():
        assert hook["language"] == "system"
        folder, _, name = hook["entry"].split()[0].rpartition("/")
        assert folder == ".venv/bin"
        assert tool(name).is_file()
        tools.add(name)
    assert tools == {"ruff", "codespell", "validate-pyproject"} <= set(pins)


def test_make_checks_all_that_the_hooks_do() -> None:
    """What a hook refuses, `make check` and `make test` refuse."""
    linted = recipe("lint")
    for hook in hooks():
        command = re.sub(r" --(fix|force-exclude)", "", hook["entry"]).removeprefix(".venv/bin/")
        assert f"$(BIN)/{command}" in linted
    for target in ("check", "test", "cover"):
        assert re.search(rf"^{target}: lint\b", text_of("Makefile"), re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [
        ("We recieve it.", 65),  # codespell:ignore recieve
        ("We receive it.", 0),
        ("Sie erhalten es oder nicht.", 0),
    ],
)
def test_spelling_is_that_of_english(tmp_path: Path, text: str, exit_code: int) -> None:
    """A misspelled word is refused, a word of another language that we use is not."""
    page = tmp_path / "page.md"
    page.write_text(text)
    done = subprocess.run([tool("codespell"), page], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == exit_code, done.stdout


def test_every_make_target_is_described() -> None:
    """CONTRIBUTING.md and `make help` name every target, and no target is a file's name."""
    found = TARGET.findall(text_of("Makefile"))
    [phony] = re.findall(r"^\.PHONY: (.*)$", text_of("Makefile"), re.MULTILINE)
    rows = table("CONTRIBUTING.md", "## Make targets")
    targets = {name for name, _ in found}
    assert targets == {name for name, described in found if described}
    assert targets == {code(cells[0])[0].split()[1] for cells in rows}
    assert targets == set(phony.split())


def test_ci_installs_with_the_oldest_pip_that_is_supported() -> None:
    """The version that CONTRIBUTING.md names is the one that both locks are installed with."""
    [oldest] = re.findall(r"^oldest_pip=(\S+)$", text_of(".ci/install-locks"), re.MULTILINE)
    assert f"pip {oldest} or newer" in text_of("CONTRIBUTING.md")
    assert text_of(".ci/run").splitlines()[-8:] == [
        "make cover", "make thorough", "make crash KILLS=40", "make real-model",
        "make client", "make real-world", "make browser", ".ci/install-locks",
    ]  # fmt: skip


def test_ci_runs_what_make_test_runs() -> None:
    """The same tests with the same options, and coverage; else CI would prove something else."""
    plain, traced = re.findall(r"^\t.*\$\(XDIST\).*$", text_of("Makefile"), re.MULTILINE)
    assert traced in recipe("cover")
    assert traced == f"{plain} --cov --cov-report="


def test_make_thorough_looks_everywhere() -> None:
    """What tries more cases is found by its marker or fixture, so that no list leaves it out."""
    [command] = [line for line in recipe("thorough").splitlines() if "pytest" in line]
    assert command.endswith("--thorough")
    assert "make thorough" in text_of(".ci/run")


def test_each_test_is_chosen_by_make_test_or_make_thorough(request: pytest.FixtureRequest) -> None:
    """The tests of this run are those of the option alone."""
    thorough = bool(request.config.getoption("--thorough"))
    assert all(is_chosen(item, thorough=thorough) for item in request.session.items)


def test_first_case_of_so_many_is_always_tried() -> None:
    """The others are marked, whatever a case is."""
    left = [bool(case.marks) for case in some([1, (2, 3), "4", None, 5], 3)]
    assert left == [False, True, True, False, True]


def test_make_keeps_bytecode() -> None:
    """Also where the environment forbids it, as images for containers do."""
    asked = ["make", "-s", "-f", "Makefile", "-f", "-", "asked"]
    rule = 'asked:\n\t@echo "$${PYTHONDONTWRITEBYTECODE-kept}"\n'
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        asked, cwd=ROOT, env=env, input=rule, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "kept\n"


def test_make_installs_locks_as_they_stand() -> None:
    """No requirement is resolved while a lock is installed, and what is installed is checked."""
    text = text_of("Makefile")
    assert re.search(r"^INSTALL := .* --require-hashes --no-deps$", text, re.MULTILINE)
    installs = re.findall(r"^\t@?(.*-r .*)$", text, re.MULTILINE)
    assert installs
    assert all(line.startswith("$(INSTALL) ") for line in installs)
    assert "$(PIP) check" in text


@pytest.mark.no_cover
def test_marked_test_is_not_traced() -> None:
    """With coverage and workers too: see the hook in tests/conftest.py."""
    assert sys.gettrace() is None
