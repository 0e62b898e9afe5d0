"""Chat models from any OpenAI-compatible server, and a process's pool of them."""

from typing import Literal

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from app.log import get_logger
from app.models.offline.chat_model import OfflineChatModel
from app.settings import Settings
from graphs.context import Models
from graphs.llm.circuit_breaker import Circuit
from graphs.llm.pool import ModelPool, open_pool

log = get_logger(__name__)


def build_models(settings: Settings) -> Models:
    """One model for each role; without a key the offline model plays them all."""
    offline = OfflineChatModel()
    key, url = settings.openai_api_key, settings.openai_base_url
    if key is None:
        return Models(fast=offline, strong=offline, fallback=offline)
    fast = _openai(settings, settings.fast_model, key, url)
    same = settings.strong_model == settings.fast_model
    second = None
    if settings.fallback_model:
        own_key, own_url = settings.fallback_api_key or key, settings.fallback_base_url or url
        second = _openai(settings, settings.fallback_model, own_key, own_url)
    verify = None
    if settings.verify_model:
        own_key, own_url = settings.verify_api_key or key, settings.verify_base_url or url
        wire = settings.verify_wire
        verify = _openai(settings, settings.verify_model, own_key, own_url, wire=wire)
    return Models(
        fast=fast,
        strong=fast if same else _openai(settings, settings.strong_model, key, url),
        fallback=offline,
        second=second,
        verify=verify,
    )


def build_pool(settings: Settings) -> ModelPool:
    """The models with a circuit for each, which live as long as the process."""
    return open_pool(
        build_models(settings),
        lambda model: Circuit(
            settings.circuit_failures,
            settings.circuit_pause_seconds,
            on_change=lambda is_open: _tell(model, is_open=is_open),
        ),
        calls_per_tenant=settings.model_calls_per_tenant,
        wait_seconds=settings.model_wait_seconds,
    )


def _tell(model: str, *, is_open: bool) -> None:
    if is_open:
        log.warning("circuit_opened", model=model)
    else:
        log.info("circuit_closed", model=model)


def _openai(
    settings: Settings,
    model: str,
    key: SecretStr,
    url: str | None,
    *,
    wire: Literal["json", "minicheck"] = "json",
) -> BaseChatModel:
    # Half a second of start that the offline model does without.
    from app.models.minicheck import MiniCheckModel  # noqa: PLC0415
    from app.models.openai_chat import OpenAIChatModel  # noqa: PLC0415

    kind = OpenAIChatModel if wire == "json" else MiniCheckModel
    return kind(
        model=model,
        api_key=key,
        base_url=url,
        timeout=settings.model_timeout_seconds,
        # The graph retries, where it can be seen; a retry inside the client cannot.
        max_retries=0,
        stream_usage=True,
    )
