"""docs/howto/new_tool.md: a new tool is six files."""

import re

from tests.unit.desk import ROOT

PAGE = ROOT / "docs/howto/new_tool.md"
DIFF = ROOT / "docs/howto/new_tool.diff"
FILES = re.findall(r"^\+\+\+ b/(.+)$", DIFF.read_text(), re.MULTILINE)


def test_new_tool_is_six_files_that_the_page_names() -> None:
    """One more file would be a place that knows effects one by one."""
    assert len(FILES) <= 6
    assert f"{len(FILES)} files" in PAGE.read_text()
    assert all(f"`{name}`" in PAGE.read_text() for name in FILES)
