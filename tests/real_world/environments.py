"""Packages of others that run in an environment of their own: never imported, never copied."""

import subprocess
import sys
import tempfile
from pathlib import Path

INSTALL_SECONDS = 240


class NotInstalledError(Exception):
    """It cannot be had here; the message says why."""


def environment_of(requirement: str) -> Path:
    """The Python of an environment that has the package, "name==version", made once a machine.

    Raises:
        NotInstalledError: the registry cannot be reached, or does not have it.
    """
    name = requirement.partition("==")[0]
    python = Path(tempfile.gettempdir()) / "deskgraph-real" / f"v-{name}" / "bin" / "python"
    done = python.parents[1] / f"has-{requirement}"
    if done.exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", str(python.parents[1])],
        [str(python), "-m", "pip", "install", "-q", requirement],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise NotInstalledError(f"{requirement} cannot be installed: {error}") from None
    done.touch()
    return python
