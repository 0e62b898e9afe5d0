"""A believable example of every answer of /v1/stats; a test checks each."""

from typing import Any

from app.api.http.openapi_examples import RUN_ID

TIMES: dict[str, Any] = {
    "window": "24h",
    "before_since": "2026-11-20T09:00:00Z",
    "since": "2026-11-21T09:00:00Z",
    "until": "2026-11-22T09:00:00Z",
}
HERE = "2026-11-21T09%3A00%3A00Z"
THERE = "2026-11-22T09%3A00%3A00Z"
HAPPENED = f"happened_from={HERE}&happened_before={THERE}"
FINISHED = f"finished_from={HERE}&finished_before={THERE}"


def _spread(count: int, p50: int, p95: int, p99: int) -> dict[str, Any]:
    return {"count": count, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def _counted(kind: str, count: int, filters: str | None) -> dict[str, Any]:
    runs = filters and f"/v1/runs?{filters}"
    return {"kind": kind, "count": count, "run_id": RUN_ID, "runs": runs}


def _share(kind: str, count: int, share: float, filters: str) -> dict[str, Any]:
    return {**_counted(kind, count, filters), "share": share}


NODE: dict[str, Any] = {
    "node": "billing",
    "runs": f"/v1/runs?node=billing&{HAPPENED}",
    "attempts": 412,
    "success_rate": 0.9976,
    "failed": 1,
    "paused": 0,
    "stopped": 0,
    "retries": 3,
    "took": _spread(412, 840, 2310, 4120),
    "tokens": 310_240,
    "cost_usd": 0.4321,
    "cost_per_attempt_usd": 0.00105,
    "unpriced": 0,
    "errors": [
        _counted(
            "PaymentsAwayError", 1,
            f"failed_node=billing&error_type=PaymentsAwayError&{HAPPENED}",
        )
    ],
}  # fmt: skip
ALL_NODES = {**NODE, "node": "all", "runs": None}
NODES = {
    **TIMES,
    "total": ALL_NODES,
    "nodes": [NODE],
    "total_before": ALL_NODES,
    "nodes_before": [],
}
MODEL: dict[str, Any] = {
    "model": "gpt-5-mini",
    "runs": f"/v1/runs?model=gpt-5-mini&{HAPPENED}",
    "calls": 930,
    "success_rate": 0.9989,
    "failed": 1,
    "repairs": 2,
    "took": _spread(930, 610, 1900, 3300),
    "tokens": 702_118,
    "cached_calls": 410,
    "cached_tokens": 201_000,
    "cost_usd": 0.8123,
    "unpriced": 0,
    "nodes": [
        {"node": "billing", "calls": 412, "cost_usd": 0.4321, "runs": NODE["runs"]},
    ],
    "errors": [
        _counted("APITimeoutError", 1, f"model=gpt-5-mini&model_error=APITimeoutError&{HAPPENED}")
    ],
    "fallbacks": [
        _counted("circuit_open", 4, f"model=gpt-5-mini&fallback=circuit_open&{HAPPENED}")
    ],
}
ALL_MODELS = {**MODEL, "model": "all", "runs": None}
MODELS = {
    **TIMES,
    "total": ALL_MODELS,
    "models": [MODEL],
    "total_before": ALL_MODELS,
    "models_before": [],
}
RUN_FIGURES: dict[str, Any] = {
    "runs": 400,
    "success_rate": 0.9975,
    "took": _spread(400, 2100, 5400000, 9100000),
    "queue": _spread(400, 40, 210, 900),
    "active": _spread(400, 1900, 5200, 8100),
    "human": _spread(31, 1_260_000, 5_400_000, 9_000_000),
    "tokens": 702_118,
    "cost_usd": 0.8123,
    "cost_per_run_usd": 0.00203,
    "unpriced": 0,
    "replays": 2,
    "replays_cost_usd": 0.0031,
    "merged": 5,
    "marks": [_counted("cache_hit", 38, f"mark=cache_hit&replays=false&{FINISHED}")],
    "errors": [_counted("timeout", 1, f"error_type=timeout&replays=false&{FINISHED}")],
}
RUNS = {
    **TIMES,
    "total": RUN_FIGURES,
    "total_before": RUN_FIGURES,
    "queue_now": {"waiting": 3, "oldest_seconds": 2},
}
APPROVAL: dict[str, Any] = {
    "kind": "plan",
    "ended": 31,
    "edit_rate": 0.0968,
    "reject_rate": 0.0645,
    "wait": _spread(31, 1_260_000, 5_400_000, 9_000_000),
    "verdicts": [_counted("approved", 26, f"approval=approved&{HAPPENED}")],
    "decisions": 33,
    "fast": _share("fast_decision", 2, 0.0606, f"mark=fast_decision&{HAPPENED}"),
    "rubber_stamp": False,
}
ALL_APPROVALS = {**APPROVAL, "kind": "all"}
APPROVALS = {
    **TIMES,
    "total": ALL_APPROVALS,
    "kinds": [APPROVAL],
    "total_before": ALL_APPROVALS,
    "kinds_before": [],
}
ANSWER_FIGURES: dict[str, Any] = {
    "runs": 400,
    "outcomes": [_share("answered", 310, 0.775, f"outcome=answered&replays=false&{FINISHED}")],
    "reopened": _share("reopened", 12, 0.03, f"mark=reopened&{FINISHED}"),
}
ANSWERS = {**TIMES, "total": ANSWER_FIGURES, "total_before": ANSWER_FIGURES}
CONNECTION: dict[str, Any] = {
    "connection_id": "cn_5b0f2f1d7a3c",
    "name": "Help desk",
    "runs": f"/v1/runs?connection=cn_5b0f2f1d7a3c&created_from={HERE}&created_before={THERE}",
    "hooks": [_counted("received", 420, None)],
    "deliveries": [_counted("sent", 350, None)],
    "effects": [],
    "success_rate": 1.0,
    "retries": 3,
    "took": _spread(350, 310, 900, 2100),
}
CONNECTIONS = {**TIMES, "connections": [CONNECTION], "connections_before": []}
# Of the parameters that lead from a figure to its runs.
PARAMETERS: dict[str, Any] = {
    "window": "24h",
    "finished_from": TIMES["since"],
    "finished_before": TIMES["until"],
    "cost_from": 0.05,
    "mark": "refused",
    "replays": False,
    "node": "billing",
    "failed_node": "billing",
    "error_type": "timeout",
    "model": "gpt-5-mini",
    "model_error": "APITimeoutError",
    "fallback": "circuit_open",
    "approval": "edited",
    "approval_kind": "plan",
    "connection": "con_k5zq3v7hx2m4np6a",
    "happened_from": TIMES["since"],
    "happened_before": TIMES["until"],
}
