"""What Prometheus reads of a running service, and what docs/monitoring makes of it."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import yaml

from app.api import application
from app.observability import database_metrics, metrics
from tests.acceptance.own_database import tenant_on
from tests.acceptance.scraping import scrape, url_of
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import until
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving
from tests.promql import named
from tests.tls import TLS
from tests.unit.test_docs import ROOT, slugs, table

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
ALERTS = ROOT / "docs/monitoring/alerts.yaml"
DASHBOARD = ROOT / "docs/monitoring/grafana.json"
# What Prometheus adds to each sample.
ADDED = {"le", "job", "instance"}
# Words of labels that would make one time series a run, a ticket or a tenant.
IDS = re.compile(r"(^|_)(id|tenant|ticket|thread|run|customer|key)(_|$)")


class Service(NamedTuple):
    """A service whose processes show their metrics."""

    stack: Stack
    api: str
    worker: str


@pytest.fixture(scope="module")
def models() -> OpenAIDouble:
    """The provider."""
    return OpenAIDouble()


@pytest.fixture(scope="module")
def service(
    own_url: str, models: OpenAIDouble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """An API and a worker with a port for metrics each."""
    folder = Path(tmp_path_factory.mktemp("metrics"))
    with serving(models.app) as provider:
        env = {
            "DESKGRAPH_METRICS_PORT": "0",
            "DESKGRAPH_OPENAI_API_KEY": "openai-key",
            "DESKGRAPH_OPENAI_BASE_URL": f"{provider}/v1",
        }
        with running(Stack(own_url, folder, **env)) as stack:
            api, worker = stack.api(), stack.worker()
            yield Service(stack, url_of(api), url_of(worker))


@pytest.fixture
def stack(service: Service) -> Stack:
    """The processes."""
    return service.stack


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on the database."""
    return await tenant_on(own_url, articles=False)


def test_totals_are_those_of_the_runs(
    service: Service, starter: Client, approver: Client, models: OpenAIDouble
) -> None:
    """A failed try, a pause, a decision, an end: each counted once; tokens and cost to the cent."""
    before = scrape(service.worker)
    models.failures["Classification"] = 1
    paused = starter.start("cus_ann", TWICE)
    assert paused["status"] == "interrupted"
    approver.decide(paused, "approve").raise_for_status()
    done = starter.run(paused["id"])
    assert done["outcome"] == "acted"

    def grown(name: str, **labels: str) -> float:
        return scrape(service.worker).total(name, **labels) - before.total(name, **labels)

    until(lambda: grown("deskgraph_runs_settled_total") == 2)
    assert grown("deskgraph_runs_settled_total", status="interrupted") == 1
    assert grown("deskgraph_runs_settled_total", status="success", outcome="acted") == 1
    assert grown("gen_ai_workflow_duration_seconds_count", error_type="") == 2
    assert grown("deskgraph_node_duration_seconds_count", node="approve", status="interrupted") == 1
    assert grown("deskgraph_node_retries_total", node="classify") == 1
    assert grown("gen_ai_client_token_usage_sum") == done["tokens"] > 0
    assert grown("deskgraph_model_cost_usd_total") == pytest.approx(done["cost_usd"], rel=1e-9)
    calls = "gen_ai_client_operation_duration_seconds_count"
    assert grown(calls, gen_ai_provider_name="openai") > grown(calls, error_type="") > 0
    assert (
        grown("gen_ai_execute_tool_duration_seconds_count", gen_ai_tool_name="refund_payment") == 1
    )
    assert grown("deskgraph_run_queue_seconds_count") == 2
    decided = scrape(service.api).total("deskgraph_approval_wait_seconds_count", verdict="approve")
    assert decided >= 1


def test_queue_and_approvals_are_read_from_the_database(service: Service, starter: Client) -> None:
    """On each process the same: a run that waits for a person shows, with how long it has."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    for url in (service.api, service.worker):
        until(lambda url=url: scrape(url).total("deskgraph_runs_waiting_approval") >= 1)  # type: ignore[misc]
        assert scrape(url).total("deskgraph_approval_oldest_seconds") > 0
        assert scrape(url).total("deskgraph_queue_depth") == 0


def test_due_run_without_a_worker_shows_its_age(
    migrated_database: Callable[[], str], tmp_path: Path
) -> None:
    """The figure that says that a worker is missing; it needs an API alone."""
    url = migrated_database()
    own = asyncio.run(tenant_on(url, articles=False))
    with running(Stack(url, tmp_path)) as alone:
        alone.api()
        shown = f"{alone.url}/metrics"
        assert scrape(shown).total("deskgraph_queue_depth") == 0
        alone.client(own.starter).start("cus_ann", TWICE, wait=0)
        until(lambda: scrape(shown).total("deskgraph_queue_depth") == 1)
        assert scrape(shown).total("deskgraph_queue_oldest_seconds") > 0


def test_metrics_port_of_an_api_is_the_only_place(service: Service) -> None:
    """A caller of the API reads no figures there, nor calls the API at the other port."""
    assert httpx.get(f"{service.stack.url}/metrics", verify=TLS).status_code == 404
    assert "127.0.0.1" in service.api
    assert (
        httpx.get(service.api.removesuffix("/metrics") + "/v1/runs", verify=TLS).status_code == 404
    )


def test_no_label_is_an_id(service: Service, starter: Client, tenant: Tenant) -> None:
    """Neither by its name nor by its value: a series a ticket would fill Prometheus' memory."""
    run = starter.start("cus_ann", TWICE, "T-label")
    for url in (service.api, service.worker):
        for name, labels, _ in scrape(url).samples:
            assert not any(IDS.search(label) for label in labels), name
            for value in labels.values():
                assert value not in (run["id"], run["thread_id"], "T-label", "cus_ann", tenant.id)


def test_taken_port_is_named(own_url: str, tmp_path: Path, service: Service) -> None:
    """A second worker of the machine needs a port of its own, and says so."""
    taken = service.worker.split(":")[2].split("/")[0]
    with running(Stack(own_url, tmp_path, DESKGRAPH_METRICS_PORT=taken)) as second:
        process = second._start("worker", "worker")
        assert process.wait() == 1
    assert "DESKGRAPH_METRICS_PORT" in process.log.read_text()


def test_page_lists_every_metric(service: Service) -> None:
    """The table of docs/operations.md is what the service shows, no more and no less."""
    listed = {
        re.sub(r" \(.*", "", name).strip("`").removesuffix("_total")
        for cells in table("docs/operations.md", "## Metrics")
        for name in cells[0].split(", ")
    }
    shown = {
        name.removesuffix("_total")
        for name in scrape(service.worker).families
        if not name.endswith("_created") and not name.startswith(("process_", "python_"))
    }
    assert listed - {"process_*", "python_*"} == shown


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, without the rows between them."""
    dashboard = json.loads(DASHBOARD.read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """All of both files."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*shown, *(rule["expr"] for rule in rules())]


def test_expressions_name_metrics_and_labels_that_exist(service: Service) -> None:
    """Each is served by API or worker, with those labels on one of its samples or its family."""
    scraped = [scrape(service.api), scrape(service.worker)]
    names = set().union(*(found.names() for found in scraped))
    known = {
        label
        for module in (application, database_metrics, metrics)
        for found in vars(module).values()
        for label in getattr(found, "_labelnames", ())
    }
    assert len(expressions()) > 40
    for expression in expressions():
        found = named(expression)
        assert found.metrics, expression
        assert found.metrics <= names, found.metrics - names
        assert found.labels <= known | ADDED, found.labels - known
    shown = set().union(*(named(expression).metrics for expression in expressions()))
    assert len(shown) > 20


def test_dashboard_is_what_grafana_loads() -> None:
    """A title, a schema version, panels that do not overlap, and a query with a source in each."""
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 36
    assert [variable["type"] for variable in dashboard["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells, panel["title"]
        cells |= own
    for panel in panels():
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert target["legendFormat"]


def test_alert_says_what_to_do_and_where_to_read() -> None:
    """A person who is woken reads a sentence, an action, and a page that is there."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) >= 10
    for rule in rules():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        notes = rule["annotations"]
        assert notes["summary"].endswith(".")
        assert notes["action"].endswith(".")
        page, _, anchor = notes["runbook_url"].partition("#")
        assert (ROOT / page).is_file(), page
        assert not anchor or anchor in slugs(ROOT / page), notes["runbook_url"]


def test_prometheus_itself_accepts_rules_and_queries(tmp_path: Path) -> None:
    """By its own checker, where apt installed it; a query of the dashboard as a rule's."""
    checker = shutil.which("promtool")
    if checker is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    recorded = [
        {"record": f"dashboard:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries)
    ]
    group = {"groups": [{"name": "dashboard", "rules": recorded}]}
    shown = tmp_path / "dashboard.yaml"
    shown.write_text(yaml.safe_dump(group))
    done = subprocess.run(
        [checker, "check", "rules", ALERTS, shown], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr + done.stdout
