"""Real software for the tests: installed from Debian where that is possible, ended by its pid."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.doubles.receiver import Receiver
from tests.doubles.server import serving
from tests.real_world.request_tracker_server import (
    CannotInstallError,
    RequestTrackerServer,
    install,
    running,
)


@dataclass(frozen=True, slots=True)
class RequestTrackerWithHooks:
    """A running RT, and what got its hooks."""

    server: RequestTrackerServer
    hooks: Receiver


@pytest.fixture(scope="session")
def request_tracker_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RequestTrackerWithHooks]:
    """One RT for all tests; each makes tickets of its own."""
    try:
        install()
    except CannotInstallError as error:
        pytest.skip(str(error))
    hooks = Receiver()
    with (
        serving(hooks.app) as url,
        running(tmp_path_factory.mktemp("rt"), f"{url}/v1/hooks/con_1") as server,
    ):
        yield RequestTrackerWithHooks(server, hooks)
