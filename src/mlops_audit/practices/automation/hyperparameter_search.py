"""AUT15."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.facts.command import python_target, unwrap
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.settings import settings
from mlops_audit.graph.sourcelines import line_at
from mlops_audit.graph.training import draws, is_training, trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "a scripted search (Optuna, grid or random search, sweeps, ...) with a real space"
# Tools whose search means nothing without a stated space.
_SUGGESTS = regex(r"\btrial\.suggest_|^suggest_")
_SPACED = frozenset({"Optuna", "Hyperopt", "Ray Tune", "Keras Tuner"})
_ELBOW = regex(r"elbow", re.IGNORECASE)
_GRIDS = regex(r"product|ParameterGrid|ParameterSampler|linspace|logspace|arange")
_VALUES = regex(
    r"(^|[^a-z])(alphas?|lrs?|learning_rates?|depths?|max_depth|n_estimators|n_neighbors|"
    r"n_clusters|num_clusters|k|c|gammas?|param(s|eters|_grid|_set)?|lambdas?|dropouts?|"
    r"hidden(_units|_size)?|combo|combination|configs?_grid)([^a-z]|$)",
    re.IGNORECASE,
)
# The parameters of a network or of its optimiser, which training changes one by one.
_OF_A_NETWORK = regex(r"param_groups|(^|[._])param(eter)?s(\(\))?\s*$")
_LOOP = regex(r"\s*for\s+([\w, ()]+?)\s+in\s+(.+):")
_NUMBERED = regex(r"enumerate\(\s*(.+?)(?:,\s*(?:start\s*=\s*)?\d+)?\)\s*$")
_REACH = 25  # lines from a loop to what it runs
# Names that alone mean a hyperparameter, unlike `k` and `params`.
_SURE = regex(
    r"^\W*(alpha|(base_|max_)?lr|learning_rate|(max_)?depth|n_estimators|n_neighbors|n_clusters|gamma|lambda_?|"
    r"dropout|hidden(_units|_size)?)\W*$"
)
_SHELL_LOOP = regex(r"\s*for\s+(\w+)\s+in\s+\S")
# An option that is a hyperparameter; neither a seed, a fold nor a data set, which are repeats.
_HANDED = regex(
    r"--?[\w.]{0,30}(?:lr|learning[_-]rate|alpha|beta|gamma|lambda|dropout|depth|decay|hidden|layers|temperature|"
    r"batch[_-]size|margin|estimators|momentum|threshold|ratio|weight)[\w.-]{0,30}[= ][\"']?"
    r"\$\{?(\w+)",
    re.IGNORECASE,
)
_STATED = regex(r"range\(\s*\d+\s*,\s*\d+|[\[(]\s*\d|\w*values?$|np\.")
_SWEEP = regex(r"^\s*(parameters|parameter_space|search_space|sweeper)\s*:", re.MULTILINE)
_VARIED = regex(r",|\b(choice|range|interval|glob)\(")
_METHOD = regex(
    r"^\s*(method:\s*(grid|random|bayes)|algorithm:|sampling_algorithm:|direction:\s*m|_target_:.*"
    r"sweeper|objective:)|hydra/sweeper|azuremlschemas.*sweepJob|kind:\s*Experiment",
    re.MULTILINE,
)


@practice(
    id="AUT15",
    title="Hyperparameters are searched by a script",
    assets="model",
    level="4s",
    sources="S1 S2 S4",
    fix="Add a search program (Optuna or a grid search) with a space for the hyperparameters.",
    template=("src/<package>/models/search_parameters.py",),
    needs=("training",),
)
def hyperparameter_search(project: Project) -> Verdict:
    """A search tool that code, commands or files use with a space."""
    found = [u for u in project.uses("train.search", "pipeline.queue") if _searches(u)]
    uses = [u for u in found if is_called(project, u.path, u.scope)]
    scripted = [u for u in uses if not u.notebook and not project.is_example(u.path)]
    real = [u for u in scripted if _has_space(project, u)]
    files = [*_files(project), *_swept(project)]
    if real or files:
        return passed(
            "A search with a space is scripted.", [*(u.evidence() for u in real[:4]), *files]
        )
    noted = [u for u in uses if u.notebook and _has_space(project, u)]
    if noted:
        return partial(
            "The search is defined in a notebook only.", [u.evidence() for u in noted[:4]]
        )
    loops = [*_elbows(project), *_loops(project), *_nested(project), *_shell_loops(project)]
    loops += _fanned(project)
    if loops:
        return partial("Only a hand-written loop or an elbow searches.", loops)
    if scripted or uses:
        return hollow(
            "A search is set up without a space.",
            [u.evidence() for u in (scripted or uses)[:3]],
            looked_for=_LOOKED_FOR,
        )
    if found:
        return hollow(
            "A search is written and nothing calls it.",
            [u.evidence() for u in found[:3]],
            looked_for=_LOOKED_FOR,
        )
    return failed("Nothing searches hyperparameters.", looked_for=_LOOKED_FOR)


def _searches(use: Use) -> bool:
    if _ELBOW.search(use.detail) or draws(use.scope):
        return False
    if use.call is None:
        return use.capability == "train.search" or "--queue" in use.detail
    return True


def _has_space(project: Project, use: Use) -> bool:
    """Whether there is something to search: a space of the tool, or a grid that is not empty."""
    call = use.call
    if use.tool in _SPACED:
        spaces = project.uses("train.search.space")
        return any(s.tool == use.tool for s in spaces) or _suggested(project, use)
    if call is None:
        return True
    if call.method.endswith("SearchCV"):
        grid = (
            call.arg(1, "param_grid") or call.kw("param_distributions") or call.kw("search_spaces")
        )
        if grid is None:
            return bool(call.spreads)
        if grid.items and all(len(value.items) == 1 for value in grid.items):
            return False  # one value of each: there is nothing to choose
        return grid.text.replace(" ", "") not in {"{}", "[]", "dict()", "None"}
    if call.method == "fit":
        return True
    return "TODO" not in call.text


def _suggested(project: Project, use: Use) -> bool:
    """Whether the use's module asks a trial for values by a name that it puts together."""
    module = project.modules.get(use.path)
    return module is not None and any(
        _SUGGESTS.search(text.value) for text in module.texts if not text.doc
    )


def _files(project: Project) -> Iterator[Evidence]:
    """Sweeps, studies and multiruns that files define."""
    for path in project.glob("**/*.y*ml"):
        size = project.entry(path).size or 0
        if not size or size > 100_000 or project.is_example(path) or "/.hydra/" in path:  # noqa: PLR2004 -- a definition
            continue
        text = project.text(path) or ""
        found = _METHOD.search(text)
        if (
            found
            and _SWEEP.search(text)
            and re.search(
                r"values?:|min:|max:|feasibleSpace|params:|choice\(|interval\(|range\(|uniform|type:",
                text,
            )
        ):
            line = text.count("\n", 0, found.start()) + 1
            yield Evidence(Span(path, line), found[0].strip())
    for command, _ in project.all_commands:
        words = command.argv
        if not any("," in w and "=" in w for w in words):
            continue
        inner = unwrap(command).argv
        kind, _ = python_target(inner)
        given = inner[3:] if inner[1:2] == ("-m",) else inner[1:]  # behind Python's own option
        program = kind in {"file", "module"} or command.program in project.console_scripts
        if ("-m" in given and program) or "--multirun" in inner:
            yield Evidence(command.span, command.text)


def _swept(project: Project) -> Iterator[Evidence]:
    """Values that Hydra's own sweeper tries, in the settings of a program of Hydra's."""
    if not any("hydra" in m.roots for m in project.source):
        return
    for item in settings(project):
        values = item.value if "sweeper.params." in item.key else None
        if not isinstance(values, str) or not _VARIED.search(values):
            continue
        if not project.is_example(item.span.path):
            yield item.evidence()


def _elbows(project: Project) -> Iterator[Evidence]:
    for module in project.modules.values():
        for call in module.calls:
            if _ELBOW.search(call.method) and not project.is_test(module.path):
                yield Evidence(call.span, call.told)
                return


def _shell_loops(project: Project) -> Iterator[Evidence]:
    """A loop of a shell script that hands each of its values to a program as a hyperparameter."""
    for path in sorted(project.scripts):
        if project.is_example(path):
            continue
        lines = project.lines(path)
        for number, line in enumerate(lines, 1):
            loop = _SHELL_LOOP.match(line)
            if loop is None:
                continue
            below = "\n".join(lines[number : number + _REACH])
            if any(name == loop[1] for name in _HANDED.findall(below)):
                yield Evidence(Span(path, number), line.strip())
                break


def _nested(project: Project) -> Iterator[Evidence]:
    """A loop over values of a hyperparameter around a function of the project that trains."""
    for module in project.source:
        if project.is_example(module.path):
            continue
        for call in module.calls:
            symbol = project.index.resolve(call.name, module.path) if call.loops else None
            if symbol is None or symbol.kind != "function":
                continue
            above = project.lines(module.path)[: module.flat(call.span) - 1]
            found = [(n, _LOOP.match(line)) for n, line in enumerate(above[-_REACH:])]
            over = [(n, m) for n, m in found if m and _SURE.match(m[1])]
            if over and trains_here(
                project, scopes(project, [Scope(symbol.path, symbol.qualname)])
            ):
                number = max(0, len(above) - _REACH) + over[0][0] + 1
                yield Evidence(Span(module.path, number), over[0][1].string.strip())
                return


def _fanned(project: Project) -> Iterator[Evidence]:
    """A flow of Metaflow that runs a step for each of its values, which builds a model of its own.

    `self.next(self.fit, foreach="depths")`, and in `fit` a `Tree(max_depth=self.input)`.
    """
    for module in project.source:
        if "metaflow" not in module.roots or project.is_example(module.path):
            continue
        given = {
            f"{call.scope.rpartition('.')[0]}.{call.args[0].text.removeprefix('self.')}": call
            for call in module.calls
            if call.method == "next" and call.args and call.kw("foreach") is not None
        }
        for use in project.uses_in(module.path) if given else ():
            built = use.capability == "train.estimator" and "self.input" in use.detail
            if built and use.scope in given:
                yield Evidence(given[use.scope].span, given[use.scope].told)
                break


def _loops(project: Project) -> Iterator[Evidence]:
    """Training in a loop over values of a hyperparameter."""
    for module in project.modules.values():
        if project.is_test(module.path) or project.is_example(module.path):
            continue
        for use in project.uses_in(module.path):
            call = use.call
            if call is None or not call.loops or not is_training(use):
                continue
            line = call.span.line or 1
            for number in range(line - 1, max(0, line - _REACH), -1):
                place = Span(module.path, number, call.span.cell)
                loop = _LOOP.match(line_at(project, place))
                if loop:
                    over, values = _counted(loop)
                    if over.strip() in {"k", "c"} and not _STATED.match(values):
                        break
                    grid = _is_grid(module, values)
                    stated = _SURE.search(over) and _STATED.match(values)
                    if module.notebook and not (stated or grid):
                        break
                    if (
                        grid
                        or _GRIDS.search(values)
                        or (
                            _VALUES.search(over)
                            and "epoch" not in over
                            and "batch" not in over
                            and not _OF_A_NETWORK.search(values)
                            and "loader" not in over
                        )
                    ):
                        yield Evidence(place, loop[0].strip())
                        return
                    break


def _counted(loop: re.Match[str]) -> tuple[str, str]:
    """What a loop sets and what it goes over, without the number of the round."""
    listed = _NUMBERED.match(loop[2])
    if listed is None or "," not in loop[1]:
        return loop[1], loop[2]
    return loop[1].partition(",")[2].strip(), listed[1]


def _is_grid(module: Module, values: str) -> bool:
    """Whether a name stands for a list of settings, each with several hyperparameters by name."""
    return any(
        len(a.value.items) > 1
        and all(len([k for k in v.keys if _SURE.search(k)]) > 1 for v in a.value.items)
        for a in module.assigns
        if values in a.targets
    )
