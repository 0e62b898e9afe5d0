"""Names of desks' tickets: every id that a desk may use can be asked for, and is read out again."""

import pytest
from pydantic import TypeAdapter

from app.api.schemas import OutsideId
from app.services.connections.tickets import (
    MAX_DESK_ID,
    connection_of,
    desk_ticket_id,
    is_name,
    ticket_id_problem,
    ticket_name,
)

CONNECTION = "con_" + "a" * 16
OUTSIDE = TypeAdapter(OutsideId)
# Numbers of Request Tracker, Zendesk, Chatwoot and Zammad, ids of other desks, and what a desk of
# one's own may make up.
IDS = [
    "42", "1000000000001", "m0123456789abcdef012", "cnv_yo1kg5q", "ABC-123", "#42", "T%2042",
    "2026/0042", "../42", "..", ".", "a b", " 42 ", "Auftrag Nr. 7/ä", "問い合わせ-42", "заявка 7",
    "42?x=1&y=2", "a:b", "con_" + "b" * 16 + ":7", "\u3000", "e\u0301", "é", "👩\u200d💻",
    "%", "%%", "%zz", "a\nb", "\x7f", "a\u2028b", "x" * MAX_DESK_ID, "ä" * 16,
]  # fmt: skip


@pytest.mark.parametrize("desk_id", IDS)
def test_every_id_has_a_name_that_the_api_takes(desk_id: str) -> None:
    """It names its connection and gives the desk's own id back."""
    name = ticket_name(CONNECTION, desk_id)
    assert ticket_id_problem(desk_id) is None
    assert OUTSIDE.validate_python(name) == name
    assert (connection_of(name), desk_ticket_id(name)) == (CONNECTION, desk_id)
    assert is_name(name)


def test_no_two_ids_have_one_name() -> None:
    """Also such as are written alike once they are encoded or normalised."""
    assert len({ticket_name(CONNECTION, desk_id) for desk_id in IDS}) == len(IDS)


@pytest.mark.parametrize("desk_id", ["7", "ABC-123", "2026/0042", "#42", "a:b"])
def test_plain_id_stands_in_the_name_as_it_is(desk_id: str) -> None:
    """People find it there."""
    assert ticket_name(CONNECTION, desk_id) == f"{CONNECTION}:{desk_id}"


@pytest.mark.parametrize(
    "desk_id",
    [
        "a\x00b",
        "\ud800",
        "x" * 101,
        "ä" * 17,
        " " * 34,
    ],
)
def test_id_that_can_be_no_name_is_refused_with_the_reason(desk_id: str) -> None:
    """What no row holds, and what is too long once it is encoded."""
    assert "ticket's id" in (ticket_id_problem(desk_id) or "")


@pytest.mark.parametrize("name", ["%00", "%ff", "%41", "a b", "%", "ä"])
def test_what_we_never_called_a_ticket_is_no_name(name: str) -> None:
    """A caller may ask for anything."""
    assert not is_name(f"{CONNECTION}:{name}")
    assert not is_name("T-1")
