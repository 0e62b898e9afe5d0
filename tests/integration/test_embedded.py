"""The embedded server: one per folder, gone with its owner, whatever the last one left behind."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.db.core import embedded
from app.db.core.embedded import EmbeddedPostgresError, embedded_postgres


def test_data_and_password_outlive_the_server(tmp_path: Path) -> None:
    """A second start finds the first one's rows."""
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_stale_pid_file_is_no_obstacle(tmp_path: Path) -> None:
    """The lock tells who lives, not a number that some other process may carry by now."""
    with embedded_postgres(tmp_path):
        pid_file = (tmp_path / "postgres" / "postmaster.pid").read_text()
    (tmp_path / "postgres" / "postmaster.pid").write_text("1\n" + pid_file.partition("\n")[2])
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    """The message names the folder and the way out."""
    with embedded_postgres(tmp_path), pytest.raises(EmbeddedPostgresError) as refused:
        embedded_postgres(tmp_path).__enter__()
    assert str(tmp_path) in str(refused.value)
    assert "DESKGRAPH_DATA_DIR" in str(refused.value)


def test_wrong_password_is_refused(tmp_path: Path) -> None:
    """Loopback alone opens nothing."""
    with embedded_postgres(tmp_path) as url:
        guess = url.replace((tmp_path / "password").read_text(), "guess")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(guess)
        assert (tmp_path / "postgres").stat().st_mode & 0o077 == 0


def test_server_in_a_closed_folder_uses_copied_programs(tmp_path: Path) -> None:
    """Where the server's own user cannot reach the installed programs, it gets a copy."""
    owner = embedded._server_user()
    programs = embedded._binaries(tmp_path, owner)
    if owner is None:
        assert programs.is_dir()
    else:
        assert programs.is_absolute() or (tmp_path / "postgres" / programs).is_dir()


def test_supervisor_stops_the_server_when_its_input_closes(tmp_path: Path) -> None:
    """The way that systems without PR_SET_PDEATHSIG go."""

    # As Postgres does, it listens to SIGINT although its parent may ignore that.
    server = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); print(flush=True);"
        " time.sleep(1000)"
    )
    supervised = subprocess.Popen(
        [sys.executable, "-c", embedded.SUPERVISOR, sys.executable, "-c", server],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert supervised.stdin is not None
    assert supervised.stdout is not None
    assert supervised.stdout.readline() == b"\n"
    supervised.stdin.close()
    assert supervised.wait(timeout=20) != 0
