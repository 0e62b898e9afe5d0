"""What each connector's hooks say of the order of things at the desk."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.connector import Opened
from app.connectors.hooks import unix_seconds
from app.connectors.webhook import WEBHOOK, WebhookCredentials, WebhookSettings
from tests.unit.test_request_tracker_hooks import hook, read

NINE = datetime(2026, 11, 22, 9, 0, 0, 123_000, tzinfo=UTC)
TAKEN = {"type": "ticket.taken", "data": {"ticket": {"id": "42"}, "by": {"id": "emma"}}}


def of_own_desk(document: Any) -> Any:
    """The event of a hook of a desk of one's own."""
    settings = WebhookSettings(url="https://desk.example/in")
    # The hook is read without a call.
    opened = Opened("con_a", "t", settings, WebhookCredentials(), http=None)  # type: ignore[arg-type]
    assert WEBHOOK.read_hook is not None
    return WEBHOOK.read_hook(opened, document)


def test_transaction_of_request_tracker_is_its_place_and_its_time() -> None:
    """Its numbers grow over all tickets."""
    event = read(hook(type="Correspond"))
    assert (event.order, event.written_at) == (142, unix_seconds("2026-11-29T16:44:43Z"))


def test_time_of_an_own_desks_hook_is_its_place() -> None:
    """In microseconds, in whatever zone it is written."""
    for said in ("2026-11-22T09:00:00.123Z", "2026-11-22T10:00:00.123+01:00"):
        event = of_own_desk({**TAKEN, "timestamp": said})
        assert event.order == round(NINE.timestamp() * 1_000_000)
        assert event.written_at == NINE.timestamp()


@pytest.mark.parametrize(
    "said",
    [None, "", "yesterday", "2026-11-22T09:00:00", "2026-11-22", "0001-01-01T00:00:00+14:00"],
)
def test_hook_without_a_moment_has_no_place(said: str | None) -> None:
    """A time without its zone is no moment; the hook itself is taken."""
    event = of_own_desk({**TAKEN, "timestamp": said})
    assert (event.kind, event.order, event.written_at) == ("person", None, None)


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59-23:59", "0002-01-01T00:00:00+23:59"])
def test_moments_at_the_ends_of_time_are_moments(said: str) -> None:
    """None of them fails."""
    assert unix_seconds(said) is not None
