"""Models for MLflow whose `predict` says by its types what it takes.

MLflow stores such types as the model's signature and refuses requests that do not meet them:
https://mlflow.org/docs/latest/ml/model/python_model/#type-hint-usage-in-pythonmodel
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function, Module, Param
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["hinted_models"]

_TYPED_LIST = regex(r"[Ll]ist\[.")  # only lists of a type are read as a signature


def hinted_models(project: Project) -> Iterator[tuple[Module, Function, Param]]:
    """The `predict` of each such class outside tests, with the parameter that tells."""
    for module in project.source:
        if "PythonModel" not in module.names:
            continue
        for klass in module.classes:
            predict = module.function(f"{klass.qualname}.predict")
            if predict is None or not any(b.endswith("PythonModel") for b in klass.bases):
                continue
            for param in predict.params:
                if _TYPED_LIST.match(param.written):
                    yield module, predict, param
                    break
