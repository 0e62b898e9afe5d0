"""The end of a command's --help: an example to type, and the keys of what it prints as JSON."""

from collections.abc import Iterable

# How the JSON of a command is laid out, as its --help says it.
LINES = "one object a line"
OBJECT = "one object"
# What `dev --json` prints, and `dev.json` in the data folder holds.
READY = (
    "url",
    "starter_key",
    "approver_key",
    "admin_key",
    "database_url",
    "console_url",
)
# What `eval --json` prints of each model.
EVAL = ("model", "total", "groups", "missed", "tokens", "cost_usd", "tickets")
# What `train --json` prints.
TRAIN = ("tenant_id", "version", "active", "worse", "threshold", "figures", "before")


def usage(example: str, keys: Iterable[str] = (), *, form: str = LINES, option: str = "") -> str:
    """The epilog of a command; `option` is what turns its JSON on, empty if it always prints it."""
    paragraphs = [f"Example: deskgraph {example}"]
    if keys:
        paragraphs.append(f"{option or 'Output'}: {form} of JSON with {', '.join(keys)}.")
    return "\n\n".join(paragraphs)
