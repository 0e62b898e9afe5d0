"""Texts to vectors, through any OpenAI-compatible server's `POST /embeddings`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from app.settings import Settings

OPENAI = "https://api.openai.com/v1"
# A text longer than a chunk of this size in characters is cut: no server takes any length.
MAX_CHARS = 6000

Vector = list[float]


class EmbeddingsError(Exception):
    """The server did not answer with one vector a text; the message says what it did."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """One model at one server; texts go as they are, without token ids only OpenAI knows."""

    url: str
    model: str
    key: str | None
    timeout_seconds: float

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in their order. Raises EmbeddingsError."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        body = {
            "model": self.model,
            "input": [text[:MAX_CHARS] for text in texts],
            "encoding_format": "float",
        }
        try:
            async with httpx.AsyncClient(timeout=self.timeout_seconds) as client:
                answer = await client.post(f"{self.url}/embeddings", json=body, headers=headers)
                rows = answer.raise_for_status().json()["data"]
                ordered = sorted(rows, key=lambda row: int(row["index"]))
                vectors = [[float(value) for value in row["embedding"]] for row in ordered]
        except httpx.HTTPError as error:
            raise EmbeddingsError(f"{type(error).__name__}: {error}"[:300]) from None
        except (ValueError, KeyError, TypeError) as error:
            # Its message would quote the answer, which may quote what was asked.
            raise EmbeddingsError(f"the answer holds no vectors ({type(error).__name__})") from None
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise EmbeddingsError(f"{len(vectors)} vectors came for {len(texts)} texts")
        if not all(vector and all(map(math.isfinite, vector)) for vector in vectors):
            raise EmbeddingsError("a vector is empty or not finite")
        return vectors


def build_embedder(settings: Settings) -> Embedder | None:
    """The embedder of the settings; None without a model.

    OpenAI's key goes to no other server than the one it was set for.
    """
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
