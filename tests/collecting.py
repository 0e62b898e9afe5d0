"""Which tests are collected, and in which order they begin."""

import gc
from pathlib import Path

import pytest

# Until all is imported and collected, of which nothing becomes garbage: a fifth of that time.
gc.disable()

# What takes longest; started last, each would run while all else has ended. Those that share the
# stack of tests/acceptance stand at the end, before the others that do.
LONG = (
    "tests/acceptance/crash/",
    "tests/integration/test_evaluation.py",
    "tests/conformance/test_mailbox.py",
    "tests/unit/test_linear_time.py",
    "tests/integration/test_howto.py",
    "tests/unit/test_hostile.py",
    "tests/acceptance/test_debug_page.py",
    "tests/unit/test_trained_triage.py",
    "tests/unit/test_wish_laws.py",
    "tests/acceptance/test_dev.py",
    "tests/acceptance/test_terminal.py",
    "tests/acceptance/own/",
    "tests/acceptance/openai/",
    "tests/acceptance/test_schemathesis.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the browser's tests unless they are asked for: they take a second to import."""
    left_out = "not browser" in config.option.markexpr
    return True if left_out and collection_path == Path(__file__).with_name("browser") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long ones begin; otherwise the order stays, and with it every module whole."""
    items.sort(key=lambda item: [not item.nodeid.startswith(long) for long in LONG])


def pytest_collection_finish() -> None:
    """Exempt what stays to the end, 300 MB of modules and tests, from each garbage collection."""
    gc.collect()
    gc.freeze()
    gc.enable()
