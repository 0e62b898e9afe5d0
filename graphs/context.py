"""What is lent to a run and never stored: its caller, its policy, the models and the door."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from langchain_core.language_models import BaseChatModel

from graphs.policy import Policy
from tools.ports import Caller
from tools.toolbox import Toolbox

Role = Literal["fast", "strong"]


@dataclass(frozen=True, slots=True)
class Models:
    """Chat models by role; `fallback` answers when a provider does not."""

    fast: BaseChatModel
    strong: BaseChatModel
    fallback: BaseChatModel


@dataclass(frozen=True, slots=True)
class SupportContext:
    """`toolbox(node)` is the door as that node may use it."""

    caller: Caller
    policy: Policy
    models: Models
    toolbox: Callable[[str], Toolbox]
