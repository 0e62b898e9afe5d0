"""The fences in front of an effect: the run is this attempt's, not paused, and may speak."""

from app.db.core.compiled import Executor
from app.db.effects import takeovers
from app.db.effects.ledger import owns_run
from app.db.tenants import pauses
from app.db.tenants.queries import policy_of_run
from graphs.policy import Policy
from tools.catalog import kind_of
from tools.errors import EffectsPausedError, RunLostError, TakenOverError, TooManyRepliesError
from tools.ledger import Call, Permit
from tools.ports import Caller


async def pass_fence(executor: Executor, caller: Caller) -> None:
    """Hold run and pause switch as they are until what is about to begin is written down.

    Raises:
        EffectsPausedError: the tenant is paused.
        RunLostError: the run was cancelled, or is no longer this attempt's.
    """
    await pauses.lock_pause_shared(executor, caller.tenant_id)
    await check_fence(executor, caller)


async def hold_still(executor: Executor, caller: Caller, call: Call, permit: Permit | None) -> None:
    """Hold pause switch and thread as they are until what is about to begin is written down.

    The thread before the run, as when a ticket is closed: else the two could wait for each other.
    A takeover waits for this transaction, so that from its answer on no reply begins.
    """
    if _may_always_begin(call, permit):
        await pauses.lock_pause_shared(executor, caller.tenant_id)
    else:
        await takeovers.hold_still(executor, caller.tenant_id, caller.ticket_id)


async def check_fence(executor: Executor, caller: Caller) -> None:
    """Hold the run as it is, with the switch held still before. Raises as `pass_fence`."""
    if await owns_run(executor, caller.run_id, caller.attempt):
        return
    if await pauses.is_paused(executor, caller.tenant_id):
        raise EffectsPausedError(f"replies and effects of {caller.tenant_id} are paused")
    raise RunLostError(f"run {caller.run_id} is no longer this worker's")


def _may_always_begin(call: Call, permit: Permit | None) -> bool:
    """Whether it is a hand-off, or something that a person agreed to."""
    agreed = permit is not None and permit.approval_id is not None
    return agreed or kind_of(call.tool) == "handoff"


async def check_silence(
    executor: Executor, caller: Caller, call: Call, permit: Permit | None
) -> None:
    """Ask whether a reply or an effect may begin on the thread, which was held still before.

    Raises:
        TakenOverError: a person has the thread.
        TooManyRepliesError: the thread got its hour's or its day's replies.
    """
    if _may_always_begin(call, permit):
        return
    silence = await takeovers.silence_on(executor, caller.tenant_id, caller.ticket_id)
    if silence.taken_over:
        raise TakenOverError("a person has taken the thread over")
    if kind_of(call.tool) != "reply" or not silence.replies_last_day:
        return
    body = await policy_of_run(executor, caller.tenant_id, caller.run_id)
    policy = Policy.model_validate(body)
    if silence.replies_last_hour >= (most := policy.replies_per_thread_hour):
        raise TooManyRepliesError(f"the thread got {most} replies within the last hour")
    if silence.replies_last_day >= (most := policy.replies_per_thread_day):
        raise TooManyRepliesError(f"the thread got {most} replies within the last day")
