"""`/` says where everything is; /docs is drawn by files of ours, as they were published."""

import hashlib
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.api.routes.index import FILES, FOLDER
from app.db.core.connections import Sessions, make_engine
from app.db.runs.queue import enqueue_run
from app.settings import Settings

ROOT = Path(__file__).parents[2]
VENDORED = FOLDER / "swagger-ui"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """The API without a database: none of this needs one."""
    app = create_app(Backend(Settings(_env_file=None), Sessions(), enqueue_run, Cursors("x")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as api:
        yield api


async def test_every_link_of_the_index_leads_somewhere(api: httpx.AsyncClient) -> None:
    """A client reads name, version and addresses; none of them is unknown."""
    answer = await api.get("/")
    document = answer.json()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (document["name"], document["version"], document["api"]) == (
        "deskgraph",
        project["version"],
        "/v1",
    )
    assert set(document["links"]) == {"docs", "openapi", "healthz", "readyz", "metrics"}
    for link in set(document["links"].values()) - {"/readyz", "/metrics"}:  # they read the database
        assert (await api.get(link)).status_code == 200, link


async def test_metrics_are_served_while_the_database_is_away() -> None:
    """Without the one gauge that is read from it."""
    engine = make_engine("postgresql+psycopg://unknown@127.0.0.1:1/none", 1)
    app = create_app(Backend(Settings(_env_file=None), Sessions(engine), enqueue_run, Cursors("x")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as api:
        answer = await api.get("/metrics")
    await engine.dispose()
    assert answer.status_code == 200
    assert "deskgraph_http_request_seconds" in answer.text
    assert "deskgraph_runs_ignored_last_hour{" not in answer.text


@pytest.mark.parametrize(
    ("accept", "status"), [(BROWSER, 303), ("*/*", 200), ("application/json", 200), ("", 200)]
)
async def test_browser_is_sent_to_the_reference(
    api: httpx.AsyncClient, accept: str, status: int
) -> None:
    """Who accepts HTML is redirected; caches keep the two answers apart."""
    answer = await api.get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Vary"]) == (status, "Accept")
    assert answer.headers.get("Location") == ("/docs" if status == 303 else None)


def test_vendored_files_are_those_that_were_published() -> None:
    """Every file but the list itself has the digest that the list holds."""
    lines = (VENDORED / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.name for path in VENDORED.iterdir()} - {"SHA256SUMS"}
    assert set(listed) == files
    assert {"LICENSE", "NOTICE"} < files
    for name, digest in listed.items():
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest, name


def test_files_are_part_of_the_package() -> None:
    """An installed service has them as well."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = config["tool"]["setuptools"]["package-data"]["app"]
    packed = {path for pattern in patterns for path in (ROOT / "app").glob(pattern)}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} <= packed


async def test_page_loads_files_of_ours_alone(api: httpx.AsyncClient) -> None:
    """The policy allows nothing inline and nothing from elsewhere, and the page needs neither."""
    page = await api.get("/docs")
    policy = dict(
        rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    for kind in ("script-src", "style-src", "connect-src"):
        assert policy[kind] == "'self'"
    assert "unsafe" not in str(policy)
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert {f"docs/{name}" for name in FILES} <= set(named)
    for link in named:
        assert link == "data:," or (await api.get(f"/{link}")).status_code == 200, link
    assert not re.search(r"<script>|<style|style=|\son\w+=|https?://", page.text)


@pytest.mark.parametrize("name", FILES)
async def test_file_is_served_with_its_type(api: httpx.AsyncClient, name: str) -> None:
    """As a browser that does not guess types needs it."""
    answer = await api.get(f"/docs/{name}")
    expected = "text/css" if name.endswith(".css") else "text/javascript"
    assert answer.headers["Content-Type"].startswith(expected)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content == FILES[name].read_bytes()
