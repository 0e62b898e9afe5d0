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
    "tests/acceptance/test_dev.py",
    "tests/conformance/test_helpdesks.py",
    "tests/integration/test_howto.py",
    "tests/conformance/test_mailbox.py",
    "tests/integration/test_evaluation.py",
    "tests/unit/test_trained_triage.py",
    "tests/unit/test_linear_time.py",
    "tests/acceptance/test_terminal.py",
    "tests/acceptance/own/",
    "tests/acceptance/openai/",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the browser's tests unless they are asked for: they take a second to import."""
    left_out = "not browser" in config.option.markexpr
    return True if left_out and collection_path == Path(__file__).with_name("browser") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the tests, and let the long ones begin; of a file that is named all are chosen.

    Otherwise the order stays, and with it every module whole.
    """
    thorough = bool(config.getoption("--thorough"))
    named = {Path(argument.partition("::")[0]).resolve() for argument in config.args}
    chosen = {item for item in items if item.path in named or is_chosen(item, thorough=thorough)}
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]
    items.sort(key=lambda item: [not item.nodeid.startswith(long) for long in LONG])


def is_chosen(item: pytest.Item, *, thorough: bool) -> bool:
    """Whether the test takes part.

    With `--thorough` those that are marked so, and those that try more cases then; else all that
    are not marked.
    """
    marked = item.get_closest_marker("thorough") is not None
    tries_more = "thorough" in getattr(item, "fixturenames", ())
    return marked or tries_more if thorough else not marked


def pytest_collection_finish() -> None:
    """Exempt what stays to the end, 300 MB of modules and tests, from each garbage collection."""
    gc.collect()
    gc.freeze()
    gc.enable()
