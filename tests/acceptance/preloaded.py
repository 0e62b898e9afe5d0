"""What the server that the processes of stacks are forked from does before any of them starts.

Only that server imports it: a process then needs half of the CPU time to start.
"""

import gc
import importlib

from graphs.run.compatibility import graph_version
from graphs.support import build_support_graph
from tests.acceptance import forked

# What a process imports with its first connection, besides what the commands import.
LATER = (
    "anyio._backends._asyncio", "h11", "httpcore", "procrastinate.builtin_tasks",
    "uvicorn.lifespan.off", "uvicorn.protocols.websockets.auto", "uvloop", "websockets.server",
)  # fmt: skip

for name in (forked.__name__, *LATER):
    importlib.import_module(name)
# Both are remembered.
graph_version(build_support_graph().compile())
gc.collect()
gc.freeze()
