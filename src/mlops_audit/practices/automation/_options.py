"""What settings of a training are called, and where one comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = [
    "DEFINES",
    "HYPER",
    "PIPELINE_PARAMETER",
    "PLACE",
    "PLACES",
    "Source",
    "never_read",
    "tunes",
]

_SHORT = 80  # characters of a name that is handed on

PLACE = "path"  # an option of which nothing more is known
# Options that say where things are or which version, not how the model is trained.
PLACES = regex(
    r"(^|[_.-])(path|paths|dir|dirs|folder|root|file|files|filename|filepath|input|inputs|output|"
    r"outputs|out|data|dataset|datasets|csv|date|day|month|year|start|end|uri|url|bucket|prefix|"
    r"host|port|user|password|token|key|project|region|location|experiment|run|name|id|version|"
    r"model|dest|save|load|log|logs|logging|loglevel|debug|verbose|quiet|help|tracking|registry|"
    r"env|environment|stage|caller|step|database|table|bq|gcs|s3|taxi|color|type|workspace|"
    r"service|account|store|features?|labels?|target|train|test|val|validation|eval|role|arn|"
    r"description|tag|instance|machine|image|container|namespace|cluster|vpc|subnet|device|gpu|"
    r"accelerator)s?([_.-]|$)",
    re.IGNORECASE,
)
HYPER = regex(
    r"lr\b|learning|epoch|batch|alpha|beta|gamma|lambda|depth|estimators|leaves|dropout|decay|"
    r"momentum|optimi|hidden|layer|iter|steps?\b|seed|split|size|ratio|regular|penalty|\bc\b|"
    r"kernel|clusters|components|embed|heads?\b|warmup|patience|criterion|solver|trials|folds|"
    r"threshold|num_|(?:^|[_.-])n_|max_|min_|hparam|hyper|schedul|activation|loss|"
    r"(?:^|[_.-])arch",
    re.IGNORECASE,
)
DEFINES = regex(
    r"(add_argument|option|argument|Option|Argument|DEFINE_\w+|add_option|Parameter|IntParameter|"
    r"FloatParameter)$"
)
PIPELINE_PARAMETER = regex(
    r"^sagemaker\.(core\.)?workflow\.parameters\.Parameter(String|Integer|Float|Boolean)$"
)


class Source(Struct, frozen=True):
    """A source of settings. `kind` is `file`, `arguments`, `places`, `env` or `module`."""

    kind: str
    evidence: Evidence
    training: Evidence


def tunes(name: str) -> bool:
    """Whether an option of that name says how the model is trained, not where things are."""
    bare = name.lstrip("-")
    return bool(HYPER.search(bare)) or not PLACES.search(bare)


# A namespace that is handed on whole, as it is or as a dictionary: `main(args)`, `**vars(args)`.
_WHOLE = regex(
    r"\**((vars|dict|asdict)\()?([a-z]\w{0,30}\.){0,3}((\w{1,30}_)?(args?|opts?|options?|flags|parsed)|"
    r"cfg|conf|config|hparams|settings|namespace)(\.__dict__)?\)?",
    re.IGNORECASE,
)


def never_read(call: Call, modules: Iterable[Module]) -> bool:
    """Whether an option of argparse is declared, and the programs that know it never ask for it."""
    given = [v.literal for v in call.args if isinstance(v.literal, str)]
    told = call.kw("dest")
    name = told.literal if told is not None else max(given, key=len, default="")
    if call.method != "add_argument" or not isinstance(name, str) or not name:
        return False
    read = name.lstrip("-").replace("-", "_")
    return not any(read in m.names or _hands_on(m) for m in modules)


def _hands_on(module: Module) -> bool:
    values = (v for c in module.calls for v in (*c.args, *c.spreads, *(v for _, v in c.kwargs)))
    return any(_WHOLE.fullmatch(v.text) for v in values if len(v.text) < _SHORT)
