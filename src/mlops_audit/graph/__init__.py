"""What runs when what: the project seen as one execution graph, with the tool catalogue's words."""

from mlops_audit.graph.execution import Node, Reach, Way
from mlops_audit.graph.project import Project
from mlops_audit.graph.uses import Use

__all__ = ["Node", "Project", "Reach", "Use", "Way"]
