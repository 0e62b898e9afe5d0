"""What a connection's `test` found, as the laws of each desk ask for it."""

from typing import Protocol

import pytest

from app.connectors.connector import Check, Connector, Opened

CALLS = 20


class Faulty(Protocol):
    """A harness whose calls can be broken."""

    @property
    def opened(self) -> Opened:
        """The connection."""
        ...

    @property
    def fault_waits(self) -> bool:
        """Whether no request had the fault."""
        ...

    def garble_answer(self, after: int) -> None:
        """Break the call after so many."""
        ...

    def forget_faults(self) -> None:
        """None from here on."""
        ...


def said(found: list[Check], name: str) -> str:
    """What the one finding of a name says."""
    [words] = [check.says for check in found if check.name == name]
    return words


def wrong(found: list[Check], name: str) -> str:
    """What the findings of a name say that are not good; there is one."""
    return " ".join(check.says for check in found if check.name == name and not check.ok)


async def survives_every_answer(harness: Faulty, connector: Connector) -> None:
    """Each call's answer in turn is half a page: `test` ends with findings, of which one is bad."""
    for after in range(CALLS):
        harness.garble_answer(after)
        found = await connector.test(harness.opened)
        if harness.fault_waits:
            harness.forget_faults()
            return
        assert not all(check.ok for check in found), after
    pytest.fail("too many calls")
