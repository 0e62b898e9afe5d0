"""Cases of one law: `make test` tries some of them, `make thorough` the others."""

from collections.abc import Iterable
from typing import Any

import pytest


def some(cases: Iterable[Any], every: int) -> list[Any]:
    """Parameters of a test; all but the first of `every` so many are left to `make thorough`."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=[pytest.mark.thorough] if number % every else [],
        )
        for number, case in enumerate(cases)
    ]
