"""The console's own scripts and style sheet, each under an address that names its content."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
FILES = {
    "console.css": FOLDER / "console.css",
    "console.js": FOLDER / "console.js",
    "icon.svg": FOLDER / "icon.svg",
    "htmx.min.js": FOLDER / "htmx" / "htmx.min.js",
    "sse.min.js": FOLDER / "htmx" / "sse.min.js",
}
# A changed file has another address, so a browser need not ask again.
FOREVER = "public, max-age=31536000, immutable"


@cache
def static_url(name: str) -> str:
    """The address of a file; another content has another one."""
    return f"/console/static/{version_of(name)}/{name}"


@cache
def version_of(name: str) -> str:
    """The beginning of the file's SHA-256."""
    return hashlib.sha256(FILES[name].read_bytes()).hexdigest()[:12]
