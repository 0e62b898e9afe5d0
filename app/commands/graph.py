"""deskgraph graph: the compiled workflow as Mermaid."""

from graphs.support import build_support_graph

FAILURE_HANDLER = "__error_handler__"


def picture() -> str:
    """Every node and edge of the compiled graph; dotted edges are choices of a router."""
    drawn = build_support_graph().compile().get_graph()
    for name in [node for node in drawn.nodes if node.startswith(FAILURE_HANDLER)]:
        del drawn.nodes[name]
    return drawn.draw_mermaid(with_styles=False)
