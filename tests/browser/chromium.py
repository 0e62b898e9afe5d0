"""Debian's chromium, installed where apt can; else the tests say why they are skipped."""

import os
import shutil
import subprocess
from pathlib import Path

BROWSER = "chromium"
INSTALL_SECONDS = 600


class NoBrowserError(Exception):
    """There is no chromium here, with the reason."""


def chromium() -> Path:
    """The browser's program; it is installed first if need be. Raises NoBrowserError."""
    if (found := shutil.which(BROWSER)) is None:
        install()
        found = shutil.which(BROWSER)
    if found is None:
        raise NoBrowserError("apt installed chromium, and there is no program of that name")
    return Path(found)


def install() -> None:
    """Let apt install it. Raises NoBrowserError."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NoBrowserError("chromium is not installed, and only root on Debian may install it")
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", BROWSER]):
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        if done.returncode:
            raise NoBrowserError(f"apt cannot install chromium: {done.stderr.strip()[-300:]}")
