"""Where training takes its settings from: files, the command line, the environment, constants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.kedronodes import kedro_nodes
from mlops_audit.graph.magefiles import mage_pipelines
from mlops_audit.graph.rulefiles import config_place
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.training import is_training, programs, trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span

__all__ = ["Source", "sources_of_settings", "tunes_training", "unread_settings"]

# Options that say where things are or which version, not how the model is trained.
_PLACES = re.compile(
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
_HYPER = re.compile(
    r"lr\b|learning|epoch|batch|alpha|beta|gamma|lambda|depth|estimators|leaves|dropout|decay|"
    r"momentum|optimi|hidden|layer|iter|steps?\b|seed|split|size|ratio|regular|penalty|\bc\b|"
    r"kernel|clusters|components|embed|heads?\b|warmup|patience|criterion|solver|trials|folds|"
    r"threshold|num_|(?:^|[_.-])n_|max_|min_|hparam|hyper|schedul|activation|loss|"
    r"(?:^|[_.-])arch",
    re.IGNORECASE,
)
_OF_TRAINING = re.compile(
    r"learning|epoch|depth|estimators|leaves|dropout|hparam|hyper|(^|_)lr$|alpha|gamma|regulari|"
    r"penalty|momentum|optimi[sz]er|kernel|solver|test_size|(train|batch)_?(size|steps)|max_steps|"
    r"num_(boost|trees|layers|steps|trials)|(^|_)seed$|random_state",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"(add_argument|option|argument|Option|Argument|DEFINE_\w+|add_option|Parameter|IntParameter|"
    r"FloatParameter)$"
)
_READS_FILE = re.compile(
    r"^(yaml\.|ruamel|toml|tomli|tomllib|omegaconf|hydra|dynaconf|box|gin|ml_collections|yacs|"
    r"confection|confuse|configparser|mmengine|mmcv|spacy|fvcore|dvc\.api|neuro_mf|strictyaml)"
)
_CLIENTS = frozenset({"requests", "httpx", "urllib", "urllib3", "aiohttp"})
_ANSWER = re.compile(r"\.(content|text|body|read\(\))|requests\.|urlopen\(|httpx\.")
_SETTINGS_NAME = re.compile(
    r"conf(ig)?|param|setting|hparam|hyper|options|\bargs\b|\bcfg\b", re.IGNORECASE
)
_FILES = re.compile(
    r"(^|/)[^/]*(conf|param|setting|hparam|hyper|options|main|train|model|experiment)[^/]*"
    r"\.(ya?ml|json|toml|ini|cfg|gin)$|(^|/)(conf|configs?|params|settings|hparams|experiments)/"
    r".*\.(ya?ml|json|toml|ini|cfg|gin)$",
    re.IGNORECASE,
)
_NOT_FILES = re.compile(
    r"(^|/)(\.|node_modules|charts?|k8s|kubernetes|terraform|infra|grafana|prometheus|mlruns|"
    r"data|docs)|(^|/)(mkdocs|docker|package|tsconfig|setup|tox|great_expectations|pyproject)|dvc\.",
    re.IGNORECASE,
)
_ENV_PLACES = re.compile(
    r"path|dir(_|$)|folder|root|file|bucket|date|day|month|year|data|csv|input|output|table|model",
    re.IGNORECASE,
)
_SERVICES = re.compile(
    r"mlflow|wandb|neptune|comet|clearml|dagshub|^aws_|^azure_|^google_|api_?key|token|secret|"
    r"passw|credential|endpoint|_host$|_port$|_ur[il]$|user(name)?$",
    re.IGNORECASE,
)
_KEY = re.compile(r"""^[\s\-{]*["']?([A-Za-z_][\w.\-]{0,60})["']?\s*[:=]\s*(.{0,200})$""")
_AMOUNT = re.compile(r"""["']?(-?\d|true\b|false\b)""", re.IGNORECASE)
_MODULE = re.compile(
    r"(^|/)(\w*config\w*|\w*settings?|hyper_?param\w*|params|parameters|constants?)\.py$",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"[{,]\s*[\"'](\w{2,40})[\"']\s*:")  # of a table of settings
_RUN_CONFIG = re.compile(r"dagster\.(Config|PermissiveConfig|RunConfig)$|zenml\..*BaseParameters$")
_SETTINGS_CLASS = re.compile(r"pydantic(_settings)?(\.\w+){0,3}\.BaseSettings$")
_PIPELINE_PARAMETER = re.compile(
    r"^sagemaker\.workflow\.parameters\.Parameter(String|Integer|Float|Boolean)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ALL_ARGUMENTS = re.compile(r"(sys\.)?argv(\[1?:\])?")
_MAX_FILES = 60
_OF_KEDRO = re.compile(r"params:|parameters$")
# Functions that a person or a platform calls by their names (`run_fn` is that of a TFX Trainer).
_STARTED = frozenset({"main", "train", "run", "cli", "run_fn", "train_fn", "training_fn"})


class Source(Struct, frozen=True):
    """A source of settings. `kind` is `file`, `arguments`, `places`, `env` or `module`."""

    kind: str
    evidence: Evidence
    training: Evidence


def sources_of_settings(project: Project) -> list[Source]:
    """Where the training programs take their settings from, best first."""
    found: list[Source] = []
    for module, trained, walked in _programs(project):
        found += _of_program(project, module, trained, walked)
        if any(s.kind in {"file", "arguments"} for s in found):
            break
    found += [*_of_nodes(project), *_of_runs(project), *_of_mage(project)]
    order = ("file", "arguments", "places", "env", "module")
    return sorted(found, key=lambda s: order.index(s.kind))


def _of_nodes(project: Project) -> Iterator[Source]:
    """Settings that Kedro hands to a node that trains: `params:learning_rate`, `parameters`."""
    for node in kedro_nodes(project):
        names = [name for name in node.inputs if _OF_KEDRO.match(name)]
        trained = trains_here(project, scopes(project, [node.function])) if names else ()
        if trained:
            tunes = any(name == "parameters" or _tunes(name) for name in names)
            shown = Evidence(trained[0][1].span, f"trains: {_line(trained[0][1])}")
            yield Source("file" if tunes else "places", node.evidence, shown)


def _of_mage(project: Project) -> Iterator[Source]:
    """Variables of a Mage pipeline that trains, which its blocks are given."""
    for pipeline in mage_pipelines(project):
        trained = pipeline.trains(project) if pipeline.variables else None
        if trained is not None:
            named = sorted(pipeline.variables, key=lambda v: not _HYPER.search(v[0]))
            tunes = bool(_HYPER.search(named[0][0]))
            yield Source("file" if tunes else "places", named[0][1], trained)


# Platforms on which each run of a pipeline is given its function's parameters.
_TAKES_INPUTS = frozenset({"Flyte", "Kubeflow", "Prefect", "ZenML"})


def _of_runs(project: Project) -> Iterator[Source]:
    """Parameters that each run of a platform's pipeline is given, and what they train with."""
    trained = next((u.evidence() for u in project.uses("train.fit", notebook=False)), None)
    if trained is None:
        return
    for module in project.source:
        for call in module.calls if "RuntimeParameter" in module.names else ():
            value = call.arg(0, "name")
            if call.method == "RuntimeParameter" and value is not None and _sure(value.literal):
                yield Source("arguments", Evidence(call.span, _line(call)), trained)
    for use in project.uses("pipeline.define", notebook=False):
        if use.tool not in _TAKES_INPUTS or use.call is None:
            continue
        owner = project.modules[use.path].function(use.call.decorates)
        tuned = [p.name for p in owner.params if _sure(p.name)] if owner is not None else []
        if owner is not None and tuned:
            shown = f"pipeline {owner.name}: {', '.join(tuned[:3])}"
            yield Source("arguments", Evidence(owner.span, shown), trained)


def _sure(name: object) -> bool:
    """Whether a parameter of a whole pipeline is one of the training."""
    return isinstance(name, str) and bool(_OF_TRAINING.search(name))


def _programs(project: Project) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """The programs that train: by their calls, else by what they import."""
    training = project.roles.training
    rest: list[Module] = []
    library = project.roles.kind == "library"  # what its classes do is up to others
    started = programs(project, project.modules) if library else frozenset(project.modules)
    modules = sorted(
        (project.modules[p] for p in started if p not in project.test_files),
        key=lambda m: (m.notebook, project.is_example(m.path), m.path not in training, m.path),
    )
    for module in modules:
        if module.path not in training and module.main_line is None and module.functions:
            if not module.notebook:
                rest.append(module)
            continue
        if module.notebook and module.path not in training:
            continue
        roots = [Scope(module.path), *(Scope(module.path, n) for n in _roots(module))]
        walked = scopes(project, roots, imports=True)
        trained = trains_here(project, walked)
        if trained:
            calls = [c for _, c in trained]
            call = next((c for c in calls if c.method != "create_study"), calls[0])
            yield module, Evidence(call.span, f"trains: {_line(call)}"), walked
        else:
            rest.append(module)
    if training:
        yield from _importers(project, rest, training)
    yield from _launchers(project, rest)


def _launchers(
    project: Project, modules: Iterable[Module]
) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """Programs that hand hyperparameters to a job which a platform's own image trains."""
    for module in modules:
        started = module.main_line is not None or any(
            _PIPELINE_PARAMETER.search(c.name) for c in module.calls
        )
        if not started or project.is_example(module.path):
            continue
        for call in module.calls:
            if call.method == "set_hyperparameters" or call.kw("hyperparameters") is not None:
                walked = scopes(project, [Scope(module.path)], imports=True)
                yield module, Evidence(call.span, f"training job: {_line(call)}"), walked
                break


def _importers(
    project: Project, modules: Iterable[Module], training: frozenset[str]
) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """Programs that build their jobs from settings: they import the training code."""
    for module in modules:
        if module.main_line is None and not any(
            "parse" in c.method or _DEFINES.search(c.name) for c in module.calls
        ):
            continue
        near = _imported(project, module)
        reached = sorted(near & training)
        if not reached:
            continue
        if not any(project.modules[p].functions for p in reached[:1]):
            continue
        names = [Scope(module.path), *(Scope(module.path, f.qualname) for f in module.functions)]
        yield module, _trained(project, reached), scopes(project, names, imports=True)


def _trained(project: Project, paths: list[str]) -> Evidence:
    """A call that trains in one of the modules, else the first of them."""
    for path in paths:
        use = next((u for u in project.uses_in(path) if is_training(u)), None)
        if use is not None:
            return Evidence(use.span, f"trains: {use.detail}")
    return Evidence(Span(paths[0]), "training code")


def _imported(project: Project, module: Module) -> frozenset[str]:
    """Paths of the project's modules that a module imports, directly or not."""
    seen = {module.path}
    queue = [module]
    while queue and len(seen) < 200:  # noqa: PLR2004 -- a bound for cycles and giants
        near = queue.pop()
        for item in near.imports:
            for name in (item.dotted, item.module):
                symbol = project.index.resolve(name, near.path)
                if symbol and symbol.path not in seen:
                    seen.add(symbol.path)
                    queue.append(project.modules[symbol.path])
    return frozenset(seen - {module.path})


def _roots(module: Module) -> Iterator[str]:
    """Functions that something outside calls: decorated ones, and what trains here."""
    for f in module.functions:
        if f.decorators or f.name in _STARTED:
            yield f.qualname


def _of_program(
    project: Project, module: Module, trained: Evidence, walked: tuple[Scope, ...]
) -> Iterator[Source]:
    uses = [u for u in uses_of(project, walked) if u.capability in {"config.parse", "config.env"}]
    calls = list(calls_of(project, walked))
    yield from _of_files(project, uses, calls, trained)
    if (place := config_place(module)) is not None:
        yield Source("file", place, trained)
    names = _option_names(project, uses, calls)
    parsed = [u for u in uses if u.capability == "config.parse" and not _is_file(u)]
    if parsed and (names or not _only_switches(calls)):
        kind = "arguments" if any(_tunes(n) for n in names) or not names else "places"
        yield Source(kind, parsed[0].evidence(), trained)
    yield from _of_run_configuration(project, walked, trained)
    yield from _of_pipeline_parameters(module, trained)
    if home := _home_made(module) or _sets_any(project, module):
        yield Source("arguments", home, trained)
    elif "argv" in module.names:
        call = next((c for c in module.calls if "argv" in c.text), None)
        place = Evidence(call.span, _line(call)) if call else trained
        named = [
            a
            for a in module.assigns
            if "argv" in a.value.text
            and any(_HYPER.search(t) and not _PLACES.search(t) for t in a.targets)
        ]
        if named:
            shown = f"{named[0].targets[0]} = {named[0].value.text}"
            yield Source("arguments", Evidence(named[0].span, shown), trained)
        else:
            yield Source("places", place, trained)
    elif (read := _helped(project, module, walked)) is not None:
        yield Source("places", read, trained)
    for use in uses:
        if use.capability == "config.env" and not _of_services(use):
            yield Source("env", use.evidence(), trained)
            break
    yield from _of_modules(project, walked, trained)


def _of_services(use: Use) -> bool:
    """Whether a variable says where a service is, who asks it, or nothing of a training."""
    if use.call is not None and use.call.method == "load_dotenv":
        return True  # which variables are read stands where they are
    names = re.findall(r"[\"'](\w+)[\"']", use.detail)[:1]
    if not names or _HYPER.search(names[0]):
        return False
    return bool(_SERVICES.search(names[0])) or not _ENV_PLACES.search(names[0])


def _of_run_configuration(
    project: Project, walked: tuple[Scope, ...], trained: Evidence
) -> Iterator[Source]:
    """Classes of settings that an orchestrator, or the environment, fills for each run."""
    for path in dict.fromkeys(s.path for s in walked):
        for klass in project.modules[path].classes:
            bases = tuple(project.index.bases(path, klass)) if klass.fields else ()
            if any(_RUN_CONFIG.match(b) for b in bases):
                tuned = [f.name for f in klass.fields if _tunes(f.name)]
            elif any(_SETTINGS_CLASS.match(b) for b in bases):
                tuned = [f.name for f in klass.fields if _HYPER.search(f.name)]
            else:
                continue
            if tuned:
                shown = f"class {klass.name}: {', '.join(tuned[:3])}"
                yield Source("arguments", Evidence(klass.span, shown), trained)


def _of_pipeline_parameters(module: Module, trained: Evidence) -> Iterator[Source]:
    """Parameters that a platform's pipeline takes for each run."""
    given: list[tuple[str, Call]] = []
    for call in module.calls:
        if _PIPELINE_PARAMETER.search(call.name):
            value = call.arg(0, "name")
            if value is not None and isinstance(value.literal, str):
                given.append((_CAMEL.sub("_", value.literal), call))
    tuned = [call for name, call in given if _tunes(name)]
    if given:
        call = (tuned or [given[0][1]])[0]
        kind = "arguments" if tuned else "places"
        yield Source(kind, Evidence(call.span, _line(call)), trained)


def _is_file(use: Use) -> bool:
    name = use.call.name if use.call else ""
    return bool(_READS_FILE.match(name))


def _of_files(
    project: Project, uses: list[Use], calls: list[tuple[Module, Call]], trained: Evidence
) -> Iterator[Source]:
    reads = [u.evidence() for u in uses if _is_file(u) and not _fetched(project, u)]
    for module, call in calls:
        if call.name == "json.load":
            line = module.flat(call.span)
            opened = (c.text for c in module.calls_within((line - 2, line)) if c.method == "open")
            around = " ".join([call.text, *call.targets, call.scope, *opened])
            if _SETTINGS_NAME.search(around):
                reads.append(Evidence(call.span, _line(call)))
    if not reads:
        return
    tuned = _tuning_file(project, _opened(project, reads))
    yield Source("places" if tuned is False else "file", reads[0], trained)


def _fetched(project: Project, use: Use) -> bool:
    """Whether what is parsed is the answer of a server: `yaml.safe_load(response.text)`."""
    if use.call is None or not use.call.args:
        return False
    module, text = project.modules[use.path], use.call.args[0].text
    if not module.roots & _CLIENTS:
        return False
    set_before = [
        a.value.text
        for a in module.assigns
        if a.scope == use.call.scope and text.split(".")[0] in a.targets
    ]
    return any(_ANSWER.search(t) for t in [text, *set_before[-1:]])


def _opened(project: Project, reads: list[Evidence]) -> list[str]:
    """The settings files that are read, where all of them are named where they are opened."""
    found: list[str] = []
    for read in reads:
        module = project.modules[read.span.path]
        line = module.flat(read.span)
        named = [
            value.literal
            for call in module.calls_within((line - 2, line))
            if call.method in {"open", "read_text"} and (value := call.arg(0, "file")) is not None
        ]
        places = [project.places.file(name, "") for name in named if isinstance(name, str)]
        if not any(places):
            return []
        found += [place for place in places if place]
    return found


def _tuning_file(project: Project, named: list[str]) -> bool | None:
    """Whether a settings file holds more than places; None when there is no file to look at."""
    files = named or [p for p in project.paths if _FILES.search(p) and not _NOT_FILES.search(p)]
    seen = False
    for path in files[:_MAX_FILES]:
        if (project.entry(path).size or 0) > 200_000:  # noqa: PLR2004 -- data, no settings
            continue
        for line in (project.text(path) or "").splitlines()[:2000]:
            found = _KEY.match(line)
            if found and not found[2].strip().startswith(("{", "[", "|", ">", "&")):
                seen = True
                if _tells(found[1], found[2].strip().rstrip(",")):
                    return True
    return False if seen else None


def _tells(name: str, value: str) -> bool:
    """Whether a line of settings is one of a training: by its name, or as a number or switch.

    Words under other names (`AUTHOR: somebody`, `LOG_LEVEL: INFO`) say nothing of a training.
    """
    if value in {"", '""', "''"}:
        return False
    return bool(_HYPER.search(name)) or (_tunes(name) and bool(_AMOUNT.match(value)))


def unread_settings(project: Project) -> Evidence | None:
    """A file named like the settings of a training, for when nothing reads it."""
    files = [p for p in project.paths if re.search(r"(^|/)(hyper_?)?params\w*\.(ya?ml|json)$", p)]
    return Evidence(Span(files[0]), "settings") if files else None


def tunes_training(name: str) -> bool:
    """Whether a setting's name is one of a hyperparameter."""
    return bool(_HYPER.search(name))


def _tunes(name: str) -> bool:
    bare = name.lstrip("-")
    return bool(_HYPER.search(bare)) or not _PLACES.search(bare)


def _option_names(project: Project, uses: list[Use], calls: list[tuple[Module, Call]]) -> list[str]:
    """The options that a program declares; for fire and typer, the parameters of the function."""
    names: list[str] = []
    for module, call in calls:
        if _DEFINES.search(call.name) and not _is_switch(call):
            given = call.args or tuple(v for k, v in call.kwargs if k == "name")
            texts = [v.literal for v in given if isinstance(v.literal, str)]
            names += [max(texts, key=len)] if texts else []
        if call.method in {"Fire", "run", "CLI", "cli", "auto_cli"} and call.args:
            symbol = project.index.resolve(call.args[0].name, module.path)
            function = project.index.function_of(symbol) if symbol else None
            names += [p.name for p in function.params] if function else []
    for use in uses:
        if use.call and use.call.decorates:
            owner = project.modules[use.path].function(use.call.decorates)
            names += [p.name for p in owner.params] if owner else []
    return names


def _is_switch(call: Call) -> bool:
    """Whether an option takes no value and chooses what is done: `--download`, `--train`."""
    action = call.kw("action")
    if action is None or action.literal not in {"store_true", "store_false"}:
        return False
    return not any(isinstance(v.literal, str) and _HYPER.search(v.literal) for v in call.args)


def _only_switches(calls: list[tuple[Module, Call]]) -> bool:
    """Whether all that a program is told is which of its steps to do."""
    defined = [c for _, c in calls if _DEFINES.search(c.name)]
    return len(defined) > 1 and all(_is_switch(c) for c in defined)


def _home_made(module: Module) -> Evidence | None:
    """`exec` of a file of settings: values given outside overwrite the module's own."""
    for call in module.calls:
        if call.name == "exec" and call.args and "open(" in call.args[0].text:
            return Evidence(call.span, _line(call))
    return None


def _sets_any(project: Project, module: Module) -> Evidence | None:
    """A parser of the project that sets whatever the command line names: `--lr=0.1`."""
    for call in module.calls if "argv" in module.names else ():
        if not call.args or not _ALL_ARGUMENTS.fullmatch(call.args[0].text):
            continue
        for other in project.source:
            for function in other.functions:
                if function.name != call.method:
                    continue
                inside = {c.method for c in other.calls_in(function.qualname)}
                if "setattr" in inside or inside & {"literal_eval", "set_attribute"}:
                    return Evidence(call.span, _line(call))
    return None


def _helped(project: Project, module: Module, walked: tuple[Scope, ...]) -> Evidence | None:
    """The arguments by their position, which a helper in another module hands to the program."""
    for scope in walked:
        other = project.modules.get(scope.path)
        if other is None or scope.path == module.path or not scope.qualname:
            continue
        for assign in other.assigns if "argv" in other.names else ():
            if assign.scope == scope.qualname and re.match(r"sys\.argv\[", assign.value.text):
                return Evidence(assign.span, f"{assign.targets[0]} = {assign.value.text}")
    return None


def _of_modules(project: Project, walked: tuple[Scope, ...], trained: Evidence) -> Iterator[Source]:
    """A settings module of constants that the training code imports."""
    for path in dict.fromkeys(s.path for s in walked):
        module = project.modules.get(path)
        if module is None or not _MODULE.search(path):
            continue
        for assign in module.assigns:
            if assign.scope:
                continue
            value = assign.value
            table = (k for k in _ENTRY.findall(value.text[:2000]) if _OF_TRAINING.search(k))
            if (value.is_literal and _tunes(assign.targets[0])) or next(table, ""):
                detail = f"{assign.targets[0]} = {value.text}"
                yield Source("module", Evidence(assign.span, detail), trained)
                return


def _line(call: Call) -> str:
    return call.told
