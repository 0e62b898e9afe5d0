"""What a version of a policy changed, one line a rule."""

import json
from typing import Any

from graphs.policy import Policy


def changed_lines(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Each rule whose value is another one, old and new; what was never set has its default."""
    old, new = (Policy.model_validate(body).model_dump(mode="json") for body in (before, after))
    return [
        f"{name}: {json.dumps(old[name], ensure_ascii=False)} → "
        f"{json.dumps(value, ensure_ascii=False)}"
        for name, value in new.items()
        if old[name] != value
    ]
