"""Whether a call that draws at random is seeded, as far as its own module says."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph.uses import Use
from mlops_audit.regex import regex

__all__ = ["SEED_NAME", "draws_nothing", "gives_seed", "is_seed", "only_plotted", "only_traced",
           "own_seed", "passes_on", "unshuffled"]  # fmt: skip

# Names under which a seed is handed over, as keyword, dictionary key or field.
SEED_NAME = regex(
    r"^(?:\w{1,30}_)?(?:seed|random_state|rng_seed|rstate|random_seed)$|^seed_\w{1,20}$",
    re.IGNORECASE,
)
_CONSTANT = regex(r"\.initializers\.(Constant|Zeros|Ones|Identity|zeros|ones|constant)$")
_PLOTS = regex(
    r"^(seaborn|matplotlib|plotly|altair|bokeh|holoviews|ydata_profiling|hvplot)\b|"
    r"\.(plot|hist|boxplot|head|describe|info|show|display)$|^(print|display)$"
)
_TRACES = regex(
    r"(^|\.)(onnx\.export|to_onnx|jit\.trace|to_torchscript|trace|add_graph|summary|"
    r"get_model_complexity_info|profile|FlopCountAnalysis|draw_graph|make_dot|export)$"
)
_HOPS = 2  # from a seed to what it was made of
_WORD = regex(r"[A-Za-z_]\w*")
_INITIAL = regex(r"\binitial_seed\(|\bget_worker_info\(\)\.seed")
_CLOCK = regex(r"\btime(_ns)?\(|\bnow\(|urandom|getrandbits|SystemRandom|secrets\.")


def own_seed(use: Use, module: Module, *, elsewhere: bool) -> bool:
    """Whether an argument of the drawing call itself seeds it.

    Args:
        use: a use of the capability `random.call`.
        module: where it stands.
        elsewhere: whether a `**mapping` that the module does not define may hold a seed.
    """
    call, details = use.call, use.details
    if call is None or details is None:
        return False
    for name in details.seed:
        value = call.kw(name)
        if value is not None:
            return is_seed(value)
    if details.position is not None and details.position < len(call.args):
        return is_seed(call.args[details.position])
    return any(_spread_holds(value, module, elsewhere=elsewhere) for value in call.spreads)


def is_seed(value: Value) -> bool:
    """Whether a value seeds: not None, and not the clock or the system's own randomness."""
    return value.text != "None" and not _CLOCK.search(value.text)


def gives_seed(use: Use) -> bool:
    """Whether a seeding call gets a value; without one it seeds from the clock."""
    call = use.call
    if call is None:
        return False
    if use.details is not None and use.details.why:
        return True  # the row says that there is a default
    values = [*call.args, *(v for k, v in call.kwargs if k != "**")]
    return any(is_seed(v) for v in values) or bool(call.spreads)


def passes_on(call: Call, module: Module) -> bool:
    """Whether a seeding call hands on what PyTorch was seeded with, as workers of a loader do.

    It is no more fixed than that seed is.
    """
    texts = [v.text for v in (*call.args, *(v for _, v in call.kwargs))]
    near = [a for a in module.assigns if a.scope == call.scope]
    for _ in range(_HOPS):
        names = {name for text in texts for name in _WORD.findall(text)}
        texts += [a.value.text for a in near if names & set(a.targets)]
    return any(_INITIAL.search(text) for text in texts)


def draws_nothing(call: Call) -> bool:
    """Whether a call that looks like a draw gives constants (`keras.initializers.Constant`)."""
    return bool(_CONSTANT.search(call.name))


def only_plotted(call: Call, module: Module) -> bool:
    """Whether a sample of rows goes into plots and looks only: `part = df.sample(1000)`."""
    if call.method != "sample" or len(call.targets) != 1:
        return False
    name = re.compile(rf"\b{re.escape(call.targets[0])}\b")
    after = [c for c in module.calls if c is not call and name.search(c.text or c.name)]
    # The sample may lose columns before it is looked at: `part = part.drop(columns)`.
    again = [c.text for c in after if c.targets == call.targets]
    plots = [
        bool(_PLOTS.search(c.name)) for c in after if not any(c.text in text for text in again)
    ]
    used = any(name.search(a.value.text) for a in module.assigns if not a.value.is_call)
    return bool(plots) and all(plots) and not used


def only_traced(call: Call, module: Module) -> bool:
    """Whether a draw is the stand-in input with which a model is exported or measured."""
    here = module.calls_in(call.scope)
    if any(call.text in c.text and _TRACES.search(c.name) for c in here if c is not call):
        return True
    names = {*call.targets}
    for item in module.assigns:
        if item.scope == call.scope and call.text in item.value.text:
            names.update(item.targets)
    if len(names) != 1:
        return False
    name = re.compile(rf"\b{re.escape(*names)}\b")
    after = [
        c for c in here if any(name.search(v.text) for v in (*c.args, *(v for _, v in c.kwargs)))
    ]
    return bool(after) and all(_TRACES.search(c.name) for c in after)


def unshuffled(call: Call, module: Module) -> bool:
    """Whether a constant of the module switches shuffling off; the catalogue sees literals."""
    value = call.kw("shuffle")
    constant = module.constants.get(value.text) if value is not None else None
    return constant is not None and constant.literal is False


def _spread_holds(value: Value, module: Module, *, elsewhere: bool) -> bool:
    """Whether `**mapping` brings a seed: a dictionary of this module, or one from elsewhere."""
    keys: set[str] = set(value.keys)
    name = value.text.strip()
    known = False
    if name.startswith("self."):  # handed to the constructor under that name, or the base class's
        for call in module.calls:
            given = call.kw(name.removeprefix("self."))
            if given is not None and given.text.isidentifier():
                name = given.text
    for item in module.assigns:
        written = {*item.value.keys, *(k for k, _ in item.value.kwargs)}
        if name in item.targets and written:
            keys |= written
            known = True
    if any(SEED_NAME.match(k.strip("'\"")) for k in keys):
        return True
    return not known and not value.keys and elsewhere
