"""Which embedder the settings name: a file's, a server's, or none."""

from app.adapters.ports.embeddings import Embedder, TextEmbedder
from app.adapters.ports.embeddings_file import load_embedder
from app.settings import Settings

OPENAI = "https://api.openai.com/v1"


def build_embedder(settings: Settings) -> TextEmbedder | None:
    """The embedder of the settings; None without a model.

    OpenAI's key goes to no other server than the one it was set for.

    Raises:
        EmbeddingsFileError: the file cannot be used; says why.
    """
    if settings.embeddings_file is not None:
        return load_embedder(settings.embeddings_file, settings.embeddings_sha256 or "")
    if settings.embeddings_model is None:
        return None
    url = settings.embeddings_base_url or settings.openai_base_url or OPENAI
    key = settings.embeddings_api_key
    if key is None and settings.embeddings_base_url is None:
        key = settings.openai_api_key
    return Embedder(
        url.rstrip("/"),
        settings.embeddings_model,
        key.get_secret_value() if key else None,
        settings.embeddings_timeout_seconds,
    )
