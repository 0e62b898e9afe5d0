"""A sentence model in a file: compared with its hash, loaded, and asked outside the event loop."""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.adapters.ports.embeddings_file import BATCH, EmbeddingsFileError, load_embedder
from app.settings import Settings
from tests.doubles.tiny_sentence_model import archive

WORDS = {"wages": (1.0, 0.0), "salary": (1.0, 0.0), "bicycle": (0.0, 2.0)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file of three words."""
    path = tmp_path / "tiny.zip"
    path.write_bytes(archive(WORDS))
    return path


def sha256(path: Path) -> str:
    """What the operator would set."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_each_text_has_a_vector_of_length_one(model: Path) -> None:
    """In the order of the texts, however many there are and however long each is."""
    embedder = load_embedder(model, sha256(model).upper())
    texts = ["Salary", "bicycle bicycle", "wages bicycle bicycle"] * BATCH
    found = await embedder.embed(texts)
    expected = [[1.0, 0.0], [0.0, 1.0], [1 / 17**0.5, 4 / 17**0.5]] * BATCH
    assert len(found) == len(texts)
    for vector, wanted in zip(found, expected, strict=True):
        assert vector == pytest.approx(wanted, abs=1e-6)
    assert embedder.model == f"file:{sha256(model)}"


async def test_text_without_a_known_word_has_a_vector_too(model: Path) -> None:
    """Of zeros: it is near to nothing, and breaks nothing."""
    assert await load_embedder(model, sha256(model)).embed(["quokka", ""]) == [[0, 0], [0, 0]]


def test_another_hash_is_refused(model: Path) -> None:
    """Both hashes are named, and nothing of the file is loaded."""
    with pytest.raises(EmbeddingsFileError, match=f"{sha256(model)}.*{'0' * 64}"):
        load_embedder(model, "0" * 64)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(EmbeddingsFileError, match=r"none\.zip"):
        load_embedder(tmp_path / "none.zip", "0" * 64)


@pytest.mark.parametrize("names", [[], ["model.onnx"], ["model.onnx", "tokenizer.json"]])
def test_file_that_is_no_model_is_refused(tmp_path: Path, names: list[str]) -> None:
    """No archive, an archive without a tokenizer, and one of other things."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as parts:
        for name in names:
            parts.writestr(name, b"not a model")
    path = tmp_path / "other.zip"
    path.write_bytes(packed.getvalue() if names else b"text")
    with pytest.raises(EmbeddingsFileError, match=r"other\.zip"):
        load_embedder(path, sha256(path))


def test_missing_extra_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    load_embedder.cache_clear()
    with pytest.raises(EmbeddingsFileError, match=r"pip install 'deskgraph\[embeddings\]'"):
        load_embedder(model, sha256(model))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "needs DESKGRAPH_EMBEDDINGS_SHA256"),
        ({"embeddings_sha256": "0" * 64, "embeddings_model": "m"}, "not both"),
        ({"embeddings_sha256": "abc"}, "pattern"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, str], message: str) -> None:
    """A file needs a hash, and excludes a server's model."""
    with pytest.raises(ValidationError, match=message):
        Settings(embeddings_file=Path("model.zip"), **changes)  # type: ignore[arg-type]
