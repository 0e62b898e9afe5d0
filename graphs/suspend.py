"""Exceptions that end an attempt without failing its node: the run continues later or elsewhere.

LangGraph lets a GraphBubbleUp through without retry or error handler and stores nothing for the
node, so the node runs again when the run goes on. Any other error that leaves an error handler
is stored as the node's end, and the next attempt would find nothing left to do.
"""

from langgraph.errors import GraphBubbleUp

from tools.errors import RunLostError


class RunWaitsError(GraphBubbleUp):
    """Something that the run needs is unavailable for now; the run waits in the queue."""


class RunPausedError(RunWaitsError):
    """The tenant's effects are paused; the run waits until the pause ends."""


class AttemptLostError(RunLostError, GraphBubbleUp):
    """Another attempt has the run, or it was cancelled."""
