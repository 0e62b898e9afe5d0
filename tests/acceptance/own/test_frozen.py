"""A frozen worker is replaced within its lease, and what it writes when it wakes is refused."""

import signal
from pathlib import Path

import psycopg

from app.db.runs.workers import LEASE, RENEW_SECONDS
from tests.acceptance.held_model import HeldModel
from tests.acceptance.stack import Stack, running
from tests.acceptance.waiting import PATIENCE_SECONDS, TWICE, query, until
from tests.conftest import Tenant


def test_a_lease_and_its_renewal_fit_into_thirty_seconds() -> None:
    """A frozen host is missed within 30 s, and a live one may be late four times."""
    assert LEASE.total_seconds() + 1 < 30
    assert LEASE.total_seconds() >= 5 * RENEW_SECONDS


def test_frozen_worker_is_replaced_and_its_late_writes_are_refused(
    database_url: str, tmp_path: Path, model: HeldModel, tenant: Tenant
) -> None:
    """SIGSTOP inside a model call; another worker goes on to the gate; SIGCONT changes nothing.

    The lease is made to look old instead of waited for: its length is a constant, tested above.
    """
    with running(Stack(database_url, tmp_path, **model.env)) as stack:
        stack.api()
        helpdesk, reviewer = stack.client(tenant.starter), stack.client(tenant.approver)
        model.hold("Proposal")
        frozen = stack.worker()
        run = helpdesk.start("cus_ann", TWICE, wait=0)
        assert model.arrived.wait(PATIENCE_SECONDS)
        frozen.signal(signal.SIGSTOP)
        stack.worker()
        query(
            database_url,
            "UPDATE workers SET beat_at = now() - %s WHERE id = "
            "(SELECT worker_id FROM runs WHERE id = %s) RETURNING 1",
            LEASE,
            run["id"],
        )
        until(lambda: helpdesk.run(run["id"], wait=0)["attempt"] == 2)
        model.release()
        paused = helpdesk.run(run["id"])
        assert (paused["status"], paused["attempt"]) == ("interrupted", 2)
        newest = newest_checkpoint(database_url, paused["thread_id"])

        # Its answer waits in its socket: it wakes up with work that is no longer its own.
        frozen.signal(signal.SIGCONT)
        frozen.wait_for_line("run_lost")
        assert newest_checkpoint(database_url, paused["thread_id"]) == newest

        assert reviewer.decide(paused, "approve").status_code == 202
        done = helpdesk.run(run["id"])
        assert (done["status"], done["outcome"]) == ("success", "acted")
        assert [effect["tool"] for effect in done["effects"]] == ["refund_payment", "send_reply"]
        again = helpdesk.start("cus_ann", TWICE, ticket_id="T-2", wait=0)
        assert helpdesk.run(again["id"])["status"] in ("interrupted", "success"), "both work"


def test_frozen_process_ends_with_its_stack(database_url: str, tmp_path: Path) -> None:
    """A test that fails while one is frozen leaves nothing to the tests after it."""
    stack = Stack(database_url, tmp_path)
    frozen = stack.worker()
    frozen.signal(signal.SIGSTOP)
    stack.stop()
    assert frozen.exit_code == 0


def newest_checkpoint(database_url: str, thread_id: str) -> object:
    """The checkpoint that the thread goes on from."""
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = %s", [thread_id]
        ).fetchone()
