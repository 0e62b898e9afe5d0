"""A sentence model of a few words as an ONNX file: a word's vector stands in a table."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"


def archive(words: Mapping[str, Sequence[float]]) -> bytes:
    """The ZIP file that an operator would name; words that are not in it count as nothing."""
    dimensions = len(next(iter(words.values())))
    table = np.array([[0.0] * dimensions, *words.values()], dtype=np.float32)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as parts:
        parts.writestr("model.onnx", _model(table))
        parts.writestr("tokenizer.json", _tokenizer([UNKNOWN, *words]))
    return packed.getvalue()


def _model(table: np.ndarray) -> bytes:
    """`last_hidden_state` is the table's row of each token."""
    given = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "tokens"])
    shape = ["batch", "tokens", table.shape[1]]
    states = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    weights = [numpy_helper.from_array(table, "table")]
    graph = helper.make_graph(nodes, "tiny", [given, mask], [states], weights)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    return bytes(model.SerializeToString())


def _tokenizer(words: list[str]) -> str:
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str()
