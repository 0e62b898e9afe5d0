"""Chat models from any OpenAI-compatible server."""

from langchain_core.language_models import BaseChatModel

from app.models.offline import OfflineChatModel
from app.settings import Settings
from graphs.context import Models


def build_models(settings: Settings) -> Models:
    """One model for each role; without a key the offline model plays them all."""
    offline = OfflineChatModel()
    if settings.openai_api_key is None:
        return Models(fast=offline, strong=offline, fallback=offline)
    return Models(
        fast=_openai(settings, settings.fast_model),
        strong=_openai(settings, settings.strong_model),
        fallback=offline,
    )


def _openai(settings: Settings, model: str) -> BaseChatModel:
    # Half a second of start that the offline model does without.
    from app.models.openai_chat import OpenAIChatModel  # noqa: PLC0415

    return OpenAIChatModel(
        model=model,
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        timeout=settings.model_timeout_seconds,
        # The graph retries, where it can be seen; a retry inside the client cannot.
        max_retries=0,
        stream_usage=True,
    )
