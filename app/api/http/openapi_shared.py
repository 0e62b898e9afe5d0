"""Gives shapes that occur more than once in the OpenAPI document one name each.

FastAPI writes a `Literal` and a free object out wherever they occur, and a client made from the
document then has as many classes for them.
"""

import json
from typing import Any, get_args

from app.api.schemas.callbacks import CALLBACK_EVENTS
from app.api.schemas.runs import ExpandRun
from app.api.schemas.stats import Window
from graphs.policy import Mode

Shape = dict[str, Any]
REF = "#/components/schemas/{model}"
# The name of a shape, and a model's field that has it.
FIELDS = {
    "Outcome": ("RunOut", "outcome"),
    "Tier": ("RunOut", "tier"),
    "Ignored": ("RunOut", "ignored"),
    "QueuedReason": ("RunOut", "queued_reason"),
    "ApprovalKind": ("ApprovalOut", "kind"),
    "HandoffStatus": ("HandoffOut", "status"),
    "Urgency": ("HandoffOut", "urgency"),
    "CallbackStatus": ("CallbackOut", "status"),
    "FeedbackScale": ("FeedbackOut", "scale"),
    "ChangeStatus": ("PolicyChangeOut", "status"),
    "AuditKind": ("AuditEventOut", "kind"),
    "ConnectionRole": ("ConnectionOut", "role"),
    "ConnectionSettings": ("AddConnection", "settings"),
    "ConnectionCredentials": ("AddConnection", "credentials"),
    "Grounding": ("PolicyOut", "grounding"),
    "WithoutModel": ("PolicyOut", "without_model"),
    "TraceContent": ("PolicyOut", "trace_content"),
    "AmountByCurrency": ("PolicyOut", "refund_auto_limit"),
    "JsonObject": ("EffectOut", "args"),
    "CountByName": ("ErasureOut", "erased"),
    "Links": ("RunOut", "links"),
}
SHAPES: dict[str, Shape] = {
    "ExpandRun": {"enum": list(get_args(ExpandRun)), "type": "string"},
    "EventName": {"enum": list(CALLBACK_EVENTS), "type": "string"},
    "StatsWindow": {"enum": list(get_args(Window)), "type": "string"},
    "SendMode": {"enum": list(get_args(Mode)), "type": "string"},
    "NoData": {"maxProperties": 0, "type": "object"},
}
# What belongs to the place where a shape stands, and not to the shape.
OF_PLACE = ("title", "description", "default")
EXAMPLES = ("example", "examples", "default")


def name_shared_shapes(document: dict[str, Any]) -> None:
    """Put each shared shape into the components, and a reference wherever it occurs."""
    schemas = document["components"]["schemas"]
    shapes = SHAPES | {
        name: plain(schemas[model]["properties"][field]) for name, (model, field) in FIELDS.items()
    }
    names = {json.dumps(shape, sort_keys=True): name for name, shape in shapes.items()}
    document |= refer(document, names)
    document["components"]["schemas"] |= {
        name: {"title": name, **shape} for name, shape in shapes.items()
    }


def plain(field: Shape) -> Shape:
    """The shape of a field by itself; of one that may be null, the other half."""
    shape = field["anyOf"][0] if "anyOf" in field else field
    return {name: value for name, value in shape.items() if name not in OF_PLACE}


def refer(node: Any, names: dict[str, str]) -> Any:
    """The node with a reference for every shape that has a name."""
    if isinstance(node, list):
        return [refer(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    if "enum" in node or node.get("type") == "object":
        name = names.get(json.dumps(plain(node), sort_keys=True))
        if name is not None:
            said = {key: node[key] for key in ("description",) if key in node}
            return {"$ref": REF.format(model=name), **said}
    return {
        key: value if key in EXAMPLES else inner(key, value, names) for key, value in node.items()
    }


def inner(key: str, value: Any, names: dict[str, str]) -> Any:
    """What stands under a key; below `properties` the keys are names, such as `default`."""
    if key == "properties":
        return {name: refer(shape, names) for name, shape in value.items()}
    return refer(value, names)
