"""Which conditions, calls and modules are about data: what a check of data looks like in code."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Guard, Module
from mlops_audit.regex import regex

__all__ = [
    "EXITS",
    "NOT_DATA",
    "ON_DATA",
    "RESULTS",
    "about_data",
    "always_passes",
    "asserts_on_data",
    "converts",
    "ends_run",
    "is_dropped",
    "is_other_error",
    "monitors",
    "on_settings",
    "pairs_samples",
]

_BELOW = 8  # lines from a decorator to the function that it stands above
# Tools whose check gives a result that somebody has to act on.
RESULTS = regex(
    r"^(Great Expectations|Deepchecks|Evidently|TensorFlow Data Validation|whylogs|Soda)",
    re.IGNORECASE,
)
# What makes a dictionary of an object that was checked when it was made.
_CONVERTED = regex(r"\.(to_dict|as_dict|_asdict|model_dump|dict)\(\)$|\.__dict__$")
# Conditions on what data holds. A shape alone is one of an array, not of data.
ON_DATA = regex(
    r"\.is_?null\b|\.is_?na\b|\.notnull|\.notna\b|\.hasnans|\.empty\b|\.is_empty\(|\.columns\b|"
    r"columns?\b.{0,40}\bnot in\b|\bnot in\b.{0,60}\.columns|"
    r"missing_?(cols?|columns?|values?|features?|fields?)|"
    r"(required|expected|unexpected|extra|invalid)_?(cols?|columns?|fields?|features?|headers?|rows?|"
    r"values?)|\.duplicated|\.drop_duplicates|\.is_unique|\.nunique|\.dtypes?\b|\.between\(|"
    r"\.isin\(|is_monotonic|null_?(count|ratio|rate|frac|values?)|nan_?(count|ratio|rate)|"
    r"num_(rows|samples|unique)|n_rows|row_count|\.shape\[0\]|"
    r"len\((self\.)?(df|data|frame|dataset|rows|records|dataframe|table|\w+_df|df_\w+)\)|"
    r"(check|validat\w*|schema|expectation|quality|integrity)\w*"
    r"(_?(passed|failed|ok|valid|success|errors?|result))|"
    r"\b(not )?(is_valid|valid|success|passed)\b|validation_(errors?|status)|\.success\b|"
    r"\[.success.\]|\.isdisjoint\(|set\(.{0,60}columns|\bduplicated?s?(_(rows|records|ids|keys|entries))?\b|"
    # as many labels, masks or paths as samples
    r"len\((self\.)?\w*(img|image|mask|label|target|annotation|path|file|sample|text)\w*\) == "
    r"len\((self\.)?\w*(img|image|mask|label|target|annotation|path|file|sample|text)\w*\)|"
    # how many of something a record holds: `len(qa["answers"]) != 1`
    r"\blen\((?!(resp\w*|res(ult)?s?|r|reply|answer|out(put)?|state|event|body|payload|kwargs|data)\[)"
    r"\w{1,30}\[[\"']\w{1,40}[\"']\]\)\s*[!=<>]=?\s*\d|"
    # each image with its label or mask
    r"^\w*(img|image)\w* != \w*(mask|label|annotation)\w*$",
    re.IGNORECASE,
)
# Values that are no numbers: on data, where they are not those of a model.
_FINITE = regex(
    r"is(finite|nan|inf)\(.{0,80}\)\.(all|any)\(|\b(all|any)\((np|numpy)\.is(finite|nan|inf)\("
)
_OF_TRAINING = regex(r"loss|grad|logit|pred|output|weight|param|score|prob", re.IGNORECASE)
_CONTENT = regex(r"columns|null|\.isna|\.notna|duplicated|dtypes|nan_|isin\(|between\(")
NOT_DATA = regex(
    r"os\.path|\.exists\(|isfile|isdir|environ|getenv|argv|args\.|config|cfg|token|api_?key|"
    r"promot|champion|challenger|relative_error|(mean|max)_(\w+_)?error|\b(mae|rmse|mape|mse)\b|"
    r"status_code|isinstance|callable|hasattr|is None|model_|_model\b|checkpoint|__name__|method|"
    r"strategy|metric|accuracy|score|threshold_metric|version|mode\b|param_grid|optimizer|device|"
    r"backend|engine|kernel|tensors?\.(shape|size|dim|get_shape)\b|embed|_?emb\b|posemb|logits|weights?\b",
    re.IGNORECASE,
)
# As many samples as labels, in the reader of a data set.
_PAIRED = regex(r"len\((?:self\.)?(\w{1,60})\) ?[!=]= ?len\(\s*(?:self\.)?(\w{1,60})\s*\)")
_OF_SAMPLES = regex(r"labels?|targets?|masks?|annotation|images?|samples?|crops?", re.IGNORECASE)
_OTHER_ERRORS = (
    "NotImplementedError", "ImportError", "FileNotFoundError", "HTTPException", "StopIteration",
    "KeyboardInterrupt", "BadParameter", "Exit",
)  # fmt: skip
EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit"})


def asserts_on_data(text: str) -> bool:
    """Whether the condition of an assertion is one on data."""
    if NOT_DATA.search(text):
        return False
    finite = bool(_FINITE.search(text)) and not _OF_TRAINING.search(text)
    return finite or bool(ON_DATA.search(text))


def pairs_samples(text: str) -> bool:
    """Whether a condition compares how many samples and how many labels there are."""
    found = _PAIRED.search(text)
    if found is None or _OF_TRAINING.search(text):
        return False
    return any(_OF_SAMPLES.search(name) for name in found.groups())


def on_settings(call: Call) -> bool:
    """Whether what is validated is a configuration."""
    return any(re.search(r"conf|cfg|settings|params|options", v.text) for v in call.args[:1])


def always_passes(module: Module, call: Call) -> bool:
    """Whether a check of Dagster gives the same good result whatever the data are."""
    if call.method == "AssetCheckResult":
        value = call.arg(0, "passed")
        return value is not None and value.is_literal and value.literal is True
    if call.method != "asset_check":
        return False
    line = call.span.line or 0
    own = next((f for f in module.functions if line <= (f.span.line or 0) <= line + _BELOW), None)
    inside = module.calls_in(own.qualname) if own else ()
    results = [c for c in inside if c.method == "AssetCheckResult"]
    return bool(results) and all(always_passes(module, c) for c in results)


def monitors(path: str) -> bool:
    """Whether a file monitors or shows: its checks hold no data back from training."""
    return bool(re.search(r"(^|[/_])(monitor|drift|visuali[sz]|plot|dashboard)", path))


def is_dropped(module: Module, call: Call) -> bool:
    """Whether nothing looks at what a call gives back."""
    if call.method not in {"run_checkpoint", "run_validation_operator", "validate"}:
        return False  # others keep their result in the object that they are called on
    if call.targets:
        return False
    texts = [b.test for b in module.branches] + [a.test for a in module.asserts]
    texts += [v.text for f in module.functions for v in f.returns]
    texts += [c.text for c in module.calls if c.span != call.span and c.method != "print"]
    return not any(call.text[:60] in t for t in texts)


def ends_run(module: Module) -> bool:
    """Whether a module raises, exits or asserts on a condition of results."""
    if any(r.guards and not is_other_error(r.name) for r in module.raises):
        return True
    if any(c.name in EXITS and (c.guards or c.args) for c in module.calls):
        return True
    return any(not a.constant for a in module.asserts)


def about_data(guards: tuple[Guard, ...], *, checking: bool = False, strict: bool = False) -> bool:
    """Whether the innermost condition before a raise is one on data.

    `strict` (notebooks): emptiness alone is a look at a result, not a check of data.
    """
    if not guards:
        return False
    text = guards[-1].text
    if NOT_DATA.search(text):
        return False
    return checking or bool((_CONTENT if strict else ON_DATA).search(text))


def is_other_error(name: str) -> bool:
    """Whether an error is none of data: not implemented, of a file, of a command line."""
    return name.endswith(_OTHER_ERRORS)


def converts(call: Call) -> bool:
    """Whether a record is made of another object of the project, in another shape."""
    return bool(call.args) and bool(_CONVERTED.search(call.args[0].text))
