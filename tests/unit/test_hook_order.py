"""What each connector's hooks say of the order of things at the desk."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.connector import Opened
from app.connectors.hooks import Event, moment_of, unix_seconds
from app.connectors.webhook import WEBHOOK, WebhookCredentials, WebhookSettings
from tests.unit import test_chatwoot_hooks as chatwoot
from tests.unit import test_zammad_hooks as zammad
from tests.unit import test_zendesk_hooks as zendesk
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


def of_zendesk(at: Any) -> list[Event]:
    """A person's comment, and two ways of giving the ticket to the bot, at a time of Zendesk's."""
    comment = zendesk.comment(zendesk.EMMA, staff=True)
    back = [zendesk.event("agent_assignment_changed", current=who) for who in (None, zendesk.BOT)]
    return [zendesk.read({**one, "time": at}) for one in (comment, *back)]


def of_zammad(at: Any) -> list[Event]:
    """An agent's article and the bot as the owner."""
    article = zammad.hook(**zammad.EMMA, created_at=at)
    return [zammad.read(article), zammad.read(zammad.owner(at=at))]


def of_chatwoot(at: Any) -> list[Event]:
    """A person's message, and a conversation that is the bot's again."""
    message = chatwoot.hook(**chatwoot.EMMA, created_at=at)
    given = chatwoot.changed("assignee_agent_bot_id")
    moved = chatwoot.moved(status="pending", changed_attributes=given, updated_at=at)
    return [chatwoot.read(message), chatwoot.read(moved)]


DESKS = [of_zendesk, of_zammad, of_chatwoot]


@pytest.mark.parametrize("of_desk", DESKS)
@pytest.mark.parametrize(
    "said",
    [
        "2026-11-22T09:00:00.123Z", "2026-11-22T09:00:00.123456789Z",
        "2026-11-22T10:00:00.123+01:00", "2026-11-22 09:00:00.123 UTC", NINE.timestamp(),
    ],
)  # fmt: skip
def test_second_of_a_hosted_desks_hook_is_its_place(
    of_desk: Callable[[Any], list[Event]], said: Any
) -> None:
    """Of what people do and of hand-backs alike, so that the two can be compared."""
    kinds = set()
    for event in of_desk(said):
        assert event.order == int(NINE.timestamp())
        assert event.written_at == pytest.approx(NINE.timestamp(), abs=0.001)
        kinds.add(event.kind)
    assert kinds == {"person", "handback"}


@pytest.mark.parametrize("of_desk", DESKS)
@pytest.mark.parametrize(
    "said",
    [
        None, "", "soon", "2026-11-22", "2026-11-22 09:00:00", "2026-11-22T09:00:00Z UTC",
        "#{ticket.updated_at / no such method}", 0, -5, True, 10**12, 10**400, [], {}, "9" * 5000,
    ],
)  # fmt: skip
def test_hosted_desks_hook_without_a_moment_has_no_place(
    of_desk: Callable[[Any], list[Event]], said: Any
) -> None:
    """The hook itself is taken: that a person wrote counts more than when."""
    for event in of_desk(said):
        assert event.kind in ("person", "handback")
        assert (event.order, event.written_at) == (None, None)


def test_time_as_ruby_writes_it_is_the_one_of_iso_8601() -> None:
    """Zammad's placeholders become such texts."""
    assert moment_of("2020-11-13 14:34:35 UTC") == unix_seconds("2020-11-13T14:34:35Z")
