"""A whole workflow on one ticket's thread, in memory: start runs, decide, look at the history."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Interrupt, RetryPolicy, StateSnapshot

from app.commands.articles import read_markdown
from graphs.context import Models
from graphs.nodes.respond import CitedQuote, Reply, Statement
from graphs.reply.facts import PassageFact
from graphs.run.compatibility import incompatible_keys
from graphs.state import Decision, Ticket, Verdict, fresh_run
from graphs.support import build_support_graph
from tests.doubles.openai_double import first_sentence
from tests.fakes import FakeGate, ScriptedModel, World
from tools.models import JsonObject, Passage, Step

# A draft for a ticket that code alone answers.
SILENT = Reply(claims=[], unanswered=[])
ROOT = Path(__file__).parents[2]
ARTICLES = ROOT / "app/commands/demo_data/articles"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them."
E42 = "My upload fails with error E42. How do I fix it?"
# Between two attempts at a node, in seconds: what fails here goes no better after a pause.
NO_PAUSE = 0.001


def ticket(body: str, subject: str = "Help", name: str | None = None) -> Ticket:
    """A customer's message."""
    return {"subject": subject, "body": body, "language": None, "customer_name": name}


def article(id_: str) -> Passage:
    """The whole of one of the demo's articles, as a search finds it."""
    read = read_markdown(ARTICLES / f"{id_}.md")
    return {
        "article_id": read.id,
        "title": read.title,
        "text": read.content,
        "score": 1.0,
        "questions": list(read.questions),
        "opens": True,
    }


def claimed(
    text: str,
    id_: str = "upload-error-e42",
    quote: str | None = None,
    question: str = "q1",
) -> Reply:
    """A draft of one claim, with a quote of a demo article: its first sentence, or another."""
    said = quote or first_sentence(article(id_)["text"])
    evidence = [CitedQuote(kind="article", id=id_, quote=said)]
    return Reply(claims=[Statement(question=question, text=text, evidence=evidence)], unanswered=[])


def passage_of(id_: str, part: str = "general") -> PassageFact:
    """The same article as a fact that a reply may speak of."""
    found = article(id_)
    return {
        "article_id": found["article_id"],
        "title": found["title"],
        "text": found["text"],
        "part": part,
    }


class Desk:
    """The compiled graph, the world it acts on, and one thread."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.builder = build_support_graph()
        for node in self.builder.nodes.values():
            if isinstance(node.retry_policy, RetryPolicy):
                node.retry_policy = node.retry_policy._replace(
                    initial_interval=NO_PAUSE, jitter=False
                )
        self.compile()
        self.thread: RunnableConfig = {"configurable": {"thread_id": "T1"}}

    def compile(self) -> None:
        """Make the graph as the builder now describes it, on an empty store."""
        self.graph = self.builder.compile(checkpointer=InMemorySaver())

    async def start(self, body: str, *, run: int = 1, subject: str = "Help") -> JsonObject:
        """A new run on the thread; its state when it pauses or ends."""
        self.world.caller = replace(self.world.caller, run_id=UUID(int=run))
        return await self.advance(fresh_run(str(UUID(int=run)), ticket(body, subject)))

    async def planned(self, body: str) -> JsonObject:
        """The plan that a new run waits with; without one, say how the run went instead."""
        state = await self.start(body)
        triage, plan = state.get("triage") or {}, state["plan"] or {"steps": []}
        assert plan["steps"], (
            f"no plan: the run went {' -> '.join(await self.path())}, "
            f"intents {triage.get('intents')}, escalation {state.get('escalation')}"
        )
        return dict(plan)

    async def advance(self, following: Any, config: RunnableConfig | None = None) -> JsonObject:
        """Go on from the thread's last checkpoint, or from another one."""
        state: JsonObject = await self.graph.ainvoke(
            following, config or self.thread, context=self.world.context
        )
        assert incompatible_keys(state) == {}, "the graph writes what it declares"
        return state

    async def open_gate(self) -> Interrupt:
        """The one question that the thread waits on."""
        [gate] = (await self.graph.aget_state(self.thread)).interrupts
        return gate

    async def decide(
        self,
        verdict: Verdict,
        steps: list[Step] | None = None,
        comment: str = "",
        messages: list[str] | None = None,
    ) -> JsonObject:
        """Answer the open gate; what is agreed to is what the gate permits from now on."""
        gate = await self.open_gate()
        agreed = verdict in ("approve", "edit")
        left: list[Step] = (steps or gate.value["steps"]) if agreed else []
        self.world.gate.agreed += left
        decision: Decision = {
            "approval_id": "ap_1",
            "verdict": verdict,
            "steps": left,
            "comment": comment,
            "decided_by": "Uma",
            "messages": messages or [],
        }
        return await self.advance(Command(resume={gate.id: decision}))

    async def history(self) -> list[StateSnapshot]:
        """Every checkpoint of the thread, oldest first."""
        found = [state async for state in self.graph.aget_state_history(self.thread)]
        return found[::-1]

    async def path(self) -> list[str]:
        """The nodes of the thread in the order in which they ran."""
        return [
            name
            for state in await self.history()
            for name in state.next
            if not name.startswith("__")
        ]

    async def path_from(self, node: str) -> list[str]:
        """The nodes from the first execution of that one on; what a graph does before may grow."""
        path = await self.path()
        return path[path.index(node) :]


def desk(customer: str = "cus_ann", *articles: str) -> Desk:
    """A desk whose toolbox agrees to nothing that no test decided."""
    world = World(customer, gate=FakeGate())
    world.knowledge.passages = [article(id_) for id_ in articles]
    return Desk(world)


def scripted(opened: Desk, **script: list[Any]) -> ScriptedModel:
    """Let one model with a script play both roles; the fallback stays offline."""
    model = ScriptedModel(script=script)
    opened.world.models = Models(model, model, opened.world.models.fallback)
    return model
