"""Verdicts seen through maturity models: one pure evaluator, models as TOML data.

`evaluate` gives an `Assessment`; `load_model` reads a built-in model by name, `parse_model` a
team's own. A model is data: nothing here names a practice.
"""

from mlops_audit.maturity.evaluate import Settings, evaluate
from mlops_audit.maturity.loading import load_model, model_names, parse_level, parse_model
from mlops_audit.maturity.names import Names
from mlops_audit.maturity.types import MaturityModel

__all__ = [
    "MaturityModel",
    "Names",
    "Settings",
    "evaluate",
    "load_model",
    "model_names",
    "parse_level",
    "parse_model",
]
