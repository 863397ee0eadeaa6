"""TST05: feature and preprocessing code has unit tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.features import feature_code
from mlops_audit.graph.index import Symbol
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, not_applicable, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._models import learns
from mlops_audit.regex import regex

_LOOKED = "a test with assertions that calls feature or preprocessing code"
_NAMES = regex(
    r"(^|_)(pre_?process\w*|clean\w*|featuri[sz]\w*|features?|tokeni[sz]\w*|normali[sz]e\w*|encode|impute\w*|"
    r"transform\w*|augment\w*|prepare|prep|prepare_data|process_data|feature_engineering|vectori[sz]\w*|"
    r"scale_features|one_hot|collate\w*|resample)(_|$)",
    re.IGNORECASE,
)  # fmt: skip
_PATHS = regex(
    r"(^|/)(\w*features?|\w*preprocess\w*|prepare\w*|data_?prep\w*|prep|prep_\w+|clean\w*|transform\w*|"
    r"etl|featuri[sz]\w*|tokeni[sz]\w*|augment\w*|process_data|data_processing|feature_\w+)(/|\.py$)",
    re.IGNORECASE,
)
# A split and a reader prepare no features.
_NO_NAMES = regex(
    r"split|model|load_data|get_data|download|save|read_|names?$|columns$|schema|config|path|"
    r"device|logg(er|ing)|optimi[sz]er|environ|workspace|\bargs|(^|_)(dirs?|folders?|run)$",
    re.IGNORECASE,
)
_NETWORK = regex(r"(^|\.)(\w*(?<!Data)Module|PreTrainedModel|Layer|Model)$")


@practice(
    id="TST05",
    title="Feature and preprocessing code has unit tests",
    assets="data",
    level="3s",
    sources="S2 S4",
    fix="Feed a few hand-made rows to each feature function in a test, and assert on the result.",
    template=(
        "tests/unit/test_build_features.py",
        "tests",
    ),
    needs=("training",),
)
def feature_tests(project: Project) -> Verdict:
    """Look for counting tests that exercise code which prepares data or features."""
    if not learns(project):
        return not_applicable("there is no model whose features could be tested")
    code = {e.span.path: e for e in feature_code(project) if not e.span.path.endswith(".ipynb")}
    found = list(_tests(project, code))
    if found:
        # A test that names the code itself says more than one whose fixture runs it.
        plain = [e for direct, e in found if direct] or [e for _, e in found]
        tests = "1 test exercises" if len(plain) == 1 else f"{len(plain)} tests exercise"
        return passed(f"{tests} feature or preprocessing code", plain)
    places = _places(project, code)
    if not places and not feature_code(project):
        return not_applicable("there is no feature or preprocessing code")
    void = [
        c.evidence()
        for c in project.tests.cases
        if c.void and any(_prepares(project, s, code) for s in c.exercises)
    ]
    reason = "feature or preprocessing code has no tests"
    if void:
        return hollow(f"{reason} that can run", void, looked_for=_LOOKED)
    return failed(reason, looked_for=_LOOKED, evidence=places[:3])


def _tests(project: Project, code: dict[str, Evidence]) -> Iterator[tuple[bool, Evidence]]:
    """Tests that exercise the code, and whether they name it themselves."""
    prepares_data = cache(lambda symbol: _prepares(project, symbol, code))
    for case in project.tests.counting:
        if project.test_kinds.kind(case) == "system":
            continue
        for direct, symbols in ((True, case.direct), (False, case.exercises)):
            prepares = {s for s in symbols if s not in case.loaded and prepares_data(s)}
            if prepares:
                yield direct, case.evidence(of=prepares)
                break


def _prepares(project: Project, symbol: Symbol, code: dict[str, Evidence]) -> bool:
    """Whether a function, class or program prepares data or features."""
    name = symbol.qualname
    if _NO_NAMES.search(name) or (not name and symbol.kind != "module"):
        return False
    module = project.modules.get(symbol.path)
    if (_NAMES.search(_snake(name)) and not _is_network(project, symbol)) or (
        _PATHS.search(symbol.path)
    ):
        return True
    return module is not None and symbol.path in code and _holds(module, name, project)


def _is_network(project: Project, symbol: Symbol) -> bool:
    """Whether a class, or the class of a method, is a network: a Transformer that is the model."""
    owner = project.modules[symbol.path].klass(symbol.qualname.split(".", 1)[0])
    return owner is not None and any(
        _NETWORK.search(base) for base in project.index.bases(symbol.path, owner)
    )


def _holds(module: Module, name: str, project: Project) -> bool:
    """Whether a function holds feature code by itself."""
    found = module.function(name) or module.klass(name)
    if found is None:
        return True
    first, last = found.span.line or 0, found.end_line
    return any(
        e.span.path == module.path and first <= (e.span.line or 0) <= last
        for e in feature_code(project)
    )


def _places(project: Project, code: dict[str, Evidence]) -> list[Evidence]:
    found = list(code.values())
    for module in project.source:
        if project.is_example(module.path) or module.path in code:
            continue
        if _PATHS.search(module.path) and (module.functions or module.calls):
            found.append(Evidence(Span(module.path), "prepares data"))
        found += [
            Evidence(f.span, f"{f.name} prepares data")
            for f in module.functions
            if _NAMES.search(f.name) and not _NO_NAMES.search(f.name) and not f.stub and not f.owner
        ]
    return sorted(dict.fromkeys(found), key=lambda e: (e.span.path, e.span.line or 0))


def _snake(name: str) -> str:
    last = name.replace(".", "_")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last)
