"""What Prometheus gets from a process of the service."""

import json
from typing import NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.stack import Process
from tests.tls import TLS


class Scraped(NamedTuple):
    """The samples of one scrape: name, labels, value; and each family's type."""

    samples: list[tuple[str, dict[str, str], float]]
    families: dict[str, str]

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with these labels."""
        return sum(
            value
            for found, own, value in self.samples
            if found == name and labels.items() <= own.items()
        )

    def names(self) -> set[str]:
        """What can be asked for, also of families without a sample yet."""
        ends = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
        declared = {f"{name}{end}" for name, kind in self.families.items() for end in ends[kind]}
        return declared | {name for name, _, _ in self.samples}


def scrape(url: str) -> Scraped:
    """What Prometheus gets from that address."""
    answer = httpx.get(url, timeout=30, verify=TLS).raise_for_status()
    families = list(text_string_to_metric_families(answer.text))
    samples = [(s.name, s.labels, s.value) for family in families for s in family.samples]
    kinds = {f.name: f.type for f in families if f.type in ("histogram", "counter", "gauge")}
    return Scraped(samples, kinds)


def url_of(process: Process) -> str:
    """Where the process shows its metrics, by its log."""
    process.wait_for_line("metrics_started")
    lines = map(json.loads, process.log.read_text().splitlines())
    [url] = [line["url"] for line in lines if line["event"] == "metrics_started"]
    return str(url)
