"""Random draws in changed Python files are seeded (practices REP04 and REP05).

A draw that takes a seed must get one, unless its generator is seeded in the same file. A draw from
a global generator also passes where another file of the project seeds something: which program
that file belongs to is for the audit to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.facts.python import read_source
from mlops_audit.graph.catalogue import Catalogue, load_catalogue
from mlops_audit.graph.seeding import draws_nothing, gives_seed, own_seed, unshuffled
from mlops_audit.graph.uses import Use, call_uses, imports_of
from mlops_audit.hooks.base import Files, Problem
from mlops_audit.regex import regex

__all__ = ["check"]

_ASIDE = regex(
    r"(^|/)(tests?|testing|docs?|examples?)/|(^|/)(test_[^/]*|[^/]*_test|conftest|setup)\.py$|"
    r"(^|[/_])(plots?|plotting|visuali[sz]\w*|demos?|streamlit|gradio|dashboards?|ui|eda)([/_.]|$)",
    re.IGNORECASE,
)
_DRAWS = re.compile(
    rb"random|split|sample|shuffle|KFold|Forest|Boost|Classifier|Regressor|seed|rvs|Search|torch|"
    rb"keras|rand|KMeans|PCA|TSNE|UMAP|SGD|MLP"
)
_SEEDS = re.compile(rb"\bseed\w{0,20}\(|manual_seed|set_\w{0,10}seed|seed_everything|fix_?seed")
_MANY = 400  # other files that are searched for a seed


def check(files: Files) -> Iterator[Problem]:
    """Judge the calls of each file."""
    paths = [p for p in files.names() if p.endswith(".py") and not _ASIDE.search(p)]
    contents = {p: d for p, d in files.read_all(paths).items() if _DRAWS.search(d)} if paths else {}
    if not contents:
        return
    catalogue = load_catalogue()
    elsewhere: bool | None = None
    for path, data in contents.items():
        for use in _unseeded(read_source(path, data), catalogue):
            names = _takes(use)
            if not names:
                elsewhere = _seeded_elsewhere(files, path) if elsewhere is None else elsewhere
                if elsewhere:
                    continue
                fix = "use a generator that gets a seed, or seed it where the program starts"
            else:
                fix = f"pass {names[0]}, from params.yaml or a constant"
            whole = use.detail.endswith(")")  # a call of several lines is named by its start
            what = use.detail if whole else use.detail.partition("(")[0]
            yield Problem(use.span, f"unseeded random draw: {what}", fix)


def _takes(use: Use) -> tuple[str, ...]:
    """The parameters that seed a draw; a generator as argument is rare beside the global one."""
    details = use.details
    if details is None:
        return ()
    names = tuple(name for name in details.seed if name != "generator")
    return names or (("a seed",) if details.position is not None else ())


def _unseeded(module: Module, catalogue: Catalogue) -> Iterator[Use]:
    uses = list(call_uses(module, imports_of({}, module, ()), catalogue, test=False))
    seeded = {
        generator
        for use in uses
        if use.capability == "seed.set" and use.details is not None and gives_seed(use)
        for generator in use.details.generator
    }
    shown: set[tuple[int | None, str]] = set()
    for use in uses:
        call, details = use.call, use.details
        if use.capability != "random.call" or call is None or details is None:
            continue
        if details.kind == "receiver unknown" or unshuffled(call, module) or draws_nothing(call):
            continue
        if seeded & set(details.generator) or own_seed(use, module, elsewhere=True):
            continue
        if (use.span.line, call.text) not in shown:
            shown.add((use.span.line, call.text))
            yield use


def _seeded_elsewhere(files: Files, path: str) -> bool:
    """Whether another Python file of the coming commit seeds a generator."""
    others = [p for p in files.all_names() if p.endswith(".py") and p != path]
    return any(_SEEDS.search(data) for data in files.read_all(others[:_MANY]).values())
