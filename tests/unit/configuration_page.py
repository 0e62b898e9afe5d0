"""docs/configuration.md and deskgraph.env.example, written from the settings.

After a change of app/settings/__init__.py: `.venv/bin/python -m tests.unit.configuration_page`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/configuration.md"
EXAMPLE = ROOT / "deskgraph.env.example"

HEAD = ("| variable | default | unit | meaning |", "|---|---|---|---|")
UNITS = {
    "_seconds": "seconds",
    "_bytes": "bytes",
    "_token_budget": "tokens",
    "_url": "URL",
    "_endpoint": "URL",
}


def groups() -> list[type[BaseModel]]:
    """The groups of settings, in the order of app/settings/__init__.py."""
    return [base for base in reversed(Settings.__bases__) if base.__name__ != "BaseSettings"]


def title_of(group: type[BaseModel]) -> tuple[str, str]:
    """A group's heading and sentence, from its docstring `Heading: sentence.`"""
    heading, _, sentence = (group.__doc__ or "").partition(": ")
    return heading, sentence[:1].upper() + sentence[1:]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"DESKGRAPH_{name.upper()}"


def written(field: FieldInfo) -> str | None:
    """A default as an environment variable holds it; None for unset and for the data folder."""
    if field.default_factory is not None or field.default is None:
        return None
    default: Any = field.default
    return default if isinstance(default, str) else json.dumps(default)


def unit_of(name: str, field: FieldInfo) -> str:
    """What the value counts, or its form."""
    for suffix, unit in UNITS.items():
        if name.endswith(suffix):
            return unit
    if isinstance(field.default, bool):
        return "`true` or `false`"
    if isinstance(field.default, int):
        return "number"
    if isinstance(field.default, list | dict):
        return "JSON"
    if name == "data_dir":
        return "path"
    return "secret" if SecretStr in getattr(field.annotation, "__args__", ()) else "text"


def row(name: str, field: FieldInfo) -> str:
    """A setting's line in the table of its group."""
    default = written(field)
    shown = "the user's data folder" if field.default_factory else "unset"
    shown = shown if default is None else f"`{default}`"
    return f"| `{variable(name)}` | {shown} | {unit_of(name, field)} | {field.description} |"


def entry(name: str, field: FieldInfo) -> str:
    """A setting's two lines in the example file."""
    meaning = f"# {field.description} ({unit_of(name, field)})".replace("`", "")
    return f"{meaning}\n#{variable(name)}={written(field) or ''}"


def page() -> str:
    """docs/configuration.md: its own introduction, then a table a group."""
    parts = [PAGE.read_text().partition("\n## ")[0]]
    for group in groups():
        heading, sentence = title_of(group)
        rows = [row(name, field) for name, field in group.model_fields.items()]
        parts.append("\n".join([f"## {heading}\n\n{sentence}\n", *HEAD, *rows, ""]))
    return "\n".join(parts)


def example() -> str:
    """deskgraph.env.example: its own introduction, whose variables are not repeated, and groups."""
    introduction = EXAMPLE.read_text().partition("\n# --- ")[0]
    parts = [introduction]
    for group in groups():
        entries = [
            entry(name, field)
            for name, field in group.model_fields.items()
            if f"\n{variable(name)}=" not in introduction
        ]
        parts.append("\n".join([f"# --- {title_of(group)[0]} ---", *entries, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m tests.unit.configuration_page",
        description=f"Write {PAGE.name} and {EXAMPLE.name} from the settings.",
    ).parse_args()
    PAGE.write_text(page())
    EXAMPLE.write_text(example())
