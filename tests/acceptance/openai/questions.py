"""What the tests of the provider ask, and how they read what came of it."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.acceptance.stack import Client
from tests.conftest import Tenant
from tests.doubles.openai_double import TRIAGE

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
E42 = "My upload fails with error E42. How do I fix it?"
# The first sentence of the article that answers it.
MEANING = (
    "Error E42 means that your upload is larger than the storage your workspace has left, "
    "or that the browser lost the upload session before the file was complete."
)
TECHNICAL = TRIAGE | {"intents": ["technical"]}
FAST, STRONG = "gpt-5-nano", "gpt-5-mini"


def steps(client: Client, run: Any) -> dict[str, Any]:
    """The last execution of each node."""
    listed = client.http.get(f"/v1/runs/{run['id']}/steps").raise_for_status().json()["items"]
    return {step["node"]: step for step in listed}


def set_policy(url: str, tenant: Tenant, **values: Any) -> None:
    """The tenant's policy from now on."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO policies (tenant_id, version, body, created_by)"
            " SELECT %(tenant)s, coalesce(max(version), 0) + 1, %(body)s, 'test' FROM policies"
            " WHERE tenant_id = %(tenant)s",
            {"tenant": tenant.id, "body": Jsonb(values)},
        )
