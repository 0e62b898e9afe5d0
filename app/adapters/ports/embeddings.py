"""Texts to vectors: what a search needs, and any OpenAI-compatible server's `POST /embeddings`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from app.adapters.tls import tls_context

# A text longer than a chunk of this size in characters is cut: no server takes any length.
MAX_CHARS = 6000

Vector = list[float]


class EmbeddingsError(Exception):
    """There is not one vector a text; the message says what the server or the model did."""


class TextEmbedder(Protocol):
    """Turns texts into vectors; those of two models cannot be compared, so each has a name."""

    @property
    def model(self) -> str:
        """The model's name, stored with each vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in their order. Raises EmbeddingsError."""
        ...


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
            async with httpx.AsyncClient(
                verify=tls_context(), timeout=self.timeout_seconds
            ) as client:
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
