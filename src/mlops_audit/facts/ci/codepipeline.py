"""AWS CodePipeline and CodeBuild as CloudFormation or SAM declares them.

The reader has rooms of its own, which are imported with the first such file.
"""

from __future__ import annotations

from mlops_audit.facts.signs import TEMPLATE, Signs

__all__ = ["READER", "SIGNS"]

READER = "mlops_audit.facts.codepipeline"
SIGNS = Signs(content=(rb"AWS::Code(?:Pipeline::Pipeline|Build::Project)\b", *TEMPLATE))
