"""Texts to vectors by a model in a file of the operator, on this machine; nothing is downloaded."""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from app.adapters.ports.embeddings import EmbeddingsError, Vector

# What the archive holds, under the names that models are published with.
MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
# Sentence models are trained on texts of this length; a longer one is cut.
MAX_TOKENS = 256
# Texts of one call: more take memory, let a question wait, and do not go faster on a CPU.
BATCH = 8
# A text without spaces is no sentence; to cut it into tokens takes more than linear time.
MAX_CHARS = 2000
NO_EXTRA = "DESKGRAPH_EMBEDDINGS_FILE needs: pip install 'deskgraph[embeddings]'"


class EmbeddingsFileError(Exception):
    """The file that the operator named cannot be used; the message says why."""


class FileEmbedder:
    """A sentence model: its vectors are the mean over a text's tokens, of length one."""

    def __init__(self, archive: bytes, sha256: str) -> None:
        """Load both parts. Raises EmbeddingsFileError."""
        try:
            import numpy as np  # noqa: PLC0415  # all three come with the extra alone
            import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415
            import tokenizers  # noqa: PLC0415
        except ImportError:
            raise EmbeddingsFileError(NO_EXTRA) from None
        self.model = f"file:{sha256}"
        self._np: Any = np
        self._one_at_a_time = Lock()
        model, tokenizer = _parts(archive)
        try:
            options = onnxruntime.SessionOptions()
            # Its threads would wait for work in a loop that takes a core from everything else.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer.decode())
        except Exception as error:  # noqa: BLE001  # both raise classes of their own, or plain ones
            raise EmbeddingsFileError(f"the model cannot be read: {error}"[:300]) from None
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in their order, made outside the event loop.

        Raises:
            EmbeddingsError: the model does not give one vector a token.
        """
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        vectors: list[Vector] = []
        for batch in _batches(texts):
            # Between two batches of articles, a customer's question gets its turn.
            with self._one_at_a_time:
                vectors += self._means(batch)
        return vectors

    def _means(self, texts: Sequence[str]) -> list[Vector]:
        np = self._np
        tokens = self._tokenizer.encode_batch([text[:MAX_CHARS] for text in texts])
        mask = np.array([one.attention_mask for one in tokens], dtype=np.int64)
        ids = np.array([one.ids for one in tokens], dtype=np.int64)
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {given.name: known.get(given.name) for given in self._session.get_inputs()}
        try:
            states = self._session.run(None, wanted)[0]
            means = (states * mask[..., None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
            lengths = np.linalg.norm(means, axis=1, keepdims=True)
            vectors: list[Vector] = (means / np.maximum(lengths, 1e-12)).astype(float).tolist()
        except Exception as error:  # noqa: BLE001  # a model may ask for anything
            raise EmbeddingsError(f"the model failed ({type(error).__name__})") from None
        return vectors


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def _parts(archive: bytes) -> tuple[bytes, bytes]:
    """The model and its tokenizer. Raises EmbeddingsFileError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as parts:
            return parts.read(MODEL), parts.read(TOKENIZER)
    except (zipfile.BadZipFile, KeyError):
        raise EmbeddingsFileError(f"is no ZIP archive with {MODEL} and {TOKENIZER}") from None


@lru_cache(maxsize=1)
def load_embedder(path: Path, sha256: str) -> FileEmbedder:
    """The embedder of a file, loaded once a process, after its hash was compared.

    Raises:
        EmbeddingsFileError: no such file, another hash, no extra, or not a model.
    """
    try:
        archive = path.read_bytes()
    except OSError as error:
        raise EmbeddingsFileError(f"DESKGRAPH_EMBEDDINGS_FILE: {error.strerror}: {path}") from None
    found = hashlib.sha256(archive).hexdigest()
    if found != sha256.lower():
        raise EmbeddingsFileError(
            f"DESKGRAPH_EMBEDDINGS_FILE: {path} has the SHA-256 {found},"
            f" and DESKGRAPH_EMBEDDINGS_SHA256 says {sha256}; nothing of it was loaded"
        )
    try:
        return FileEmbedder(archive, found)
    except EmbeddingsFileError as error:
        raise EmbeddingsFileError(f"{path}: {error}") from None
