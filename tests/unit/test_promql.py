"""The reader of expressions finds what the laws of docs/monitoring hold against the service."""

import pytest

from tests.promql import named


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("max(a_total) > 60", {"a_total"}, set()),
        ('sum by (node, le) (rate(a_bucket{b!="x{y}"}[5m]))', {"a_bucket"}, {"b", "node", "le"}),
        ("a / on (x) group_left b and 0.5 * c or d", {"a", "b", "c", "d"}, {"x"}),
        ("f(0.95, sum by(le)(rate(a_bucket[$__rate_interval])))", {"a_bucket"}, {"le"}),
        ("1e3 * a", {"a"}, set()),
    ],
)  # fmt: skip
def test_names_of_an_expression(expression: str, metrics: set[str], labels: set[str]) -> None:
    """Metrics and labels; no function, keyword, number, range or text."""
    found = named(expression)
    assert found.metrics == metrics
    assert found.labels == labels
