"""Signatures are those of the specification, and waits are those of its schedule."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.adapters.webhooks.delivery import answer_of, signed_headers
from app.services.webhooks.outbox import WAITS_SECONDS, wait_seconds
from app.services.webhooks.signing_secrets import new_secret

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
# The example that the specification's own libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_that_of_the_specification() -> None:
    """Id, time and body, each signed; no other secret makes the same."""
    headers = signed_headers(ID, BODY, [SECRET], datetime.fromtimestamp(AT, UTC))
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNATURE,
    }


def test_each_secret_verifies_while_they_rotate() -> None:
    """The receiver may know the old one or the new one, and no third one."""
    new, old, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers(ID, BODY, [new, old], datetime.now(UTC))
    for secret in (new, old):
        assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY + " ", headers)


def test_waits_are_those_of_the_schedule() -> None:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each within a tenth; then none."""
    hours = [3600 * n for n in (2, 5, 10, 14, 20, 24)]
    expected = [5, 300, 1800, *hours]
    assert list(WAITS_SECONDS) == expected
    for tries, seconds in enumerate(expected, start=1):
        drawn = [wait_seconds(tries, 0) or 0 for _ in range(50)]
        assert all(seconds * 0.9 <= wait <= seconds * 1.1 for wait in drawn)
        assert len(set(drawn)) > 1, "what failed together does not come back together"
    assert wait_seconds(10, 0) is None


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(0, 4.5, 5.5), (60, 60, 60), (10**9, 86_400, 86_400)]
)
def test_receiver_may_ask_for_a_longer_wait(asked: float, least: float, most: float) -> None:
    """Never for a shorter one, nor for more than a day."""
    wait = wait_seconds(1, asked)
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("", 0), ("soon", 0), ("-5", 0), ("1e9", 0), ("٣", 0), ("Sun, 99 Nov 2026", 0),
        ("9" * 400, float("inf")),
    ],
)  # fmt: skip
def test_retry_after_of_a_receiver_is_read_in_both_forms(header: str, seconds: float) -> None:
    """Seconds or an HTTP date; what is neither counts as nothing."""
    answer = answer_of(503, httpx.Headers({b"Retry-After": header.encode()}), NOW)
    assert answer.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "taken", "gone", "wait"),
    [
        (200, True, False, 0), (202, True, False, 0), (204, True, False, 0), (299, True, False, 0),
        (301, False, False, 0), (302, False, False, 0), (307, False, False, 0),
        (400, False, False, 0), (404, False, False, 0), (410, False, True, 0),
        (429, False, False, 7), (500, False, False, 0), (503, False, False, 7),
    ],
)  # fmt: skip
def test_only_2xx_is_taken_and_only_410_wants_no_more(
    status: int, taken: bool, gone: bool, wait: float
) -> None:
    """Redirects are failures; `Retry-After` counts with 429 and 503."""
    answer = answer_of(status, httpx.Headers({"Retry-After": "7"}), NOW)
    assert (answer.error is None, answer.gone, answer.retry_after_seconds) == (taken, gone, wait)


def test_documented_receiver_verifies_what_is_sent() -> None:
    """The Python example of docs/api.md, as it stands there."""
    page = Path(__file__).resolve().parents[2].joinpath("docs/api.md").read_text()
    [example] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown: dict[str, Any] = {}
    exec(compile(example, "docs/api.md", "exec"), shown)  # noqa: S102  # it is our own page
    verify, secret, old = shown["verify"], new_secret(), new_secret()
    headers = signed_headers(ID, BODY, [secret, old], datetime.now(UTC))
    body = BODY.encode()
    assert verify(secret, headers, body)
    assert verify(old, headers, body)
    assert not verify(new_secret(), headers, body)
    assert not verify(secret, headers, body + b" ")
    late = signed_headers(ID, BODY, [secret], datetime.now(UTC) - timedelta(minutes=6))
    assert not verify(secret, late, body)
