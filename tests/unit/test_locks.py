"""A lock is complete, so that any pip can install it as it stands.

Metadata is read from the distributions installed here; markers are evaluated for this machine and
for the others that the service runs on. requirements-model.lock is not complete: its two packages
are installed without their dependencies, beside the environment.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Each lock that is installed, and the dependency groups that it holds beside the service's own.
LOCKS = {"requirements.lock": ["build"], "requirements-test.lock": ["build", "test"]}
PLATFORMS: dict[str, Mapping[str, str]] = {
    "here": {},
    "the image": {"python_version": "3.13", "python_full_version": "3.13.0"},
    "Python 3.14": {"python_version": "3.14", "python_full_version": "3.14.0"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}

Platform = Mapping[str, str]
"""The variables of markers that differ from those of this machine."""
Metadata = Callable[[str], Iterable[Requirement]]
"""What a distribution requires, extras and other platforms included."""
Need = tuple[str, Requirement]
"""Who needs something, and what."""

every_lock = pytest.mark.parametrize("lock", LOCKS)
every_platform = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)


def applies(requirement: Requirement, platform: Platform, extra: str = "") -> bool:
    """Whether the marker holds for a distribution, or for one of its extras."""
    marker = requirement.marker
    return marker is None or marker.evaluate({**platform, "extra": extra})


def needs(roots: Iterable[Requirement], metadata: Metadata, platform: Platform) -> Iterator[Need]:
    """Every requirement that follows from the roots on that platform, through all extras."""
    waiting = [("deskgraph", root) for root in roots if applies(root, platform)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        needed_by, wanted = waiting.pop()
        yield needed_by, wanted
        name = canonicalize_name(wanted.name)
        new = [extra for extra in ("", *wanted.extras) if (name, extra) not in seen]
        seen |= {(name, extra) for extra in new}
        for extra in new:
            waiting += [(name, one) for one in metadata(name) if applies(one, platform, extra)]


def unmet(needed: Iterable[Need], pins: Mapping[str, str]) -> list[str]:
    """The needs for which the lock has no version, or one that does not fit."""
    return [
        f"{needed_by} needs {wanted}, the lock has {pinned or 'none'}"
        for needed_by, wanted in needed
        if (pinned := pins.get(canonicalize_name(wanted.name), "")) == ""
        or not wanted.specifier.contains(pinned, prereleases=True)
    ]


def entries(lock: str) -> dict[str, list[str]]:
    """The hashes of each pin, by its line."""
    text = (ROOT / lock).read_text()
    found = re.findall(r"^(\w[^\\\n]*) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {pin: re.findall(r"--hash=(\S+)", hashes) for pin, hashes in found}


def pins_of(lock: str, platform: Platform) -> dict[str, str]:
    """The version of each distribution that the lock installs there, by canonical name."""
    pinned = [one for one in map(Requirement, entries(lock)) if applies(one, platform)]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in pinned}


def declared(lock: str) -> list[Requirement]:
    """What pyproject.toml asks for, of which the lock is made."""
    groups = [line for group in LOCKS[lock] for line in PROJECT["dependency-groups"][group]]
    return [Requirement(line) for line in [*PROJECT["project"]["dependencies"], *groups]]


@cache
def installed(name: str) -> list[Requirement]:
    """The metadata of a distribution; nothing for one of another platform."""
    try:
        return [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        return []


@every_lock
def test_what_is_installed_here_is_what_is_locked(lock: str) -> None:
    """The metadata that these tests read are those of the locked versions."""
    pins = pins_of(lock, {})
    assert {name: version(name) for name in pins} == pins


@every_lock
@every_platform
def test_no_requirement_is_missing(lock: str, platform: Platform) -> None:
    """What pyproject.toml and each locked distribution require is in the lock, extras too."""
    pins = pins_of(lock, platform)
    roots = [*declared(lock), *map(Requirement, pins)]
    assert unmet(needs(roots, installed, platform), pins) == []


@every_lock
def test_nothing_can_be_taken_out(lock: str) -> None:
    """Each pin is needed: a lock that lacks any one of them is found out."""
    pins = pins_of(lock, {})
    needed = list(needs(declared(lock), installed, {}))
    for taken in pins:
        rest = {name: pinned for name, pinned in pins.items() if name != taken}
        assert unmet(needed, rest), taken


@pytest.mark.parametrize(
    ("pins", "found"),
    [
        ({"plugin": "1.0", "base": "2.1", "speed": "0.3"}, []),
        (
            {"plugin": "1.0", "base": "2.1"},
            ['base needs speed; extra == "fast", the lock has none'],
        ),
        (
            {"plugin": "1.0", "base": "1.9", "speed": "0.3"},
            ["plugin needs Base[fast]>=2, the lock has 1.9"],
        ),
        ({"base": "2.1", "speed": "0.3"}, ["deskgraph needs plugin, the lock has none"]),
    ],
    ids=["complete", "of an extra", "too old", "of the project"],
)
def test_a_gap_is_found(pins: dict[str, str], found: list[str]) -> None:
    """A requirement without a pin is named, also when only an extra needs it; no other is."""
    metadata = {
        "plugin": [Requirement("Base[fast]>=2")],
        "base": [
            Requirement("speed; extra == 'fast'"),
            Requirement("docs; extra == 'docs'"),
            Requirement("colour; sys_platform == 'win32'"),
        ],
    }
    needed = needs([Requirement("plugin")], lambda name: metadata.get(name, []), {})
    assert unmet(needed, pins) == found


def test_the_lock_of_the_tests_holds_that_of_the_service() -> None:
    """The tests run with what is served: the same versions, the same files."""
    tests = entries("requirements-test.lock")
    for pin, hashes in entries("requirements.lock").items():
        assert tests[pin] == hashes


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("*.lock")))
def test_a_lock_is_pins_with_hashes_and_nothing_else(lock: str) -> None:
    """Every line is a pin, one of its hashes, or a comment: no index, no address, no option."""
    text = (ROOT / lock).read_text()
    pinned = sum(1 + len(hashes) for hashes in entries(lock).values())
    assert pinned == sum(not line.lstrip().startswith("#") for line in text.splitlines())
    assert all(re.fullmatch(r"\S+==[^\s=;]+( ; .*)?", pin) for pin in entries(lock))
