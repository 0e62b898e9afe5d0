"""`deskgraph langsmith check`, against a server that stands for LangSmith."""

from collections.abc import Iterator

import pytest

from tests.doubles.langsmith_capture import LangSmithCapture
from tests.doubles.server import serving
from tests.integration.command_line import deskgraph

# It needs none.
NO_DATABASE = "postgresql://none@127.0.0.1:9/none"
STEPS = ["key", "endpoint", "access", "sent", "arrived", "redaction", "feedback", "link"]


@pytest.fixture
def langsmith() -> LangSmithCapture:
    """Without any trace yet."""
    return LangSmithCapture()


@pytest.fixture
def env(langsmith: LangSmithCapture) -> Iterator[dict[str, str]]:
    """The settings of a service that traces there."""
    with serving(langsmith.app) as endpoint:
        yield {
            "DESKGRAPH_LANGSMITH_API_KEY": "ls-key",
            "DESKGRAPH_LANGSMITH_ENDPOINT": endpoint,
            "DESKGRAPH_LANGSMITH_WEB_URL": "https://smith.example",
            "DESKGRAPH_TRACE_FLUSH_SECONDS": "5",
        }


async def found(env: dict[str, str]) -> tuple[int, list[tuple[bool, str]], str]:
    """The exit code, each step with whether it is right, and all that was printed."""
    done = await deskgraph(NO_DATABASE, "langsmith", "check", "--wait-seconds", "3", **env)
    lines = [line.split(None, 1) for line in done.output.splitlines()]
    steps = [(mark == "ok", rest.split(":")[0]) for mark, rest in lines if mark in MARKS]
    return done.exit_code, steps, done.output


MARKS = ("ok", "MISSING")


async def test_everything_arrives(env: dict[str, str], langsmith: LangSmithCapture) -> None:
    """Each step is right, and the last says where to look."""
    code, steps, output = await found(env)
    assert (code, steps) == (0, [(True, name) for name in STEPS])
    assert "not there yet; the first trace makes it" in output
    [run] = langsmith.runs.values()
    [feedback] = langsmith.feedback.values()
    assert (run["name"], feedback["run_id"]) == ("deskgraph.check", run["id"])
    assert f"/r/{run['id']}?poll=true" in output
    assert b"trace.check@example.com" not in langsmith.sent
    _, _, again = await found(env)
    assert "the project deskgraph is there" in again


@pytest.mark.parametrize(
    ("status", "last", "says"),
    [
        (401, "access", "the key is wrong"),
        (403, "access", "the key is wrong"),
        (503, "access", "answered 503 when it was asked for the project"),
    ],
)
async def test_refusal_is_named(
    env: dict[str, str], langsmith: LangSmithCapture, status: int, last: str, says: str
) -> None:
    """The first step that fails is the last one, with what to do."""
    langsmith.status, langsmith.info_status = status, 200
    code, steps, output = await found(env)
    assert code == 1
    assert steps[-1] == (False, last)
    assert says in output


async def test_no_answer_is_named(env: dict[str, str]) -> None:
    """Before the key is judged."""
    code, steps, output = await found({**env, "DESKGRAPH_LANGSMITH_ENDPOINT": "http://127.0.0.1:9"})
    assert (code, steps[-1]) == (1, (False, "endpoint"))
    assert "gave no answer (ConnectError)" in output


async def test_no_key_is_named(env: dict[str, str]) -> None:
    """Then nothing is called at all."""
    code, steps, output = await found({**env, "DESKGRAPH_LANGSMITH_API_KEY": ""})
    assert (code, steps) == (1, [(False, "key")])
    assert "Set DESKGRAPH_LANGSMITH_API_KEY" in output


async def test_trace_that_does_not_arrive_is_named(
    env: dict[str, str], langsmith: LangSmithCapture
) -> None:
    """It was taken, and is not to be found."""
    langsmith.forgets = True
    code, steps, output = await found(env)
    assert (code, steps[-1]) == (1, (False, "arrived"))
    assert "is not there after 3 s" in output
