"""Dockerfile and docker-compose.yml name only what exists, and hold no secret."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from app.cli import app as cli
from app.settings import Settings
from tests.documented import own_document
from tests.unit.configuration_page import EXAMPLE, variable

ROOT = Path(__file__).resolve().parents[2]
SECRET_NAME = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN")
REQUIRED = re.compile(r"^\$\{\w+:\?[^}]+\}$")


def instructions() -> list[tuple[str, list[str]]]:
    """The Dockerfile as (instruction, words), continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, shlex.split(rest)) for name, _, rest in (line.partition(" ") for line in lines)]


def arguments(name: str) -> list[list[str]]:
    """The words of every instruction of that name, in order."""
    return [words for found, words in instructions() if found == name]


def image_env() -> dict[str, str]:
    """What ENV sets, in any stage."""
    return dict(
        cast("tuple[str, str]", word.split("=", 1)) for words in arguments("ENV") for word in words
    )


def compose() -> dict[str, Any]:
    """The compose file as data, anchors merged."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "deskgraph"}


def paths() -> dict[str, Any]:
    """Every path of the API, with its methods."""
    found: dict[str, Any] = own_document().document["paths"]
    return found


def command_of(service: dict[str, Any]) -> list[str]:
    """What the container runs: the image's entry point with the service's command."""
    [entrypoint] = arguments("ENTRYPOINT")
    program: list[str] = yaml.safe_load(" ".join(entrypoint))
    return [*program, *service["command"]]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_exists(name: str) -> None:
    """Each service of ours runs a command that the command line knows."""
    program, *words = command_of(OURS[name])
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    group = get_command(cli)
    for word in words:
        assert isinstance(group, TyperGroup)
        assert word in group.commands
        group = group.commands[word]


def test_the_image_starts_a_command_that_exists() -> None:
    """The default command of the image is one of ours."""
    [words] = arguments("CMD")
    group = get_command(cli)
    assert isinstance(group, TyperGroup)
    assert set(yaml.safe_load(" ".join(words))) <= set(group.commands)


@pytest.mark.parametrize("name", [*sorted(OURS), "Dockerfile"])
def test_every_variable_is_a_setting(name: str) -> None:
    """A DESKGRAPH_ variable that no setting reads would be a promise that is not kept."""
    given = image_env() if name == "Dockerfile" else OURS[name]["environment"]
    ours = {key.removeprefix("DESKGRAPH_").lower() for key in given if key.startswith("DESKGRAPH_")}
    assert ours
    assert ours <= set(Settings.model_fields)


def test_every_copied_path_exists_and_reaches_the_builder() -> None:
    """What COPY names is in the checkout, and .dockerignore lets it through."""
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [
        source.removeprefix("./")
        for words in arguments("COPY")
        if not words[0].startswith("--from")
        for source in words[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
    assert set(copied) == let_through


def test_the_image_holds_what_the_package_is_made_of() -> None:
    """Every top-level package of the distribution is copied."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= {words[0] for words in arguments("COPY")}


def test_dependencies_come_from_the_lock_file_with_hashes() -> None:
    """The lock is installed as it stands, with hashes; the project itself downloads nothing."""
    installs = [words for words in arguments("RUN") if "install" in words]
    locked, project = installs
    assert {"--require-hashes", "--no-deps"} <= set(locked)
    lock = ROOT / locked[locked.index("-r") + 1]
    assert lock.read_text().count("--hash=sha256:") > 100
    assert {"--no-build-isolation", "--no-deps"} <= set(project)
    assert project[-3:] == ["&&", "/opt/deskgraph/bin/pip", "check"]


def test_the_process_is_not_root() -> None:
    """The last USER is a number above the system's own."""
    assert int(arguments("USER")[-1][0]) >= 1000


def test_the_api_is_asked_at_a_path_and_port_that_exist() -> None:
    """The health check calls a route of the API on the port the container listens on."""
    check = " ".join(OURS["api"]["healthcheck"]["test"])
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert found
    port, path = found.groups()
    assert "get" in paths()[path]
    assert port == image_env()["DESKGRAPH_PORT"]
    assert arguments("EXPOSE") == [[port]]
    assert [published.rpartition(":")[2] for published in OURS["api"]["ports"]] == [port]


def test_postgres_is_asked_for_the_user_it_has() -> None:
    """The health check, the server and our URL speak of one user and one database."""
    postgres = SERVICES["postgres"]
    check, user = postgres["healthcheck"]["test"], postgres["environment"]["POSTGRES_USER"]
    assert "pg_isready" in check
    assert check[check.index("--username") + 1] == user
    database = postgres["environment"]["POSTGRES_DB"]
    for service in OURS.values():
        url = service["environment"]["DESKGRAPH_DATABASE_URL"]
        assert url.startswith(f"postgresql://{user}:")
        assert url.endswith(f"@postgres:5432/{database}")


def test_every_dependency_is_a_service_that_can_meet_its_condition() -> None:
    """`service_healthy` needs a health check, `completed` a service that is not restarted."""
    conditions = [
        (SERVICES[needed], wanted["condition"])
        for service in SERVICES.values()
        for needed, wanted in service.get("depends_on", {}).items()
    ]
    assert conditions
    for needed, condition in conditions:
        if condition == "service_healthy":
            assert "healthcheck" in needed
        else:
            assert condition == "service_completed_successfully"
            assert needed["restart"] == "no"


def test_api_can_be_scaled() -> None:
    """Two replicas need two ports and two names, so neither may be fixed."""
    api = OURS["api"]
    assert "container_name" not in api
    for published in api["ports"]:
        host, _, _ = published.rpartition(":")
        assert "-" in host


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_setting_reaches_the_container(name: str) -> None:
    """Each service reads deskgraph.env, whose example names every setting; three are fixed."""
    service = OURS[name]
    assert service["env_file"] == ["deskgraph.env"]
    named = set(re.findall(r"^#?(DESKGRAPH_\w+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert named == {variable(name) for name in Settings.model_fields}
    fixed = set(service["environment"]) - {"DESKGRAPH_SECRET_KEY"}
    assert fixed == {"DESKGRAPH_DATABASE_URL", "DESKGRAPH_HOST", "DESKGRAPH_PORT"}


def test_compose_asks_for_nothing_that_the_example_lacks() -> None:
    """Each variable of docker-compose.yml stands in the example, those without a default unset."""
    text = (ROOT / "docker-compose.yml").read_text()
    used = re.findall(r"\$\{(\w+)(:[?-])([^}]*)\}", text)
    assert used
    lines = EXAMPLE.read_text().splitlines()
    for name, kind, default in used:
        assert (f"{name}=" if kind == ":?" else f"#{name}={default}") in lines


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    """Taking the # off every line of the example changes no setting."""
    shown = [line.removeprefix("#") for line in EXAMPLE.read_text().splitlines()]
    filled = tmp_path / "deskgraph.env"
    filled.write_text("\n".join(line for line in shown if line.startswith("DESKGRAPH_")))
    assert Settings(_env_file=filled) == Settings(_env_file=None)


def test_secrets_stay_out_of_git() -> None:
    """The filled-in copy of the example is ignored by git and not sent to the image's builder."""
    assert "deskgraph.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert "!deskgraph.env" not in (ROOT / ".dockerignore").read_text().splitlines()


def test_a_stop_waits_longer_than_the_drain() -> None:
    """Docker kills after the grace period; the drain and the last traces must fit into it."""
    fields = Settings.model_fields
    needed: float = fields["drain_seconds"].default + fields["trace_flush_seconds"].default
    for service in OURS.values():
        found = re.fullmatch(r"\$\{STOP_GRACE_PERIOD:-(\d+)s\}", service["stop_grace_period"])
        assert found
        assert float(found[1]) > needed


def test_no_secret_is_written_down() -> None:
    """Each secret is required from outside or passed through, and none has a default."""
    assert not [key for key in image_env() if SECRET_NAME.search(key)]
    assert not arguments("ARG")
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            if SECRET_NAME.search(key):
                assert value is None or REQUIRED.match(value)
            elif isinstance(value, str) and "://" in value:
                assert re.search(r"://\w+:\$\{\w+:\?[^}]+\}@", value)
    api = OURS["api"]["environment"]
    assert REQUIRED.match(api["DESKGRAPH_SECRET_KEY"]), "cursors of replicas must fit each other"
    assert REQUIRED.match(SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"])
