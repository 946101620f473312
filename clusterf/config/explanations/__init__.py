"""What the codes mean: the text of docs/checks.md and of ``clusterf check --explain``."""

from clusterf.config.explanations import environment, plugins, schema, syntax, topology
from clusterf.config.explanations.explanation import FRAME, Explanation, framed

EXPLANATIONS: tuple[Explanation, ...] = (
    *syntax.EXPLANATIONS,
    *schema.EXPLANATIONS,
    *topology.EXPLANATIONS,
    *plugins.EXPLANATIONS,
    *environment.EXPLANATIONS,
)
"""One for each code, in the order of the codes."""

__all__ = ["EXPLANATIONS", "FRAME", "Explanation", "framed"]
