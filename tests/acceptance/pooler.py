"""A real PgBouncer in transaction mode before a test's Postgres."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import make_url

from app.db.core.connections import plain_dsn
from app.db.core.embedded import _become, _server_user
from tests.acceptance.stack import free_port

# Debian puts it where only root looks.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
START_SECONDS = 10
# What a client may not ask for is what the service must not need: `options` is refused.
CONFIG = """\
[databases]
* = host={host} port={database_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users.txt
admin_users = {user}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
query_wait_timeout = 10
server_login_retry = 1
logfile = pgbouncer.log
"""


class Pooler:
    """One PgBouncer on a port of its own; `start` and `kill` as often as wanted."""

    def __init__(self, database_url: str, folder: Path, pool_size: int) -> None:
        behind = make_url(database_url)
        self.folder, self.pool_size = folder, pool_size
        self.popen: subprocess.Popen[bytes] | None = None
        port = free_port()
        # The address that the service is given: the same database, behind the pooler.
        self.url = plain_dsn(behind.set(host="127.0.0.1", port=port).render_as_string(False))
        self._write("users.txt", f'"{behind.username}" "{behind.password}"\n')
        self._write(
            "pgbouncer.ini",
            CONFIG.format(
                host=behind.host,
                database_port=behind.port,
                port=port,
                user=behind.username,
                pool_size=pool_size,
            ),
        )

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        if owner := _server_user():
            for path in (self.folder, self.folder / name):
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def start(self) -> None:
        """Start it, as the embedded Postgres is: never as root, and gone with the test."""
        assert PROGRAM is not None, "the test is skipped without it"
        self.popen = subprocess.Popen(
            [PROGRAM, "-q", "pgbouncer.ini"],
            cwd=self.folder,
            preexec_fn=_become(_server_user(), die_with=os.getpid()),  # noqa: PLW1509
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.tell("SHOW VERSION")
                return
            except psycopg.OperationalError:
                assert self.popen.poll() is None, (self.folder / "pgbouncer.log").read_text()
                assert time.monotonic() < deadline, "it never answered"
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: every connection breaks."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()

    def tell(self, command: str) -> list[dict[str, Any]]:
        """A command on its own console, and the rows of its answer."""
        console = make_url(self.url).set(database="pgbouncer").render_as_string(False)
        # The console speaks no extended protocol.
        with psycopg.connect(
            console, autocommit=True, row_factory=dict_row, cursor_factory=psycopg.ClientCursor
        ) as connection:
            answer = connection.execute(command.encode())
            return answer.fetchall() if answer.description else []


@contextmanager
def pooling(database_url: str, folder: Path, pool_size: int) -> Iterator[Pooler]:
    """A pooler with that many connections to the database."""
    pooler = Pooler(database_url, folder, pool_size)
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.kill()
