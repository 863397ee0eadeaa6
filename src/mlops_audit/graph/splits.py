"""How data is split, which data evaluations use, and which data chose something before.

Names decide most: a metric computed from `y_test` used held-out data. Names that a split itself
gives (`a, b, c, d = train_test_split(...)`) count like these. No data flow is followed across
functions beyond the names of arguments, so what is generic (`evaluate(model, loader)`) is judged
by the callers' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.chosen import Choice, choices_of
from mlops_audit.graph.datanames import by_place, is_evaluation_script, set_of
from mlops_audit.graph.heldout import (
    Held,
    evaluations_in,
    evaluations_of_tests,
    fits_before_the_split,
    metrics_of_the_fit,
)
from mlops_audit.graph.training import is_training
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["Splits"]

_NO_SET = regex(r"steps|size|len|num|count|score|acc|loss|metric|pred|task|time", re.IGNORECASE)
_SPLITS = regex(
    r"(^|_)(train_test_split|train_val_split|split_data\w*|split_dataset\w*|make_splits?|"
    r"data_split\w*|split_train\w*|train_valid\w*split|temporal_train_test_split|"
    r"stratified?_split|time_split|random_split|split)$"
)
_DATASETS = regex(
    r"^(torchvision|torchtext|torchaudio)\.datasets\.|^(tensorflow\.)?keras\.datasets\.\w+\.load_data"
)
_UNSUPERVISED = regex(
    r"\.(cluster|decomposition|mixture|manifold|covariance|outlier|pyod)\b|KMeans|DBSCAN|IsolationForest|"
    r"LocalOutlierFactor|OneClassSVM|HDBSCAN|KElbow|Birch|Agglomerative|GaussianMixture|NMF|UMAP|TSNE|"
    r"LatentDirichlet|LdaModel|LdaMulticore|BERTopic|top2vec|Word2Vec|FastText|Doc2Vec|SpectralClustering|"
    r"MiniBatchKMeans|KModes|KPrototypes|apriori|fpgrowth|PCA\b|kmeans"
)  # fmt: skip
_CROSS = frozenset(
    {"cross_val_score", "cross_validate", "cv", "cross_validation", "cross_val_predict"}
)
_FITS = ("train.fit", "train.search", "train.loop", "train.estimator")


class Splits:
    """The splits, evaluations and choices of a project's training code."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """Source modules and notebooks that are no tests, and no examples of a library."""
        library = self.project.roles.kind == "library"
        training = self.project.roles.training
        return tuple(
            m
            for p, m in sorted(self.project.modules.items())
            if (p not in self.project.test_files or is_evaluation_script(p))
            and (not library or (p in training and not self.project.is_example(p)))
        )

    # -- splits -------------------------------------------------------------------------------

    @cached_property
    def splits(self) -> tuple[Evidence, ...]:
        """Where data is split, or a set that comes apart is read."""
        uses = self.project.uses("evaluate.split", "evaluate.cross_validate")
        paths = {m.path for m in self.modules}
        found = [use.evidence() for use in uses if use.path in paths]
        for module in self.modules:
            found += self._splits_in(module)
        # What only the names of two sets say comes last.
        return tuple(sorted(dict.fromkeys(found), key=lambda e: (_only_named(e), *by_place(e))))

    def _splits_in(self, module: Module) -> Iterator[Evidence]:
        for call in module.calls:
            own = _SPLITS.search(call.method) and len(call.targets) > 1 and not _of_text(call)
            train = call.kw("train")
            official = _DATASETS.match(call.name) and (
                (train is not None and train.literal is False) or "load_data" in call.name
            )
            named = call.kw("split")
            told = named is not None and set_of(named.text) in {"test", "val"}
            if own or official or told:
                yield Evidence(call.span, call.told)
        pairs: dict[str, set[str]] = {}
        for item in module.assigns:
            for target in item.targets:
                name = "" if _NO_SET.search(target) else set_of(target)
                if name and not item.value.is_literal:
                    pairs.setdefault(item.scope, set()).add(name)
                    if (
                        len(pairs[item.scope]) > 1
                        and name != "train"
                        and "train" in pairs[item.scope]
                    ):
                        yield Evidence(item.span, f"{', '.join(item.targets)} = {item.value.text}")

    # -- evaluations ---------------------------------------------------------------------------

    @cached_property
    def evaluations(self) -> tuple[Held, ...]:
        """Evaluations on data that the names say is held out, tests first."""
        found: list[Held] = []
        for module in self.modules:
            found += evaluations_in(self.project, module)
        if not found:
            found += evaluations_of_tests(self.project)
        for use in self.project.uses("evaluate.cross_validate"):
            known = any(use.path == m.path for m in self.modules)
            if use.call and known and use.call.method in _CROSS:
                found.append(Held("cv", use.evidence(), use.notebook))
        for use in self.project.uses("evaluate.metric", notebook=None):
            if use.where == "command":
                found.append(Held("val" if set_of(use.detail) == "val" else "test", use.evidence()))
        rank = {"test": 0, "val": 1, "cv": 2}
        return tuple(
            sorted(
                dict.fromkeys(found),
                key=lambda h: (h.notebook, rank[h.on], h.weak, *by_place(h.evidence)),
            )
        )

    @cached_property
    def of_the_fit(self) -> tuple[Evidence, ...]:
        """Metrics, outside of notebooks, on the data that the model was fitted on."""
        plain = (m for m in self.modules if not m.notebook)
        return tuple(e for m in plain for e in metrics_of_the_fit(self.project, m))

    @cached_property
    def of_training(self) -> tuple[Evidence, ...]:
        """The same, where the data's name says that it is the part for training."""
        plain = (m for m in self.modules if not m.notebook)
        return tuple(e for m in plain for e in metrics_of_the_fit(self.project, m, "train"))

    @cached_property
    def too_late(self) -> tuple[Evidence, ...]:
        """Fits on all the data that is split only afterwards, and metrics of them."""
        return tuple(e for m in self.modules for e in fits_before_the_split(self.project, m))

    # -- choices ----

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What held-out data chose: checkpoints, the moment to stop, hyperparameters."""
        return choices_of(self.project, self.modules)

    # -- what there is nothing to hold out for -----------------------------------------------------

    @cached_property
    def unsupervised(self) -> bool:
        """Whether everything that is fitted finds structure without labels."""
        fits = [(u, u.call) for u in self.project.uses(*_FITS) if u.call is not None]
        named = [call for _, call in fits if not call.name.startswith("?")]
        if not named or not all(_UNSUPERVISED.search(call.name) for call in named):
            return False
        return all(
            not is_training(use)
            or _UNSUPERVISED.search(f"{call.name} {call.receiver}")
            or self._clusters(use.path)
            for use, call in fits
        )

    def _clusters(self, path: str) -> bool:
        module = self.project.modules[path]
        return any(_UNSUPERVISED.search(i.dotted) for i in module.imports)


_ASSIGNED = regex(r"^[\w.\[\]\"', ]+ = (?!.*split)")


def _only_named(evidence: Evidence) -> bool:
    """Whether a split is told by the name of a variable, not by what makes the parts."""
    return bool(_ASSIGNED.match(evidence.detail))


def _of_text(call: Call) -> bool:
    """Whether a `split` is one of a string."""
    first = call.arg(0)
    return call.method == "split" and (
        first is None
        or isinstance(first.literal, str)
        or call.name.startswith(("str.", "os.", "re."))
    )
