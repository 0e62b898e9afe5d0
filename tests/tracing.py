"""What coverage traces of a test run: product modules as they are imported, and first cases.

Tracing triples the CPU time of all that runs under it, of libraries too. What is traced elsewhere
already, or is not ours, therefore runs without it.
"""

import importlib
import os
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import pytest

from tests.integration.warm import LIBRARIES

# So many cases of each test are traced: the others take the same ways through the code again.
TRACED_CASES = 10
cases_run: Counter[str] = Counter()


@contextmanager
def untraced() -> Iterator[None]:
    """Without coverage's tracer, where one is at work."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


if sys.gettrace():
    with untraced():
        for library in LIBRARIES:
            importlib.import_module(library)


@cache
def import_product() -> None:
    """Import all that coverage measures, so that the import of tests need not be traced."""
    for folder in ("app", "graphs", "tools"):
        package = importlib.import_module(folder)
        for module in pkgutil.walk_packages(package.__path__, f"{folder}."):
            importlib.import_module(module.name)


# One process's imports are enough: the first worker's, or those of the only process.
if sys.gettrace() and os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
    with untraced():
        import_product()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Trace no import and no collecting of tests."""
    if sys.gettrace():
        import_product()
    with untraced():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace the first cases of a test, with their fixtures, and no further ones."""
    cases_run[name := item.nodeid.partition("[")[0]] += 1
    # Around a marked test pytest-cov starts another tracer, which must stay.
    follow = cases_run[name] <= TRACED_CASES or item.get_closest_marker("no_cover")
    with nullcontext() if follow else untraced():
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Trace nothing in a test that is marked so.

    In a worker of xdist, pytest-cov 7.1 starts a second measurement below its own, so what it
    pauses for the marker goes on in the other: a test that counts time took ten times as long.
    """
    with untraced() if item.get_closest_marker("no_cover") else nullcontext():
        return (yield)
