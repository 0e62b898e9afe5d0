"""The import contracts speak of the whole house."""

import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]


def test_every_room_stands_in_the_layers() -> None:
    """A module of app, or a folder of app/db, that no contract names would escape all of them."""
    [layers] = [c["layers"] for c in contracts() if c["type"] == "layers"]
    named = {room.strip() for layer in layers for room in layer.replace(":", "|").split("|")}
    assert {*rooms("app"), *rooms("app/db"), "graphs", "tools"} - {"app.db"} == named


def test_every_table_stands_in_its_room_and_migrations_see_it() -> None:
    """A table elsewhere would be missed by readers, and by Alembic when it compares a database."""
    holders = {p for p in (ROOT / "app").rglob("*.py") if "__tablename__" in p.read_text()}
    tables = ROOT / "app/db/tables"
    assert holders == set(tables.glob("*.py")) - {tables / "__init__.py"}
    seen = (ROOT / "migrations/env.py").read_text()
    assert [path.stem for path in holders if f"    {path.stem},\n" not in seen] == []


def test_no_folder_imports_in_a_circle() -> None:
    """Beside each other in one folder, what imports another is not imported by it, by no detour.

    The layers hold the rooms at the top; this holds what is within each of them.
    """
    imports: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    graph = grimp.build_graph("app", "graphs", "tools")
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            folder, one, other = where_they_part(importer, imported)
            if one and other:
                imports[folder][one].add(other)
    assert {"app", "app.db", "app.services", "graphs"} <= imports.keys()
    for siblings in imports.values():
        # Raises CycleError, which names the circle.
        TopologicalSorter(siblings).prepare()


def where_they_part(importer: str, imported: str) -> tuple[str, str, str]:
    """The folder that holds both modules, and the part of it that each is in; "" for itself."""
    one, other = importer.split("."), imported.split(".")
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return ".".join(one[:same]), ".".join(one[same : same + 1]), ".".join(other[same : same + 1])


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
