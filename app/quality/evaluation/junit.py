"""The verdicts as a JUnit file, which CI systems show: one suite a model, one test a ticket."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from app.quality.evaluation.figures import Judged

# What XML 1.0 cannot hold (section 2.2): controls except tab and line ends, halves of pairs.
UNSPEAKABLE = {
    *range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF,
}  # fmt: skip
AS_MARK = dict.fromkeys(UNSPEAKABLE, "\ufffd")


def write_junit(path: Path, runs: Mapping[str, Sequence[Judged]]) -> None:
    """Write it; a wrong ticket is a failure, with its reply. Raises OSError."""
    root = Element("testsuites", name="deskgraph eval")
    for model, judged in runs.items():
        wrong = sum(one.verdict.kind == "wrong" for one in judged)
        suite = SubElement(
            root, "testsuite", name=_safe(model), tests=str(len(judged)), failures=str(wrong)
        )
        for one in judged:
            _add(suite, model, one)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _add(suite: Element, model: str, one: Judged) -> None:
    test = SubElement(
        suite,
        "testcase",
        classname=_safe(f"{model}.{one.case.group}"),
        name=_safe(one.case.id),
        time=f"{one.ended.seconds:.3f}",
    )
    reply = one.ended.state.get("reply")
    said = _safe(reply["text"] if reply else "")
    if one.verdict.kind == "wrong":
        SubElement(test, "failure", message=_safe(one.verdict.why)).text = said
    else:
        SubElement(test, "system-out").text = _safe(f"{one.verdict.kind}\n{said}")


def _safe(text: str) -> str:
    return text.translate(AS_MARK)
