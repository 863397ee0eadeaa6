"""The public sources that the catalogue's practices come from, by the keys that practices name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SOURCES"]

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "S0": "the core MLOps guidelines of the LLM Engineer's Handbook (P. Iusztin, M. Labonne)",
        "S1": "A Quick Intro to MLOps (F. Chiusano, NLPlanet, 2022)",
        "S2": "MLOps lifecycle: key components (OptScale)",
        "S3": "5 principles on building trustworthy and reliable ML products",
        "S4": "ml-ops.org: CRISP-ML(Q), MLOps principles, tests and monitors, the stack canvas"
        " (https://ml-ops.org)",
        "F": "practice of the field, in none of the sources above",
    }
)
