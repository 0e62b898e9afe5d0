"""A real Dovecot of Debian over one Maildir in a folder of its own; no service, no other user's."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles.certificates import Authority
from tests.doubles.imap_server import PASSWORD, USER, ImapBox

CONFIG = """
{logins}
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = maildir:{folder}/boxes/%u
first_valid_uid = 1
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/boxes/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A running server: IMAP with STARTTLS, IMAP over TLS, and who vouches for it."""

    folder: Path
    imap: int
    imaps: int
    authority: Path

    def box(self, user: str) -> ImapBox:
        """A mailbox of its own, empty at first."""
        return ImapBox(self.imap, user=user)

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "log").read_text()


def port() -> int:
    """One that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def dovecot() -> AsyncIterator[Dovecot]:
    """Start it, or skip with a clear line where Debian's package is not installed."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if program is None:
        pytest.skip("no dovecot here: apt-get install dovecot-imapd")
    folder = Path(tempfile.mkdtemp(prefix="deskgraph-dovecot-"))
    process: asyncio.subprocess.Process | None = None
    try:
        server = prepared(folder)
        process = await asyncio.create_subprocess_exec(
            program, "-F", "-c", str(folder / "dovecot.conf"), stderr=subprocess.DEVNULL
        )
        await listens(server)
        yield server
    finally:
        if process is not None:
            process.terminate()
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def prepared(folder: Path) -> Dovecot:
    """Its folders, certificate, password and configuration."""
    folder.chmod(0o755)
    for name in ("run", "boxes"):
        (folder / name).mkdir()
    authority = Authority(folder)
    certificate, key = authority.server("localhost")
    user, group, logins = owner(folder)
    names = [USER, *(f"box{number}@desk.example" for number in range(200))]
    (folder / "users").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}\n" for name in names))
    server = Dovecot(folder, port(), port(), authority.certificate)
    config = CONFIG.format(folder=folder, certificate=certificate, key=key, user=user, group=group,
                           logins=logins, imap=server.imap, imaps=server.imaps)  # fmt: skip
    (folder / "dovecot.conf").write_text(config)
    return server


def owner(folder: Path) -> tuple[str, str, str]:
    """Who the mail belongs to: root may not own any, and others can own their own only."""
    if os.geteuid() == 0:
        shutil.chown(folder / "boxes", "mail", "mail")
        return "mail", "mail", ""
    user, group = folder.owner(), folder.group()
    logins = (
        f"default_internal_user = {user}\ndefault_login_user = {user}\n"
        f"default_internal_group = {group}"
    )
    return user, group, logins


async def listens(server: Dovecot) -> None:
    """Wait until it takes connections."""
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.imap)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    pytest.fail(f"dovecot does not start: {server.log()}")
