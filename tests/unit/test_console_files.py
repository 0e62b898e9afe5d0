"""The console's files for the browser: as they were published, part of the package, and small."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest

from app.console.forms import parse_form
from app.console.routes.sign_in import own_path
from app.console.static_files import FILES, FOLDER, static_url
from app.console.templating import HTMX, environment
from app.console.views.answers import minor_units, whole_number
from app.console.views.words import count, document, duration, inert
from app.db.tables.tenants import Holder
from app.errors import BodyError, InvalidRequestError
from app.services.approvals.people import count_people, named, same_person

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "app/console"


def test_vendored_files_are_as_published() -> None:
    """Each has the digest that is written down, and its licence lies beside it."""
    lines = (FOLDER / "htmx/SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.name for path in (FOLDER / "htmx").iterdir()} - {"SHA256SUMS"}
    assert set(listed) == files
    assert {"LICENSE", "LICENSE.sse"} < files
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / "htmx" / name).read_bytes()).hexdigest() == digest, name


def test_files_are_part_of_the_package() -> None:
    """An installed service has templates, scripts and style as well."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = config["tool"]["setuptools"]["package-data"]["app"]
    packed = {path for pattern in patterns for path in (ROOT / "app").glob(pattern)}
    folders = (FOLDER, CONSOLE / "templates")
    needed = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert len(needed) > 20
    assert needed <= packed


def test_address_of_a_file_names_its_content() -> None:
    """A changed file has another address, so it may be kept for ever."""
    for name, path in FILES.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:12] in static_url(name)


def test_scripts_and_style_are_small() -> None:
    """All that a browser loads once, before compression."""
    assert sum(path.stat().st_size for path in FILES.values()) < 100_000


def test_htmx_evaluates_nothing() -> None:
    """Its settings reach every page, and none of them allows code in a page."""
    base = environment().get_template("base.html").render()
    shown = re.search(r'name="htmx-config" content="([^"]*)"', base)
    assert shown is not None
    assert json.loads(shown[1].replace("&#34;", '"')) == HTMX
    assert [HTMX[name] for name in ("allowEval", "allowScriptTags")] == [False, False]
    assert HTMX["includeIndicatorStyles"] is False


@pytest.mark.parametrize(
    "template", sorted((CONSOLE / "templates").iterdir()), ids=lambda p: p.name
)
def test_templates_trust_no_text(template: Path) -> None:
    """Nothing is marked as safe, nothing stands inline, and no attribute is without quotes."""
    text = template.read_text()
    assert not re.search(r"\|\s*safe|Markup|autoescape|<script>|<style|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"\s[\w-]+=\{\{", text)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [("49.00", "USD", 4900), ("49", "USD", 4900), ("49.5", "USD", 4950), ("0.01", "USD", 1),
     ("5800", "JPY", 5800), ("1.234", "KWD", 1234), (" 49.00 USD ", "USD", 4900)],
)  # fmt: skip
def test_amounts_are_typed_as_people_write_them(typed: str, currency: str, minor: int) -> None:
    """In the units of the currency, exactly."""
    assert minor_units(typed, currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency"),
    [("", "USD"), ("49,00", "USD"), ("4.900", "USD"), ("1e3", "USD"), ("-1", "USD"), ("+1", "USD"),
     ("1_000", "USD"), ("٤٩", "USD"), (".5", "USD"), ("5.", "USD"), ("5800.0", "JPY"),
     ("49.00 EUR", "USD"), ("9" * 14, "USD"), ("NaN", "USD"), ("1 000", "USD"), ("²", "USD")],
)  # fmt: skip
def test_what_is_no_amount_is_refused(typed: str, currency: str) -> None:
    """With an example, never with a guess."""
    with pytest.raises(InvalidRequestError, match=currency):
        minor_units(typed, currency)
    assert whole_number(" 12 ") == 12
    with pytest.raises(InvalidRequestError):
        whole_number("1_2")


def test_forms_are_read_strictly() -> None:
    """Each field once, in UTF-8; a line of a text area ends as everywhere else."""
    assert parse_form(b"a=1&b=%C3%A9%0D%0Ax") == {"a": "1", "b": "é\nx"}
    assert parse_form(b"") == {}
    for bad in (b"a=%ff", b"a", "é=1".encode(), b"&".join([b"a=1"] * 501)):
        with pytest.raises(BodyError):
            parse_form(bad)
    with pytest.raises(InvalidRequestError):
        parse_form(b"a=1&a=2")


@pytest.mark.parametrize(
    ("wanted", "there"),
    [("/console", True), ("/console/runs?a=1", True), ("/console?kind=plan", True),
     ("", False), ("/consoles", False), ("//x", False), ("https://x", False),
     ("/console/\\x", False), ("/console/\nx", False), ("/console/é", False),
     ("/console/../v1/runs", False), ("/console/%2e%2E/v1/runs", False),
     ("/console/..//x", False), ("/console/./x", False), ("/console/runs?a=../x", True),
     ("/console/" + "x" * 2000, False)],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(wanted: str, there: bool) -> None:
    """Whatever the link says."""
    assert own_path(wanted) == (wanted if there else "/console")


def test_texts_from_outside_are_inert() -> None:
    """Marks that hide or reorder text are shown; long documents end with what is left out."""
    assert inert("a\u202eb\tc\r\nd\x07") == "a\\u202eb    c\nd\\x07"
    assert document({"a": "x" * 5000}).endswith(" more characters")
    assert (count(999), count(1000)) == ("999", "999+")
    lengths = [duration(seconds) for seconds in (5, 300, 3600, 3900, 90_000, 172_800)]
    assert lengths == ["5 s", "5 min", "1 h", "1 h 5 min", "1 d 1 h", "2 d"]


def test_people_differ_by_name_and_person() -> None:
    """Two keys of one name or one person are one; who joins two others makes all three one."""
    ann, laptop = Holder("Ann", "ann@example.com"), Holder("laptop", "ANN@example.com")
    ben, other_ann = Holder("Ben", None), Holder(" ann ", None)
    assert same_person(ann, laptop)
    assert same_person(ann, other_ann)
    assert not same_person(laptop, other_ann)
    assert not same_person(ann, ben)
    assert count_people([ann, ben]) == 2
    assert count_people([laptop, other_ann]) == 2
    assert count_people([laptop, other_ann, ann]) == 1
    assert count_people([]) == 0


@pytest.mark.parametrize(
    "written",
    ["ANN@example.com", " ann@example.com ", "ann@exam\u200bple.com", "ann@example.com\ufe0f",
     "\u202eann@example.com", "ａｎｎ@example.com", "ann@example\u00ad.com"],
)  # fmt: skip
def test_one_person_is_not_two_by_how_a_name_is_written(written: str) -> None:
    """Nor by which of a key's two names it stands in: what looks the same is the same person."""
    assert same_person(Holder("laptop", "ann@example.com"), named(written))
    assert same_person(Holder(written, None), Holder("Ann", "ann@example.com"))
    assert count_people([Holder("Ann", "ann@example.com"), named(written)]) == 1
    assert count_people([named("ann@example.com"), named("anne@example.com")]) == 2
