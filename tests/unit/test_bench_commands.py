"""Every program among the tests says how it is used, and does nothing else when asked that."""

import re
import runpy
import sys
import tempfile
from pathlib import Path

import pytest

from tests.unit.test_docs import PAGES, text_of

ROOT = Path(__file__).resolve().parents[2]
GUARD = 'if __name__ == "__main__":'
# Audit events (https://docs.python.org/3/library/audit_events.html) by which a program begins to
# work: it makes a folder, a process or a connection.
WORK = {
    "os.fork", "os.posix_spawn", "socket.bind", "socket.connect", "subprocess.Popen",
    "tempfile.mkdtemp", "tempfile.mkstemp",
}  # fmt: skip


def programs() -> dict[str, Path]:
    """Each module below tests/ that runs as a program, by the name that `python -m` takes."""
    found = [path for path in ROOT.glob("tests/**/*.py") if GUARD in path.read_text().splitlines()]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"): path
        for path in sorted(found)
    }


PROGRAMS = programs()
every_program = pytest.mark.parametrize("name", PROGRAMS)


class Watch:
    """Notes what starts to work while it is on; an audit hook stays until the process ends."""

    def __init__(self) -> None:
        self.on, self.seen = False, list[str]()
        sys.addaudithook(self.note)

    def note(self, event: str, _arguments: object) -> None:
        """Keep the event if it is work."""
        if self.on and event in WORK:
            self.seen.append(event)


@pytest.fixture(scope="module")
def watch() -> Watch:
    """One hook for all tests of this file."""
    return Watch()


def run(name: str, *arguments: str, watch: Watch, patch: pytest.MonkeyPatch) -> object:
    """Run the program with these arguments; its exit code, once nothing but that happened."""
    patch.setattr(sys, "argv", [str(PROGRAMS[name]), *arguments])
    watch.seen.clear()
    watch.on = True
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(PROGRAMS[name]), run_name="__main__")
    finally:
        watch.on = False
    assert watch.seen == []
    return ended.value.code


@every_program
def test_help_is_all_that_happens(
    name: str,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--help` prints the usage and ends with 0: no process, no socket, no folder."""
    assert run(name, "--help", watch=watch, patch=monkeypatch) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"usage: python -m {name} ")
    assert shown.err == ""


@every_program
def test_an_unknown_option_is_refused(
    name: str,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A misspelled option ends with 2 and is named, before anything is measured."""
    assert run(name, "--no-such-option", watch=watch, patch=monkeypatch) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"python -m {name}: error:" in shown.err


def test_every_program_that_is_named_is_one_of_these() -> None:
    """`python -m tests...` in a document or in the Makefile names a program that was looked at."""
    texts = [text_of("Makefile"), *(page.read_text() for page in PAGES)]
    named = {name for text in texts for name in re.findall(r"python -m (tests[.\w]+)", text)}
    assert named
    assert named <= set(PROGRAMS)


def test_work_would_be_seen(watch: Watch, tmp_path: Path) -> None:
    """What a bench does first, a folder of its own, is noted."""
    watch.seen.clear()
    watch.on = True
    tempfile.mkdtemp(dir=tmp_path)
    watch.on = False
    assert watch.seen == ["tempfile.mkdtemp"]
