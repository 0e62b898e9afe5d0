"""Request Tracker 5 from Debian, in the foreground on loopback; all it writes is in one folder."""

import contextlib
import email
import email.policy
import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.doubles.request_tracker_state import Mail

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/connect/request_tracker.md"
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
INSTALL_SECONDS, START_SECONDS, PORTS = 600, 60, 3
CANNOT_INSTALL = 3
SITE = """
Set($rtname, 'desk.test');
Set($Organization, 'desk.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($CorrespondAddress, 'support@desk.test');
Set($CommentAddress, 'comment@desk.test');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rtdb');
Set($MailCommand, 'sendmailpipe');
Set($SendmailPath, '{folder}/sendmail');
# Tokens and passwords are hashed at each call: 0.3 s of CPU by RT's default of 12.
Set($BcryptCost, 4);
Set($LogToSTDERR, 'warning');
Set($LogToSyslog, undef);
Set($WebSessionClass, 'Apache::Session::File');
1;
"""
# A file is seen when it is whole.
SENDMAIL = """#!/bin/sh
file={folder}/mail/$(date +%s%N).$$
cat > "$file.part" && mv "$file.part" "$file.eml"
"""


class CannotInstallError(Exception):
    """Request Tracker is not here and cannot be installed; the text says why."""


@dataclass(frozen=True, slots=True)
class RequestTrackerServer:
    """A running RT with what setup made: a bot, and a person with a password."""

    url: str
    token: str
    clerk_token: str
    password: str
    hook_secret: str
    folder: Path

    def mails(self) -> list[Mail]:
        """What RT sent, in order."""
        return [_mail(path) for path in sorted((self.folder / "mail").glob("*.eml"))]


def install() -> None:
    """Install it with apt where that is possible. Raises CannotInstallError."""
    done = subprocess.run(
        ["sh", HERE / "request_tracker_install.sh"],
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        said = done.stdout if done.returncode == CANNOT_INSTALL else done.stderr
        why = (said.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise CannotInstallError(f"Request Tracker 5 is not installed: {why}")


@contextlib.contextmanager
def running(
    folder: Path, hook_url: str, hook_secret: str | None = None
) -> Iterator[RequestTrackerServer]:
    """A new RT that sends its hooks to the URL, signed with the secret, or with one of its own;
    ended with its workers, and nothing else."""
    env = _environment(folder)
    password = secrets.token_urlsafe(12)
    secret = hook_secret or f"whsec_{secrets.token_urlsafe(24)}"
    _run(env, "rt-setup-database-5", "--action", "init", "--skip-create")
    scrip = folder / "scrip.pl"
    scrip.write_text(scrip_of_the_page(hook_url, secret))
    setup = ("perl", str(HERE / "request_tracker_setup.pl"), password, str(scrip))
    token, clerk_token = _run(env, *setup, *rights_of_the_page()).splitlines()[-2:]
    with _served(folder, env) as url:
        yield RequestTrackerServer(url, token, clerk_token, password, secret, folder)


@contextlib.contextmanager
def _served(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """Its URL, on a port that was free; one that another process took meanwhile is left to it."""
    for _ in range(PORTS):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        (folder / "site.pm").write_text(
            SITE.replace("{folder}", str(folder)).replace("{port}", str(port))
        )
        command = [SERVER, "--server", "Starlet", "--host", "127.0.0.1", "--port", str(port)]
        with (
            (folder / "rt.log").open("a") as log,
            subprocess.Popen(
                [*command, "--max-workers", "3"],
                env=env,
                stdout=log,
                stderr=log,
                # A group of its own: its workers end with it.
                start_new_session=True,
            ) as process,
        ):
            try:
                if _answers(f"http://127.0.0.1:{port}", process):
                    yield f"http://127.0.0.1:{port}"
                    return
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
    raise AssertionError(f"rt-server does not start: {(folder / 'rt.log').read_text()[-2000:]}")


def scrip_of_the_page(hook_url: str, secret: str) -> str:
    """The code that the page tells people to paste, with our URL and secret in their places."""
    [code] = re.findall(r"^```perl\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for name, value in (("url", hook_url), ("secret", secret)):
        code, times = re.subn(
            rf"^my \${name} = '.*';$", f"my ${name} = '{value}';", code, flags=re.MULTILINE
        )
        assert times == 1, name
    return str(code)


def rights_of_the_page() -> list[str]:
    """The rights that the page's table gives to the bot."""
    _, _, rest = PAGE.read_text().partition("| right |")
    table = rest.split("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def _environment(folder: Path) -> dict[str, str]:
    for name in ("conf.d", "mail"):
        (folder / name).mkdir()
    site, sendmail = folder / "site.pm", folder / "sendmail"
    # The database is made before a port is chosen.
    site.write_text(SITE.replace("{folder}", str(folder)).replace("{port}", "80"))
    sendmail.write_text(SENDMAIL.format(folder=folder))
    sendmail.chmod(0o755)
    own = {"RT_SITE_CONFIG": str(site), "RT_SITE_CONFIG_DIR": str(folder / "conf.d")}
    # Proxies of the environment would take the hooks.
    return {**{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}, **own}


def _run(env: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, timeout=START_SECONDS * 2
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it serves, once that shows; False when it ended."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None:
        try:
            opener.open(f"{url}/", timeout=10).close()
        except OSError:
            assert time.monotonic() < deadline, "rt-server does not answer"
            time.sleep(0.1)
        else:
            return True
    return False


def _mail(path: Path) -> Mail:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("plain",))
    return Mail(str(mail["To"]), str(mail["Subject"]), part.get_content() if part else "")
