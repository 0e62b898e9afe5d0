"""Every page is found from the README: from its own table, or from that of the page's folder."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(ROOT.glob("docs/**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_is_in_the_index(page: Path) -> None:
    """Pages of docs and the folders' indexes stand in the README, others in their folder's."""
    at_top = page.parent == ROOT / "docs" or page.name == "README.md"
    index = ROOT / "README.md" if at_top else page.parent / "README.md"
    assert f"({page.relative_to(index.parent)})" in index.read_text()
