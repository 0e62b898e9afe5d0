"""A person at a terminal beside a running `deskgraph dev`: decides approvals, uses the shell."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.commands.run_report import RunReport
from tests.acceptance.test_dev import TWICE, Dev, deskgraph
from tests.doubles.terminal import Terminal, terminal

REFUND = "Please refund my Pro plan payment"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A running `dev` that the commands find by its data folder."""
    running = Dev(tmp_path_factory.mktemp("dev"))
    yield running
    running.stop()


def paused(dev: Dev, ticket: str, customer: str, body: str = REFUND) -> Any:
    """A run that waits for a person about a refund."""
    run = dev.client("starter").start(customer, body, ticket)
    assert run["status"] == "interrupted"
    return run


def deciding(dev: Dev, run: Any, *options: str) -> Any:
    """`deskgraph approvals decide` on the run's approval, in a terminal."""
    [approval] = run["approvals"]
    env = {"DESKGRAPH_DATA_DIR": str(dev.data_dir)}
    return terminal("approvals", "decide", approval["id"], *options, env=env)


def answer(person: Terminal, *answers: tuple[str, str]) -> None:
    """Wait for each question and type the answer to it."""
    for question, typed in answers:
        person.wait_for(question)
        person.type(typed)


def test_paused_refund_is_approved_from_a_terminal(dev: Dev) -> None:
    """All that the API shows a reviewer is on the screen before the question; after a yes the
    money moves once, and an operator sees the whole run on one screen.
    """
    run = paused(dev, "T-1", "cus_ann", TWICE)
    [approval] = run["approvals"]
    with deciding(dev, run) as person:
        person.wait_for("Verdict")
        [step] = approval["steps"]
        seen = " ".join(person.shown.split())
        for words in (
            TWICE, "cus_ann", step["risk"], step["id"], step["reason"], "4900 = 49.00 USD",
            *approval["reasons"], *(one["summary"] for one in step["evidence"]),
            f"Without a decision by then: {approval['on_expiry']}", "1 needed, agreed: none yet",
            approval["digest"],
        ):  # fmt: skip
            assert words in seen, words
        assert seen.count(step["reason"]) == 1
        person.type("approve")
        answer(person, ("Comment", "clear duplicate"), ("You approve 1 of 1 steps, 49.00 USD", "y"))
        assert person.end() == 0
        assert "The run is success, acted." in person.shown
    done = dev.client("starter").run(run["id"])
    assert [effect["tool"] for effect in done["effects"]] == ["refund_payment", "send_reply"]
    [decision] = done["approvals"][0]["decisions"]
    assert (decision["decided_by"]["name"], decision["comment"]) == (
        "dev approver",
        "clear duplicate",
    )

    shown = deskgraph(dev.data_dir, "runs", "show", run["id"])
    assert shown.returncode == 0, shown.stderr
    for words in ("dev approver: approve", '"clear duplicate"', "49.00 USD", "the graph has ended"):
        assert words in shown.stdout, words
    report = json.loads(deskgraph(dev.data_dir, "runs", "show", run["id"], "--json").stdout)
    assert set(report) == set(RunReport.model_fields)
    with deciding(dev, run) as late:
        assert late.end() == 1
        assert "approved by dev approver" in " ".join(late.shown.split())


def test_edit_by_hand_keeps_to_what_may_change(dev: Dev) -> None:
    """An amount is only lowered, nothing changed is no edit, and the last question says the sum."""
    run = paused(dev, "T-2", "cus_eva")
    with deciding(dev, run) as person:
        answer(person, ("Verdict", "edit"), ("at most 4900", ""), ("Nothing is changed", "edit"),
               ("at most 4900", "9999"), ("give at most 4900", "20.00"), ("whole number", "2000"),
               ("Comment", ""), ("You edit 1 of 1 steps, 20.00 USD", "y"))  # fmt: skip
        assert person.end() == 0
    done = dev.client("starter").run(run["id"])
    assert done["effects"][0]["args"]["amount_minor"] == 2000


def test_nothing_is_sent_without_a_yes_to_the_whole(dev: Dev) -> None:
    """A no to the last question, an end of input and Ctrl-C leave the approval waiting."""
    run = paused(dev, "T-3", "cus_lou")
    with deciding(dev, run, "--verdict", "reject") as person:
        answer(person, ("Send it?", "n"))
        assert person.end() == 1
        assert "still waits" in person.shown
    # 130 is what a shell says of a command that Ctrl-C ended.
    for pressed, code in (("\x03", 130), ("\x04", 1)):
        with deciding(dev, run) as person:
            person.wait_for("Verdict")
            person.press(pressed)
            assert person.end() == code
            assert "Traceback" not in person.shown
    assert dev.client("starter").run(run["id"], wait=0)["status"] == "interrupted"


def test_respond_needs_to_say_what_to_do_differently(dev: Dev) -> None:
    """An empty comment is asked for again; with one, another plan waits for a person."""
    run = paused(dev, "T-4", "cus_yui")
    with deciding(dev, run) as person:
        answer(person, ("Verdict", "respond"), ("What should be done instead", ""),
               ("What should be done instead", "Only the newest one"),
               ("nothing of this plan is done", "y"))  # fmt: skip
        assert person.end() == 0
        assert "waits for a person again" in person.shown


def test_key_is_asked_for_without_showing_it(dev: Dev) -> None:
    """With no key at hand a person types it, and the terminal does not show it."""
    run = paused(dev, "T-5", "cus_lou")
    [approval] = run["approvals"]
    command = ("approvals", "decide", approval["id"], "--url", dev.ready["url"])
    with terminal(*command, env={"DESKGRAPH_DATA_DIR": str(Path("/nonexistent"))}) as person:
        answer(person, ("API key", dev.ready["approver_key"]), ("Verdict", "reject"),
               ("Comment", ""), ("Send it?", "y"))  # fmt: skip
        assert person.end() == 0
        assert dev.ready["approver_key"] not in person.raw


def test_ctrl_c_in_the_shell_stops_what_was_typed(dev: Dev) -> None:
    """A line that waits too long is stopped; the prompt and its connections go on."""
    with terminal("shell", env={"DESKGRAPH_DATA_DIR": str(dev.data_dir)}) as person:
        person.wait_for("run.outcome)")
        line = "import asyncio; print('a' + 'sleep'); await asyncio.sleep(600)"
        answer(person, (">>> ", line))
        person.wait_for("asleep")
        person.press("\x03")
        answer(person, ("KeyboardInterrupt", "async with sessions() as s:"),
               ("... ", "    print('rows:', await s.scalar(select(func.count(Run.id))))"),
               ("... ", ""))  # fmt: skip
        person.wait_for("rows: ")
        person.wait_for(">>> ")
        person.press("\x04")
        assert person.end() == 0
