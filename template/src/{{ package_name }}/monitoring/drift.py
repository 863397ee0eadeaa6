"""Has a distribution changed? Profiles are small enough to be stored, and compared by two numbers.

PSI is the population stability index; KS the greatest distance between the two cumulative shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

# With so few values, each is a class of its own.
MOST_CLASSES = 12
# Added to each share, so that an empty class does not make the index infinite.
SMALL = 0.0005


@dataclass(frozen=True)
class Profile:
    """Where the classes of a distribution end, and the share of the values in each."""

    edges: list[float]
    shares: list[float]


@dataclass(frozen=True)
class Distance:
    """How far a sample is from a profile."""

    psi: float
    ks: float


def shares_of(values: pd.Series, edges: list[float]) -> np.ndarray:
    """The share of the values in each class; the last class has no upper end."""
    classes = np.searchsorted(edges, values.to_numpy(dtype="float64"), side="left")
    return np.bincount(classes, minlength=len(edges) + 1) / len(values)


def profile(values: pd.Series) -> Profile:
    """The profile of a sample: tenths, or its values where there are few."""
    values = values.dropna()
    distinct = np.sort(values.unique())
    tenths = np.unique(np.quantile(values, np.linspace(0.1, 0.9, 9)))
    edges = [float(edge) for edge in (tenths if len(distinct) > MOST_CLASSES else distinct[:-1])]
    return Profile([round(edge, 6) for edge in edges], [round(float(s), 6) for s in shares_of(values, edges)])


def distance(reference: Profile, values: pd.Series) -> Distance:
    """How far a sample lies from a profile; 0 and 0 is not at all."""
    before = np.array(reference.shares)
    after = shares_of(values.dropna(), reference.edges)
    psi = ((after - before) * np.log((after + SMALL) / (before + SMALL))).sum()
    ks = np.abs(np.cumsum(after) - np.cumsum(before)).max()
    return Distance(round(float(psi), 4), round(float(ks), 4))
