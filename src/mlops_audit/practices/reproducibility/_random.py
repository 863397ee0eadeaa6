"""Random draws of project code, the seeds that govern them, and programs that bind the two."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.memo import once
from mlops_audit.graph.prediction import trials
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.graph.seeding import (
    SEED_NAME,
    draws_nothing,
    gives_seed,
    is_seed,
    only_plotted,
    only_traced,
    own_seed,
    passes_on,
    unshuffled,
)
from mlops_audit.graph.settings import setting, settings, switch
from mlops_audit.graph.sourcelines import keyword_span, line_at, line_span
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.practices.reproducibility._programs import same_program
from mlops_audit.regex import regex

__all__ = [
    "Draw",
    "Seed",
    "covered",
    "draws",
    "feeds_training",
    "frameworks",
    "handed_over",
    "seeded",
    "seeds",
    "switched_off",
]

# Plots, demos and user interfaces reach neither data nor model.
_ASIDE = regex(
    r"(^|[/_])(plots?|plotting|visuali[sz]\w*|demos?|streamlit|gradio|dashboards?|ui|eda)([/_.]|$)"
)
# What gives a thing its name.
_NAME = regex(
    r"(random|unique|generate|make|get)_\w{0,20}(string|name|id|token|suffix|password)s?$"
)
_PAUSE = regex(r"(^|[._])(delay|sleep|wait|jitter|backoff|pause)([._]|$)", re.IGNORECASE)
_KEEPS = regex(
    r"^(save|write|dump|upload|put|push|log|fit|train|partial_fit|register|export)(_|$)|"
    r"^to_(csv|parquet|pickle|json|feather|sql|gbq|excel|hdf|delta|zarr|netcdf|disk)$"
)
_BESIDE = regex(
    r"(^|[/_])(drift\w*|monitor\w*|simulat\w*|producers?|generators?|\w{0,8}gen)([/_.]|$)",
    re.IGNORECASE,
)
_DATA_CODE = regex(r"data|prep|split|feature|train|model|augment|sampl|load", re.IGNORECASE)
_MAKES_DATA = regex(
    r"(^|[._])(generate|make|create|build|synthesi[sz]e|collect)_(\w{1,60}_)?(data|data_?sets?|corpus)$",
    re.IGNORECASE,
)
_SAMPLES_FRAME = frozenset({"frac", "n"})
_FRAMEWORKS = {
    "torch": "torch", "pytorch_lightning": "torch", "lightning": "torch", "fastai": "torch",
    "tensorflow": "tensorflow", "keras": "tensorflow", "jax": "jax",
    "merlin": "tensorflow",
}  # fmt: skip
_FIT = ("train.fit", "train.loop", "train.launch")
# Conditions that are no plain switch: what is compared or turned round.
_COMPARED = regex(r"\bnot\b(?! None)|\bis None|[!=<>]=|[<>]|\bin\b")
_SETTINGS_SIZE = 200_000  # bytes; a larger file is data


class Draw(Struct, frozen=True):
    """A call that draws at random; `own` says that an argument of its own seeds it."""

    use: Use
    generators: tuple[str, ...]
    own: bool


class Seed(Struct, frozen=True):
    """A place that seeds global generators (`generators`), or hands a seed over (none)."""

    path: str
    use: Use | None
    generators: tuple[str, ...]
    call: Call | None
    detail: str


def draws(project: Project) -> tuple[Draw, ...]:
    """All draws in project code that reaches data or model, each call once."""
    found: dict[tuple[str, int, str], Draw] = {}
    holds_seed = _holds_seed(project)
    for use in project.uses("random.call", test=False):
        call, details = use.call, use.details
        if call is None or details is None or not relevant(project, use.path):
            continue
        if details.kind == "receiver unknown" and not (
            _SAMPLES_FRAME & {k for k, _ in call.kwargs}
        ):
            continue
        if details.generator == ("random",) and not (
            _reaches(project, use.path) or _makes_data(use.path, call)
        ):
            continue
        module = project.modules[use.path]
        if draws_nothing(call) or unshuffled(call, module):
            continue
        if only_plotted(call, module) or only_traced(call, module):
            continue
        if (
            _NAME.search(call.scope)
            or _paces(call, module)
            or (module.notebook and _looks_only(project, module))
        ):
            continue
        if module.notebook and _is_trial(project, use):
            continue
        if call.method == "sample" and not call.targets and _is_shown(project, call):
            continue
        elsewhere = holds_seed and not any(_seedless(project, v.text) for v in call.spreads)
        own = own_seed(use, project.modules[use.path], elsewhere=elsewhere)
        line = project.modules[use.path].flat(call.span)
        key = (use.path, line, call.text)
        draw = Draw(use, details.generator, own)
        if key not in found or (own and not found[key].own):
            found[key] = draw
    return tuple(found[key] for key in sorted(found))


def _is_trial(project: Project, use: Use) -> bool:
    """Whether a search in a notebook is a trial beside programs that train the model."""
    scripted = any(not path.endswith(".ipynb") for path in project.roles.training)
    return scripted and any(
        u.span == use.span and u.capability == "train.search" for u in project.uses_in(use.path)
    )


def _is_shown(project: Project, call: Call) -> bool:
    """Whether some rows are drawn only to be looked at: a line of its own, kept nowhere."""
    line = line_at(project, call.span).strip()
    return bool(call.text) and bool(
        re.fullmatch(rf"(print|display)?\(?{re.escape(call.text)}(\.(T|head\(\d*\)))?\)?;?", line)
    )


def _paces(call: Call, module: Module) -> bool:
    """Whether a draw only sets how long a program waits."""
    if any(_PAUSE.search(t) for t in call.targets):
        return True
    return any(c.method == "sleep" and call.text in c.text for c in module.calls_in(call.scope))


def _looks_only(project: Project, module: Module) -> bool:
    """Whether a notebook neither trains nor keeps anything: what it draws reaches no model."""
    if module.path in project.roles.training:
        return False
    return not any(_KEEPS.search(c.method) for c in module.calls)


def _reaches(project: Project, path: str) -> bool:
    """Whether plain `random` in a file reaches data or model: by its program, else its name.

    What only the service runs reaches neither, though its folder may be called `models`.
    """
    training = project.roles.training
    if path in training or any(same_program(project, t, path) for t in sorted(training)):
        return True
    served = any(same_program(project, s, path) for s in sorted(project.roles.serving))
    return not served and bool(_DATA_CODE.search(path))


def _makes_data(path: str, call: Call) -> bool:
    """Whether a draw stands in a function that makes a data set, by its name: no simulator's."""
    return not _BESIDE.search(path) and bool(_MAKES_DATA.search(call.scope))


def feeds_training(project: Project, path: str) -> bool:
    """Whether a module runs with training or makes its data: no simulator, no monitor.

    Nor a program that asks a finished model.
    """
    training = project.roles.training
    if path in training:
        return True
    run = scopes(project, [Scope(path)])
    if any(u.capability in {"model.load", "registry.load"} for u in uses_of(project, run)):
        return False
    if any(same_program(project, t, path) for t in sorted(training)):
        return True
    return not _BESIDE.search(path)


def relevant(project: Project, path: str) -> bool:
    """Whether a file is neither test, load test, plot, demo nor example."""
    aside = path in project.test_files or path in trials(project)
    if aside or _ASIDE.search(path.lower()) or project.is_example(path):
        return False
    if any(u.capability == "load.test" for u in project.uses_in(path)):
        return False
    return not project.modules[path].roots & {"streamlit", "gradio"}


def _holds_seed(project: Project) -> bool:
    """Whether any settings file, or module of settings, has a key that is a seed."""
    names = project.glob(
        "**/*.yaml", "**/*.yml", "**/*.json", "**/*.toml",
        "**/*config*.py", "**/*settings*.py", "**/*params*.py",
    )  # fmt: skip
    key = re.compile(
        r"""^[\s{"'-]*(?:random_state|\w{0,20}_?seed)["']?\s*[:=]\s*-?\d""", re.MULTILINE
    )
    return any(
        (project.entry(p).size or 0) < _SETTINGS_SIZE and key.search(project.text(p) or "")
        for p in names
    )


def _seedless(project: Project, text: str) -> bool:
    """Whether settings files hold mappings of that name, and no seed in any of them."""
    name = text.rsplit(".", 1)[-1].strip("'\"[]")
    inside = [
        s.name for s in settings(project) if name and f".{name}." in f".{s.key.rpartition('.')[0]}."
    ]
    return bool(inside) and not any(SEED_NAME.match(key) for key in inside)


def seeds(project: Project) -> tuple[Seed, ...]:
    """All seeds that project code sets: global ones, and those it hands to calls.

    What the workers of a loader hand on from PyTorch counts where PyTorch is seeded.
    """
    found = [s for s in _set(project) if s.call is None or not _is_off(project, s.call)]
    torch = any("torch" in s.generators and not _handed_on(project, s) for s in found)
    return tuple(s for s in found if torch or not _handed_on(project, s))


def switched_off(project: Project) -> list[Evidence]:
    """Seeds behind a switch (`if cfg.deterministic:`) that nothing turns on."""
    return [
        s.use.evidence()
        for s in _set(project)
        if s.use is not None and s.call is not None and _is_off(project, s.call)
    ]


def _handed_on(project: Project, seed: Seed) -> bool:
    return seed.call is not None and passes_on(seed.call, project.modules[seed.path])


def _is_off(project: Project, call: Call) -> bool:
    """Whether a condition around a call is a switch that is off as the repository stands."""
    return any(
        switch(project, name.rsplit(".", 1)[-1]).state == "off"
        for guard in call.guards
        if not guard.negated and not _COMPARED.search(guard.text)
        for name in guard.names
    )


@once
def _set(project: Project) -> tuple[Seed, ...]:
    found: list[Seed] = []
    for use in project.uses("seed.set", test=False):
        generators = use.details.generator if use.details else ()
        if use.call is None:
            found.append(Seed(use.path, use, generators, None, use.detail))
        elif (
            relevant(project, use.path)
            and is_called(project, use.path, use.scope)
            and gives_seed(use)
        ):
            found.append(Seed(use.path, use, generators, use.call, use.detail))
    return (*found, *_lightning_cli(project))


def _lightning_cli(project: Project) -> Iterator[Seed]:
    """The seed that a program by LightningCLI takes from its settings file."""
    given = [s for s in setting(project, "seed_everything") if type(s.value) is int]
    if not given:
        return
    for use in project.uses("config.parse", test=False):
        if use.call is not None and use.call.name.endswith("LightningCLI"):
            place = replace(use, span=given[0].span, detail=given[0].evidence().detail)
            yield Seed(use.path, place, ("random", "numpy", "torch"), None, place.detail)


def covered(project: Project, draw: Draw, given: tuple[Seed, ...]) -> bool:
    """Whether a draw is seeded: by its own argument, or by a seed of its generator's program."""
    return draw.own or governing(project, draw, given) is not None


def seeded(project: Project, draw: Draw, given: tuple[Seed, ...]) -> Evidence:
    """A seeded draw as evidence: the line of its seed, or the draw after the seed that governs."""
    evidence = draw.use.evidence()
    call = draw.use.call
    seed = None if draw.own else governing(project, draw, given)
    if seed is not None and seed.use is not None:
        return replace(evidence, chain=(seed.use.evidence(),))
    if call is None or not draw.own or _GIVEN.search(line_at(project, call.span)):
        return evidence
    last = call.end_line if call.span.cell is None else (call.span.line or 1) + _CALL_LINES
    place = line_span(project, call.span, _GIVEN, last)
    if place == call.span:
        return evidence
    return Evidence(place, f"{call.method}(… {line_at(project, place).strip()}", (evidence,))


_GIVEN = regex(r"\b(\w*seed\w*|random_state|generator|rng|sampler)[\"']?\s*[=:]")
_CALL_LINES = 30  # of one call in a cell, whose end is counted in lines of the notebook


def governing(project: Project, draw: Draw, given: tuple[Seed, ...]) -> Seed | None:
    """The global seed of a draw's generator that its program sets."""
    for seed in given:
        if seed.use is not None and seed.use.details is not None and seed.use.details.why:
            continue  # a default that a trainer sets when it starts, after the data was split
        if set(draw.generators) & set(seed.generators) and same_program(
            project, seed.path, draw.use.path
        ):
            return seed
    return None


def frameworks(project: Project) -> dict[str, Use]:
    """The deep-learning generators that training draws from, each with a place that fits."""
    found: dict[str, Use] = {}
    for use in project.uses(*_FIT, test=False):
        if use.call is None or not relevant(project, use.path):
            continue
        roots = project.modules[use.path].roots
        # Its trainer seeds by itself; the older `model.fit(...)` does not.
        if use.call.name.startswith("sentence_transformers") and use.call.method == "fit":
            found.setdefault("torch", use)
        for root, generator in _FRAMEWORKS.items():
            if use.call.name.startswith(root) or (root in roots and _unknown_or_own(use.call)):
                found.setdefault(generator, use)
    return found


def _unknown_or_own(call: Call) -> bool:
    return call.name.startswith(("?", ":", "."))


def handed_over(project: Project) -> Iterator[Evidence]:
    """Seeds in keywords, dictionaries and fields, whatever takes them."""
    for path, module in project.modules.items():
        if not relevant(project, path):
            continue
        for call in module.calls:
            for name, value in call.kwargs:
                if SEED_NAME.match(name) and is_seed(value):
                    yield Evidence(keyword_span(project, call, name), f"{name}={value.text}")
        for item in module.assigns:
            for key, value in zip(item.value.keys, item.value.items, strict=False):
                if SEED_NAME.match(key.strip("'\"")) and is_seed(value):
                    yield Evidence(item.span, f"{key}: {value.text}")
