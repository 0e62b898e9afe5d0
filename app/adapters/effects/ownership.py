"""The fences in front of an effect: the run is this attempt's, not paused, and may speak."""

from app.db.core.compiled import Executor
from app.db.effects.ledger import owns_run
from app.db.effects.takeovers import lock_thread, silence_on
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
    if await owns_run(executor, caller.run_id, caller.attempt):
        return
    if await pauses.is_paused(executor, caller.tenant_id):
        raise EffectsPausedError(f"replies and effects of {caller.tenant_id} are paused")
    raise RunLostError(f"run {caller.run_id} is no longer this worker's")


async def pass_silence(
    executor: Executor, caller: Caller, call: Call, permit: Permit | None
) -> None:
    """Hold the thread as it is until the reply or effect that is about to begin is written down.

    A hand-off may always begin, and so may what a person agreed to. A takeover waits for this
    transaction, so that from its answer on no reply begins.

    Raises:
        TakenOverError: a person has the thread.
        TooManyRepliesError: the thread got its hour's or its day's replies.
    """
    kind = kind_of(call.tool)
    if kind == "handoff" or (permit is not None and permit.approval_id is not None):
        return
    await lock_thread(executor, caller.tenant_id, caller.ticket_id)
    silence = await silence_on(executor, caller.tenant_id, caller.ticket_id)
    if silence.taken_over:
        raise TakenOverError("a person has taken the thread over")
    if kind != "reply" or not silence.replies_last_day:
        return
    body = await policy_of_run(executor, caller.tenant_id, caller.run_id)
    policy = Policy.model_validate(body)
    if silence.replies_last_hour >= (most := policy.replies_per_thread_hour):
        raise TooManyRepliesError(f"the thread got {most} replies within the last hour")
    if silence.replies_last_day >= (most := policy.replies_per_thread_day):
        raise TooManyRepliesError(f"the thread got {most} replies within the last day")
