"""The import contracts speak of the whole house."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# As CONTRIBUTING.md says.
MOST_LINES = 350
# Data and the tickets of the demo: any room may import them.
UNLAYERED = {"app.demo"}


def test_every_room_stands_in_the_layers() -> None:
    """A module of app, or a folder of app/db, that no contract names would escape all of them."""
    [layers] = [c["layers"] for c in contracts() if c["type"] == "layers"]
    named = {room.strip() for layer in layers for room in layer.replace(":", "|").split("|")}
    assert {*rooms("app"), *rooms("app/db"), "graphs", "tools"} - UNLAYERED - {"app.db"} == named


def test_every_table_stands_in_its_room_and_migrations_see_it() -> None:
    """A table elsewhere would be missed by readers, and by Alembic when it compares a database."""
    holders = {p for p in (ROOT / "app").rglob("*.py") if "__tablename__" in p.read_text()}
    tables = ROOT / "app/db/tables"
    assert holders == set(tables.glob("*.py")) - {tables / "__init__.py"}
    seen = (ROOT / "migrations/env.py").read_text()
    assert [path.stem for path in holders if f"    {path.stem},\n" not in seen] == []


def test_no_file_of_the_product_is_longer_than_it_may_be() -> None:
    """A file has one subject; one that grows beyond this has two."""
    files = [path for room in ("app", "graphs", "tools") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    lines = {str(path): len(path.read_text().splitlines()) for path in files}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def contracts() -> list[dict[str, str]]:
    """The contracts of import-linter."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, str]] = config["tool"]["importlinter"]["contracts"]
    return found


def rooms(folder: str) -> set[str]:
    """The modules and packages right inside a folder, with dots."""
    found = {path.stem for path in (ROOT / folder).glob("*.py")}
    found |= {path.parent.name for path in (ROOT / folder).glob("*/__init__.py")}
    return {f"{folder.replace('/', '.')}.{name}" for name in found - {"__init__"}}
