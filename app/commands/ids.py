"""Ids as people type them: whole, or their first characters."""

import re
from uuid import UUID

import typer

MIN_CHARACTERS = 8


def id_prefix(typed: str) -> str:
    """The hexadecimal digits of an id or of its beginning. Raises BadParameter."""
    digits = typed.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{MIN_CHARACTERS},32}}", digits):
        raise typer.BadParameter(
            f"{typed!r} is no id; give one as it is printed, or at least its first "
            f"{MIN_CHARACTERS} characters"
        )
    return digits


def id_range(prefix: str) -> tuple[UUID, UUID]:
    """The lowest and the highest id that begins with those digits."""
    return UUID(prefix.ljust(32, "0")), UUID(prefix.ljust(32, "f"))
