"""What a ticket costs: model calls, tokens and money of 1,000 tickets through the real graph.

`SHARED_DATA=... BENCH_JSON=out.jsonl python -m tests.bench.cost [tickets]` prints a table. The
answers are the offline model's; a call's tokens are an estimate of four characters a token, and
each model has a price. A new way to save money is one more line in VARIANTS. Each stream of STREAMS
is measured on its own: the tickets as drawn hardly ever repeat, what customers ask does.
"""

import asyncio
import json
import math
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from heapq import nlargest
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import Field

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models
from graphs.text.tokens import content_words
from tests.bench.intent_data import DATA, SETS, labelled
from tests.bench.options import command_line, positive
from tests.fakes import FakeGate, World
from tests.unit.desk import Desk
from tools.models import Passage

SEED, TICKETS, CHARS_PER_TOKEN = 20_261_122, 1_000, 4
# Dollars a million tokens, in and out: the list prices of a small and a large model.
FAST, STRONG = (0.25, 2.0), (1.25, 10.0)
OUTCOMES = ("answered", "hits", "acted", "escalated")
HEADINGS = ("variant", "calls a ticket", "fast", "strong", "tokens a ticket", "USD a 1,000 tickets")


class PricedModel(OfflineChatModel):
    """Answers by the offline rules and keeps what each call would have cost."""

    dollars: tuple[float, float]
    calls: list[tuple[int, int]] = Field(default_factory=list)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        answer = super()._generate(messages, stop, run_manager, **kwargs)
        asked = sum(len(str(message.content)) for message in messages)
        said = len(str(answer.generations[0].message.content))
        self.calls.append((math.ceil(asked / CHARS_PER_TOKEN), math.ceil(said / CHARS_PER_TOKEN)))
        return answer

    @property
    def cost(self) -> float:
        """Dollars for all calls so far."""
        price_in, price_out = self.dollars
        return sum(a * price_in + b * price_out for a, b in self.calls) / 1e6


class BankingKnowledge:
    """The articles with the most words of the queries, rare words first."""

    def __init__(self) -> None:
        lines = (DATA.parent / "kb" / "banking_documents.jsonl").read_text().splitlines()
        self.rows = [json.loads(line) for line in lines]
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        for at, row in enumerate(self.rows):
            for word in content_words(f"{row['title']} {row['content']}"):
                self.places[word].append(at)

    async def search(self, queries: list[str], language: str | None, limit: int) -> list[Passage]:
        scores: defaultdict[int, float] = defaultdict(float)
        for word in content_words(" ".join(queries)) & self.places.keys():
            for at in self.places[word]:
                scores[at] += 1 / len(self.places[word])
        return [
            {
                "article_id": self.rows[at]["id"],
                "title": self.rows[at]["title"],
                "text": self.rows[at]["content"][:1500],
                "score": score,
            }
            for at, score in nlargest(limit, scores.items(), key=lambda item: item[1])
        ]


Roles = Callable[[PricedModel, PricedModel], Models]


class Variant(NamedTuple):
    """Which model plays which role, and whether checked replies are given again."""

    roles: Roles
    cache: bool = False


# The roles themselves are asked for by the nodes.
VARIANTS: dict[str, Variant] = {
    "strong model only": Variant(lambda _fast, strong: Models(strong, strong, strong)),
    "roles: fast and strong": Variant(lambda fast, strong: Models(fast, strong, fast)),
    "roles and answer cache": Variant(lambda fast, strong: Models(fast, strong, fast), cache=True),
}
FREQUENT, REPEATING = 20, 0.3


def draw(count: int) -> list[str]:
    """Tickets from all sets, the same ones for the same count."""
    pool = [
        row.text for name in SETS for part in ("tune", "held_out") for row in labelled(name, part)
    ]
    return random.Random(SEED).choices(pool, k=count)  # noqa: S311, not a secret


def draw_repeating(count: int) -> list[str]:
    """The same tickets, of which 30 in 100 are replaced by one of 20 frequent questions."""
    texts, chance = draw(count), random.Random(SEED + 1)  # noqa: S311, not a secret
    frequent = draw(count + FREQUENT)[count:]
    return [chance.choice(frequent) if chance.random() < REPEATING else text for text in texts]


STREAMS = {"as drawn": draw, "30 % repeat": draw_repeating}


async def handle(opened: Desk, number: int, text: str, *, cache: bool) -> str:
    """One ticket to its end, on a thread of its own; a reviewer approves whatever is asked."""
    world = World("cus_ann", gate=FakeGate())
    world.models, world.knowledge = opened.world.models, opened.world.knowledge
    world.answers = opened.world.answers
    opened.world, opened.thread = world, {"configurable": {"thread_id": str(number)}}
    done = await opened.start(text, subject="")
    if "__interrupt__" in done:
        done = await opened.decide("approve")
    if cache:
        world.answers.keep(done, f"customer {number}")
    return "hits" if done["cache_hit"] else str(done["outcome"])


async def measure(name: str, texts: list[str], knowledge: Any) -> dict[str, Any]:
    """All tickets through the graph with one choice of models, each of another customer."""
    variant = VARIANTS[name]
    fast = PricedModel(model_name="fast", dollars=FAST)
    strong = PricedModel(model_name="strong", dollars=STRONG)
    opened = Desk(World())
    opened.world.models, opened.world.knowledge = variant.roles(fast, strong), knowledge
    ended = [await handle(opened, at, text, cache=variant.cache) for at, text in enumerate(texts)]
    outcomes = Counter(ended)
    calls = fast.calls + strong.calls
    return {
        "variant": name,
        "calls a ticket": round(len(calls) / len(texts), 3),
        "fast": len(fast.calls),
        "strong": len(strong.calls),
        "tokens a ticket": round(sum(map(sum, calls)) / len(texts)),
        "USD a 1,000 tickets": round((fast.cost + strong.cost) / len(texts) * 1000, 3),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
    }


async def measure_all(count: int) -> None:
    """Print one row a variant; write JSON lines when asked to."""
    knowledge, headings = BankingKnowledge(), ("stream", *HEADINGS, *OUTCOMES)
    print("| " + " | ".join(headings) + " |", "|---" * len(headings) + "|", sep="\n")  # noqa: T201
    for stream, name in product(STREAMS, VARIANTS):
        result = {"stream": stream, **await measure(name, STREAMS[stream](count), knowledge)}
        print("| " + " | ".join(str(result[key]) for key in headings) + " |")  # noqa: T201
        if out := os.environ.get("BENCH_JSON"):
            with Path(out).open("a") as file:  # noqa: ASYNC230, nothing else runs
                file.write(json.dumps({"bench": "cost", "tickets": count, **result}) + "\n")


def main() -> None:
    """Measure the number of tickets that the command line asks for."""
    parser = command_line("tests.bench.cost", __doc__)
    parser.add_argument("tickets", nargs="?", type=positive, default=TICKETS, help="tickets drawn")
    asyncio.run(measure_all(parser.parse_args().tickets))


if __name__ == "__main__":
    main()
