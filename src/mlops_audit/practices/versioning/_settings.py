"""Settings and hyperparameters: in which tracked files they stand and what reads these."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Class, Module, Param, Value
from mlops_audit.facts.records import holds_records
from mlops_audit.facts.types import Command
from mlops_audit.graph import Project
from mlops_audit.graph.memo import once
from mlops_audit.graph.rulefiles import rule_settings
from mlops_audit.graph.sourcelines import declared_span, keyword_span, line_at, line_span
from mlops_audit.graph.training import draws
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = [
    "code_defaults",
    "command_line",
    "is_hyperparameter",
    "read_by_training",
    "settings_files",
    "settings_in_use",
    "settings_modules",
]

_HYPER = regex(
    r"(^|[_.\-]|__)(lr|learning_?rate|n_?estimators|n_?est|max_?depth|min_?samples\w*|min_?split|"
    r"min_?child\w*|max_?leaf_?nodes|max_?leaves|(n|num)_?(rounds?|trees)|batch_?size|(n_?|num_?|max_?)?(train_?)?epochs?|max_?iters?|num_?iterations|n_?iter|"
    r"dropout(_?rate)?|weight_?decay|momentum|optimi[sz]er|scheduler|warmup\w*|hidden\w*|"
    r"(n_|num_)?layers?|n_?head|num_?heads|n_?embd|embed\w*dim|num_?leaves|subsample|colsample\w*|"
    r"reg_?(alpha|lambda)|alpha|l1_?ratio|gamma|lambda|kernel|penalty|solver|n_?neighbou?rs|"
    r"n_?clusters|n_?components|max_?features|ngrams?|ngram_?range|criterion|activation|"
    r"loss(_?fn|_?function)?|patience|early_?stopping\w*|test_?size|val(idation)?_?size|split(_?ratio)?|"
    r"train_?split|random_?state|seed|hyper_?param\w*|num_?boost_?round|boosting\w*|eta|beta|tau|"
    r"lookback|window_?size|seq_?len(gth)?|max_?len(gth)?|gradient_?accumulation\w*|lora_?\w*|"
    r"latent_?dim|filters|kernel_?size|temperature|threshold|objective|grad_?clip|block_?size|"
    r"image_?size|img_?size|vocab_?size|polynomial_?degree|degree|n_?splits|cv_?folds)$",
    re.IGNORECASE,
)
_WEAK = regex(  # alone they may stand in any file
    r"(^|[_.\-])(seed|threshold|objective|split|alpha|beta|filters|scheduler|temperature|kernel|"
    r"random_?state|degree|test_?size|gamma|lambda|loss|tau|max_?len(gth)?|embed\w*|layers?)$",
    re.IGNORECASE,
)
# A model as XGBoost and Keras write it: its numbers are those of one training.
_MODEL = regex(r"\s*\{\s*\"(learner|class_name)\"\s*:\s*[{\"]")
_DATA_FILE = regex(
    r"\.(ya?ml|json|toml|ini|cfg|conf|properties|hocon|gin|env)$|(^|/)\.env[\w.]*$|(^|/)mlproject$",
    re.IGNORECASE,
)
_NOT_SETTINGS = regex(
    r"(^|/)(\.github|\.gitlab|\.circleci|\.azure\w*|\.vscode|\.idea|\.dvc|\.devcontainer|k8s|helm|charts|"
    r"kubernetes|node_modules|tests?|docs?|mlruns|outputs?|results|reports|metrics|terraform|infra\w*|"
    r"dashboards?|grafana|prometheus|alertmanager)/|"
    r"(^|/)(docker-)?compose[\w.-]*\.ya?ml$|(^|/)(mkdocs|_config|environment[\w.-]*|conda[\w.-]*|meta|"
    r"codecov|readthedocs|\.readthedocs|\.pre-commit-config|dvc|\.gitlab-ci|azure-pipelines|cloudbuild|"
    r"serverless|\.travis|appveyor|action|pnpm-lock|\.coveragerc|tox|setup|pytest|mypy|poetry|"
    r"package(-lock)?|tsconfig|composer|manifest|vercel|renovate|\.releaserc|metrics|scores?|eval|results?|"
    r"schema|openapi|swagger|prometheus|datasources?|dashboards?|model_?card|mkdocs|pipfile|"
    # What a server of the stack reads; its keys are not the training's.
    r"airflow|webserver_config|superset_config|alembic|supervisord|nginx|uwsgi|redis|influxdb|"
    r"telegraf|grafana|loki|postgresql|mosquitto|rabbitmq|kafka|log4j2?)[\w.-]*$",
    re.IGNORECASE,
)
_SETTINGS_MODULE = regex(
    r"(^|/)(\w*config\w*|\w*settings?|hyper_?param\w*|(\w+_)?param(eter)?s|hparams?|defaults?|constants?|options)\.py$|"
    r"(^|/)(configs?|conf|settings|hparams|experiments)/[^/]+(/[^/]+)?\.py$",
    re.IGNORECASE,
)
_TRAINING_FILE = regex(
    r"(^|/)(hyper_?)?param(s|eters)?[\w-]*\.\w+$|(^|/)\w*(train|model)\w*\.ya?ml$", re.IGNORECASE
)
_MAX_BYTES = 200_000
# DeepSpeed takes `auto` from the trainer; what opens a block says nothing by itself.
_LEFT_OPEN = regex(r""":\s*(?:["']auto["']\s*,?|\{)\s*$""")
_KEY = regex(r"""^[\s\-{]*["']?([A-Za-z_][\w.\-]{0,60})["']?\s*[:=]\s*(\S.*)?$""")
_ENOUGH = 1
_INFRASTRUCTURE = regex(r"^(AWSTemplateFormatVersion|apiVersion)\b", re.MULTILINE)
# What a template of CloudFormation or ARM allows as its parameters.
_LIMITS = frozenset({"MaxLength", "MinLength", "maxLength", "minLength", "MaxValue", "MinValue"})


# Endpoints, computes and data of Azure ML; a job's file may hold hyperparameters.
_ASSET = regex(
    r"azuremlschemas\S*/(?!\w*(Job|Component|schedule)\.schema)\w+\.schema\.json", re.IGNORECASE
)


def is_hyperparameter(name: str, *, strong: bool = False) -> bool:
    """Whether a key is named like a hyperparameter; `strong` leaves out words of other trades."""
    return bool(_HYPER.search(name)) and not (strong and _WEAK.search(name))


def settings_files(project: Project) -> Iterator[tuple[str, list[Evidence], bool]]:
    """Tracked settings files: path, the hyperparameters in them, and whether they are read."""
    for path in project.paths:
        if not _DATA_FILE.search(path) or _NOT_SETTINGS.search(path):
            continue
        if path.endswith(".json") and re.search(r"(^|/)\w*data\w*/", path):
            continue
        if path.endswith("pyproject.toml") or (project.entry(path).size or 0) > _MAX_BYTES:
            continue
        text = project.text(path) or ""
        if _MODEL.match(text):
            continue
        found, any_key = _keys(path, text)
        if found and path.lower().endswith(".json") and holds_records(text):
            continue
        if any_key:
            yield path, found, _is_read(project, path)


def _keys(path: str, text: str) -> tuple[list[Evidence], bool]:
    found: list[Evidence] = []
    if _INFRASTRUCTURE.search(text):
        return [], False
    if _ASSET.search(text):  # settings of a platform, of which none is the training's
        return [], True
    strong = bool(_TRAINING_FILE.search(path))
    any_key = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("#", "//", ";")):
            continue
        pairs = (
            re.findall(r"""["']([A-Za-z_][\w.\-]{0,60})["']\s*:""", line)
            if path.endswith(".json")
            else []
        )
        match = _KEY.match(line)
        for key in pairs or ([match[1]] if match else []):
            any_key = True
            if _LEFT_OPEN.search(line):
                continue
            if is_hyperparameter(key) and key not in _LIMITS:
                strong = strong or is_hyperparameter(key, strong=True)
                found.append(Evidence(Span(path, number), line.strip()))
    # One word of another trade alone (a threshold, a seed) may mean anything; two are settings.
    distinct = {e.detail.split(":")[0] for e in found}
    return (found if strong or len(distinct) > _ENOUGH else []), any_key


def _is_read(project: Project, path: str) -> bool:
    """Whether code or a command names the file, its stem or its folder."""
    name = path.rsplit("/", 1)[-1]
    folder = path.rsplit("/", 2)[-2] if "/" in path else ""
    stem = name.split(".", 1)[0] or name
    words = _named(project)
    if name in words or stem in words:
        return True
    if folder and folder in words:
        return True
    if path in rule_settings(project):
        return True
    if any(path.startswith(composed) for composed in _composed(project)):
        return True
    return name.lower() in {"params.yaml", "mlproject", ".env"} and bool(project.modules)


@once
def _composed(project: Project) -> tuple[str, ...]:
    """The folders from which Hydra composes settings: all groups below them are read."""
    found = set()
    for path, module in project.modules.items():
        home = path.rpartition("/")[0]
        for call in module.calls:
            given = call.kw("config_path") if call.name.startswith("hydra.") else None
            if given is not None and isinstance(given.literal, str):
                found.add(f"{project.places.join(home, given.literal)}/")
    return tuple(sorted(found - {"/"}))


@once
def _named(project: Project) -> frozenset[str]:
    """All names of files and folders that code and commands mention."""
    found: set[str] = set()
    for module in project.own_code:
        for text in module.texts:
            if not text.doc and len(text.value) < 200:  # noqa: PLR2004 -- a path, no prose
                found.update(_parts(text.value))
    for command, _ in project.all_commands:
        for word in command.argv[1:]:
            found.update(_parts(word))
    for pattern in ("**/dvc.yaml", "**/Dockerfile*", "README*", "**/MLproject"):
        for path in project.glob(pattern):
            for word in re.findall(r"[\w./\-]{3,120}", project.text(path) or ""):
                if "/" in word or "." in word:
                    found.update(_parts(word))
    return frozenset(found)


def read_by_training(project: Project, path: str) -> bool:
    """Whether a program that trains, or a module of its, names or imports a settings file."""
    folder, _, name = path.rpartition("/")
    programs = {p for p in project.roles.training if p in project.modules}
    for training in sorted(p for p in programs if not project.modules[p].notebook):
        for near in (training, *sorted(_near(project, training))):
            if near == path and near != training:
                return True
            texts = project.modules[near].texts
            if any(not t.doc and t.value.endswith(name) for t in texts):
                return True
            # Feast is given the folder of its settings.
            if name == "feature_store.yaml" and any(
                not t.doc and t.value.strip("./") == folder for t in texts
            ):
                return True
    return False


def settings_in_use(project: Project, path: str) -> bool:
    """Whether code that does not watch the data takes values from a module of settings.

    A logger that is set up beside the settings is none, nor are functions that read others.
    """
    own = project.modules.get(path)
    if own is None or not (
        any(k.fields for k in own.classes)
        or any(not a.scope and "getLogger" not in a.value.text for a in own.assigns)
        or any(a.targets[0].startswith("self.") for a in own.assigns if a.targets)
    ):
        return False
    watching = {u.path for u in project.uses("drift.detect", test=False, notebook=False)}
    for module in project.source:
        user = module.path
        if user == path or user in watching:
            continue
        if any(
            (i.name and "log" not in i.name.lower() and symbol.path == path)
            for i in module.imports
            for name in (i.dotted, i.module)
            if (symbol := project.index.resolve(name, user)) is not None
        ):
            return True
    return False


@once
def _near(project: Project, path: str) -> frozenset[str]:
    """The modules of the project that a module imports directly."""
    found = set()
    for item in project.modules[path].imports:
        for name in (item.dotted, item.module):
            symbol = project.index.resolve(name, path)
            if symbol and symbol.path != path:
                found.add(symbol.path)
    return frozenset(found)


def _parts(text: str) -> Iterator[str]:
    for part in re.split(r"[/\\=\s:]", text):
        if part and len(part) < 80:  # noqa: PLR2004 -- no name of a file is longer
            yield part
            if "." in part.lstrip("."):
                yield part.split(".", 1)[0]


def settings_modules(project: Project) -> Iterator[tuple[str, list[Evidence]]]:
    """Python modules of settings that others use, with the hyperparameters in them."""
    executes = any(
        c.name in {"exec", "runpy.run_path", "importlib.import_module"}
        or c.name.endswith((".from_py_file", ".fromfile", "exec_module"))
        for m in project.modules.values()
        for c in m.calls
    )
    used = _imported(project)
    for module in project.source:
        path = module.path
        if not _SETTINGS_MODULE.search(path):
            continue
        trains = path in project.roles.training or any(draws(f.name) for f in module.functions)
        if module.functions and trains:
            continue  # a program that trains, searches or draws, whatever it is called
        if path in used or executes:
            yield path, list(_hyper_assigns(project, module))


@once
def _imported(project: Project) -> frozenset[str]:
    near = (_near(project, p) for p in project.modules if p not in project.test_files)
    return frozenset().union(*near)


def _field(project: Project, klass: Class, field: Param) -> Evidence:
    """A field of a settings class with its default."""
    detail = f"{klass.name}.{field.name} = {field.default.text if field.default else ''}"
    return Evidence(declared_span(project, klass.span, field.name), detail)


# The arguments of one kind of layer: they are part of an architecture's code.
_OF_LAYERS = frozenset({"axis", "epsilon", "kernel_initializer", "padding", "use_bias", "center"})


def _hyper_assigns(project: Project, module: Module) -> Iterator[Evidence]:
    for item in module.assigns:
        value = item.value
        names = [t.rsplit(".", 1)[-1] for t in item.targets] if _holds(value) else []
        keys = {k.strip("'\"") for k in _all_keys(value)}
        names += sorted(keys) if keys.isdisjoint(_OF_LAYERS) else []
        if any(is_hyperparameter(n) for n in names):
            yield Evidence(item.span, f"{item.targets[0]} = {value.text}")
    for klass in module.classes:
        for field in klass.fields:
            if field.default is not None and is_hyperparameter(field.name):
                yield _field(project, klass, field)
    for call in module.calls:
        for name, value in call.kwargs:
            if is_hyperparameter(name, strong=True) and value.is_literal:
                yield Evidence(keyword_span(project, call, name), f"{name}={value.text}")


def _holds(value: Value) -> bool:
    """Whether a value is written down; what a function finds out is no setting."""
    return value.is_literal or (bool(value.items) and not _SOUGHT.search(value.name))


def _all_keys(value: Value) -> Iterator[str]:
    """The keys of a dictionary and of those in it, but for values that a search suggests."""
    stack = [value]
    while stack:
        current = stack.pop()
        for key, item in zip(current.keys, current.items, strict=False):
            if not _SUGGESTED.search(item.name or item.text):
                yield key
        stack.extend(current.items)


_SUGGESTED = regex(r"\bsuggest_\w+")
_SOUGHT = regex(r"(^|[.:])(sample|suggest|find|search|tune)_\w*$")
_FLAGS, _ABOVE = 30, 6  # lines over which one command can be written


def command_line(project: Project) -> Iterator[Evidence]:
    """Commands of tracked scripts and task files that set hyperparameters as flags."""
    for command, where in project.all_commands:
        if where != "notebook" and (flag := _hyper_flag(command)):
            word = next((w for w in command.argv[1:] if _hyper_word(w)), "")
            name = re.split(r"[=\s]", word)[0]
            line = command.span.line or 1
            place = line_span(project, command.span, re.escape(name), line + _FLAGS)
            if place == command.span and not re.search(
                re.escape(name), line_at(project, place)
            ):  # a manifest can name the arguments above the program
                above = Span(place.path, max(1, line - _ABOVE))
                higher = line_span(project, above, re.escape(name), line)
                place = higher if higher != above else place
            yield Evidence(place, flag)


def _hyper_word(word: str) -> bool:
    name = re.match(r"-{1,2}(?:P|S)?([A-Za-z_][\w\-]*)|([A-Za-z_][\w.]*)=", word)
    return name is not None and is_hyperparameter(
        (name[1] or name[2]).replace("-", "_"), strong=True
    )


def _hyper_flag(command: Command) -> str:
    if not re.search(r"\.py\b|^(python|accelerate|torchrun|deepspeed|yolo|mlflow)", command.text):
        return ""
    return command.text if any(_hyper_word(w) for w in command.argv[1:]) else ""


# A function that makes the settings of a program (`get_config`, `default_hparams`).
_MAKES_SETTINGS = regex(r"(^|[._])(config|cfg|hparams|hyper_?parameters)$", re.IGNORECASE)


def code_defaults(project: Project) -> Iterator[Evidence]:
    """Hyperparameters as defaults of arguments, of settings classes or of settings made in code."""
    for module in project.source:
        if project.is_example(module.path):
            continue
        for call in module.calls:
            if call.method in {
                "add_argument",
                "option",
                "Option",
                "DEFINE_float",
                "DEFINE_integer",
            }:
                names = [
                    str(v.literal).lstrip("-").replace("-", "_") for v in call.args if v.literal
                ]
                if any(is_hyperparameter(n, strong=True) for n in names):
                    yield Evidence(call.span, call.text or names[0])
        for klass in module.classes:
            for field in klass.fields:
                if field.default is not None and is_hyperparameter(field.name, strong=True):
                    yield _field(project, klass, field)
        for item in module.assigns:
            name = item.targets[0].rpartition(".")
            if (
                item.value.literal is not None
                and name[1]
                and _MAKES_SETTINGS.search(item.scope)
                and is_hyperparameter(name[2], strong=True)
            ):
                yield Evidence(item.span, f"{item.targets[0]} = {item.value.text}")
