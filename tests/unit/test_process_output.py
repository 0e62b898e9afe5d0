"""Whatever a process writes as errors, a service that was asked for JSON writes as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cases import some

ROOT = Path(__file__).parents[2]
WORD = "quuxplugh"

# Each writes without a logger, or through one that is used wrongly.
HABITS = f"""
import logging, sys, threading, warnings
from app.log import configure_logging, get_logger
from app.log.process_output import take_over

take_over(as_json=True)
configure_logging("DEBUG", as_json=True)
print("first line\\nsecond \x1b[31mline", file=sys.stderr)
warnings.warn("{WORD}", stacklevel=1)
logging.getLogger("library").warning("%d of them", "{WORD}")
logging.getLogger("library").debug("sent {WORD}")

def fail():
    raise ValueError("{WORD}")

thread = threading.Thread(target=fail, name="worker-1")
thread.start()
thread.join()

class Leaves:
    def __del__(self):
        fail()

Leaves()
get_logger("app.x").debug("ours", value=1)
sys.stderr.write("no end")
"""


def lines_of(code: str, **env: str) -> list[Any]:
    """Each line that the code writes, parsed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "\x1b" not in done.stdout + done.stderr
    return [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]


def test_each_line_is_json_without_values_of_exceptions() -> None:
    """Prints, warnings, threads, finalizers and log calls that do not fit their own text."""
    lines = lines_of(HABITS)
    assert WORD not in str(lines)
    said = [line["event"] for line in lines]
    assert said.count("printed") == 3
    assert {"warning", "log_line_failed", "thread_failed", "exception_ignored", "ours"} <= set(said)
    [failed] = [line for line in lines if line["event"] == "thread_failed"]
    assert (failed["thread"], failed["level"]) == ("worker-1", "error")
    assert "ValueError" in failed["exception"]
    printed = [line["text"] for line in lines if line["event"] == "printed"]
    assert printed == ["first line", r"second \x1b[31mline", "no end"]


def test_stream_that_is_closed_stops_no_request() -> None:
    """A line that cannot be written any more is lost, and what logged it goes on."""
    code = """
import sys
from app.log import configure_logging, get_logger

configure_logging("INFO", as_json=True)
sys.stderr.close()
get_logger("app.x").info("lost")
print("true")
"""
    assert lines_of(code) == [True]


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_json_is_asked_as_the_settings_read_it(value: str, tmp_path: Path) -> None:
    """By the environment in any case, else by a file `.env` beside the process."""
    asked = "from app.log.process_output import json_is_asked as j; print(str(j()).lower())"
    assert lines_of(asked, deskgraph_log_json=value, DESKGRAPH_LOG_JSON=value) == [True]
    (tmp_path / ".env").write_text(f"DESKGRAPH_LOG_JSON={value}\n")
    beside = f"import os; os.chdir({str(tmp_path)!r}); {asked}"
    assert lines_of(beside, DESKGRAPH_LOG_JSON="") == [True]
    assert lines_of(beside, DESKGRAPH_LOG_JSON="false") == [False]


@pytest.mark.parametrize("as_json", some(["true", "false"], 2))
def test_what_fails_at_start_shows_no_control_character(tmp_path: Path, as_json: str) -> None:
    """A path may hold an escape sequence, also where a message that is not JSON names it."""
    hostile = tmp_path / "bad\x1b[31m\x07"
    hostile.mkdir()
    (hostile / "postgres").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "dev"],
        cwd=ROOT,
        env={**os.environ, "DESKGRAPH_DATA_DIR": str(hostile), "DESKGRAPH_LOG_JSON": as_json},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "bad" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x07" not in done.stdout + done.stderr
    if as_json == "true":
        events = [json.loads(line) for line in done.stderr.splitlines()]
        assert events[-1]["event"] == "process_failed"
        assert "FileExistsError" in events[-1]["exception"]
