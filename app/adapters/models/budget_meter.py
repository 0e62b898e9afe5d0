"""The tenant's budgets: what a run and a day may cost, counted in Postgres before and after."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from langchain_core.messages import AIMessage

from app.adapters.effects.attempt import ends_attempt
from app.db.checkpoints.group_commit import Rows
from app.db.core.connections import Sessions
from app.db.tenants import spend
from app.log import get_logger
from app.observability.prices import Prices, micro_usd, tokens_of
from graphs.llm.pool import Hold
from graphs.policy import Budgets

log = get_logger(__name__)


@dataclass(slots=True)
class PostgresMeter:
    """One execution of a run; `spent_micro_usd` begins with what its earlier attempts spent.

    `keep` writes what calls cost, with the checkpoints of the execution.
    """

    sessions: Sessions
    keep: Callable[[Rows], Awaitable[None]]
    tenant_id: str
    prices: Prices
    budgets: Budgets
    spent_micro_usd: int = 0
    held_micro_usd: int = 0

    async def hold(self, model: str, characters: int) -> Hold | None:
        """Check the run's budget first; the day's is one conditional statement."""
        hold = Hold(
            model, self.prices.expected_micro_usd(model, characters), datetime.now(UTC).date()
        )
        run, day = self.budgets.run_micro_usd, self.budgets.day_micro_usd
        if run is not None and self.spent_micro_usd + self.held_micro_usd + hold.micro_usd > run:
            self._refuse("run", model)
            return None
        # Before the wait for the database: the run's other specialists must see it.
        self.held_micro_usd += hold.micro_usd
        if day is not None:
            with ends_attempt():
                async with self.sessions.raw_connection() as connection:
                    kept = await spend.hold_spend(
                        connection, self.tenant_id, hold.day, hold.micro_usd, day
                    )
            if not kept:
                self.held_micro_usd -= hold.micro_usd
                self._refuse("day", model)
                return None
        return hold

    def _refuse(self, budget: str, model: str) -> None:
        log.warning("budget_spent", tenant_id=self.tenant_id, budget=budget, model=model)

    async def settle(self, hold: Hold, answer: AIMessage | None) -> None:
        """Release the hold and add the cost; an unknown price counts as 0, and is logged."""
        self.held_micro_usd -= hold.micro_usd
        given_back = hold.micro_usd if self.budgets.day_micro_usd is not None else 0
        if answer is None:
            await self._add(hold, released_micro_usd=given_back)
            return
        tokens = tokens_of(answer.usage_metadata)
        model = str(answer.response_metadata.get("model_name") or hold.model)
        cost = self.prices.cost_usd(model, tokens, hold.model)
        if cost is None:
            log.warning("model_price_unknown", model=model[:200])
        self.spent_micro_usd += micro_usd(cost)
        await self._add(
            hold,
            micro_usd=micro_usd(cost),
            released_micro_usd=given_back,
            calls=1,
            tokens=tokens.input + tokens.output,
        )

    async def _add(self, hold: Hold, **amounts: int) -> None:
        if any(amounts.values()):
            row = spend.spend_row(self.tenant_id, hold.day, **amounts)
            with ends_attempt():
                await self.keep({spend.ADD_SPEND: [row]})
