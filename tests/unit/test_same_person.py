"""Who is one person: spellings that no reader can tell apart are one name."""

import pytest

from app.db.tables.tenants import Holder
from app.services.approvals.people import count_people, folded, same_person
from app.services.console.oidc_person import name_of

ANN = Holder("Ann Ott", None)
UNSEEN = ["\u200b", "\u00ad", "\u034f", "\u115f", "\u3164", "\uffa0", "\ufe0f", "\u2800",
          "\U000e0041", "\U000e0100", "\u180e", "\u2065"]  # fmt: skip


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_no_reader_sees_makes_no_other_person(unseen: str) -> None:
    """Wherever it stands in the name: else one person would be two pairs of eyes."""
    for name in (f"Ann{unseen} Ott", f"{unseen}ann ott", f"Ann  Ott{unseen}"):
        assert same_person(ANN, Holder(name, None))
        assert count_people([ANN, Holder(name, None)]) == 1


@pytest.mark.parametrize("name", ["Anna Ott", "Ann-Ott", "Ánn Ott", "안 옷"])
def test_what_a_reader_sees_makes_another_person(name: str) -> None:
    """Also letters of scripts that have fillers."""
    assert folded(name)
    assert not same_person(ANN, Holder(name, None))


def test_provider_gives_a_name_that_is_seen() -> None:
    """A claim of characters that no reader sees is passed over."""
    assert name_of({"name": "\u3164", "email": "ann@example.com", "sub": "1"}) == "ann@example.com"
