"""A stand-in for `POST /v1/embeddings`: each word is a direction, and synonyms share one."""

import hashlib
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from graphs.text.tokens import WORD

SYNONYMS = {"salary": "wages"}


class EmbeddingsDouble:
    """`dimensions` and `status` are its manners; it keeps what is asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.dimensions = 64
        self.status = 200
        self.app = FastAPI()
        self.app.add_api_route("/v1/embeddings", self._embed, methods=["POST"])

    def vector(self, text: str) -> list[float]:
        """The same text, the same vector."""
        values = [0.0] * self.dimensions
        values[0] = 0.01
        for word in set(WORD.findall(text.casefold())):
            name = SYNONYMS.get(word, word)
            digest = hashlib.sha256(name.encode()).digest()
            values[int.from_bytes(digest[:4]) % self.dimensions] += 1.0
        return values

    async def _embed(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys.add(request.headers.get("authorization"))
        if self.status != 200:
            return JSONResponse({"error": {"message": "exploded"}}, self.status)
        rows = [{"index": i, "embedding": self.vector(t)} for i, t in enumerate(body["input"])]
        return JSONResponse({"data": rows[::-1], "model": body["model"]})
