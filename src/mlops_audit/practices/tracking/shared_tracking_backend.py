"""TRK06: runs go to a shared server or service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from mlops_audit.facts.code import Module, Value
from mlops_audit.graph import Project
from mlops_audit.graph.settings import setting
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.graph.trackers import Tracked, tracked
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._offline import stays_local
from mlops_audit.practices.tracking._pipeline_records import declared_metrics
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a hosted tracker, a tracking URI with a remote value, a server defined here that runs use, "
    "or git-based experiments with a shared DVC remote"
)
_HOSTED = frozenset(
    ["Weights & Biases", "Comet", "Neptune", "Google Vertex AI", "Azure Machine Learning",
     "Amazon SageMaker", "DagsHub", "SwanLab", "ClearML", "Opik", "Polyaxon", "Determined AI"]
)  # fmt: skip
_LOOPBACK = regex(r"://(localhost|127\.|0\.0\.0\.0|host\.docker\.internal|\[::1\])")
_REMOTE = regex(
    r"^(https?|postgres(ql)?(\+\w+)?|mysql(\+\w+)?|mssql(\+\w+)?|s3|gs|arn|azureml|mlflow-artifacts)"
    r":(//)?[^\s{}/]|^databricks"
)
_LOCAL = regex(r"^(file:|sqlite:|\.{0,2}/|mlruns|~)|" + _LOOPBACK.pattern)
_TO_FILL = regex(r"<[\w -]{1,60}>|\byour[-_]", re.IGNORECASE)  # what each user puts in
_UNKNOWN = regex(r"^https?://\{")  # the host comes from outside
_SERVES_ALL = regex(r"\bmlflow (server|ui)\b.{0,300}(--host[= ]|-h )0\.0\.0\.0")
_DATABASE = regex(r"--backend-store-uri[= ](postgres|mysql|mssql)")
_URI_NAMES = ("MLFLOW_TRACKING_URI", "mlflow_tracking_uri", "tracking_uri", "CLEARML_API_HOST")
_SERVER_NAMES = ("MLFLOW_TRACKING_URI", "ZENML_STORE_URL", "ZENML_SERVER_URL", "CLEARML_API_HOST")
_ENV_LINE = regex(rf"(?:{'|'.join(_SERVER_NAMES)}):\s*[\"']?([^\s\"'#]+)")
_ENV_NAME = regex(rf"-\s*name:\s*[\"']?(?:{'|'.join(_SERVER_NAMES)})[\"']?\s*$")
_ENV_VALUE = regex(r"^\s*value:\s*[\"']?([^\s\"'#]+)")
_FLAG = regex(r"--(?:tracking[-_]uri|url)(?:=(.+))?$")
_IN_CALL = regex(r"[\"']((?:https?|sqlite|file|databricks)[^\"']*)[\"']")
_HOLE = regex(r"\{([A-Za-z_][\w.]*)\}")
_TOLD_BY = ("mlflow", "zenml", "clearml", "aim")
_MACHINE = regex(
    r"(^aws_instance|compute_instance|virtual_machine|EC2::Instance|ecs_service|app_runner_service|"
    r"cloud_run\w*|container_app|helm_release|^Deployment|^StatefulSet|"
    r"Mlflow(TrackingServer|App)|mlflow_(tracking_server|app))$"
)
_HOPS = 4

_WRAPS = regex(r"^wandb\.(Image|Table|Histogram|Html|Video|Audio|plot)\b")  # and sends nothing


@practice(
    id="TRK06",
    title="Runs go to a shared tracking server or service",
    assets="system",
    level="4s",
    sources="S0 S4",
    fix="Set the tracking URI of the runs to a server that the team reaches.",
    template=(".dvc/config", "src/<package>/models/track_dvclive.py"),
    needs=("training",),
)
def shared_tracking_backend(project: Project) -> Verdict:
    """Where the runs that a tracker records end up."""
    found = [t for t in tracked(project) if t.capability != "tracker.off"]
    on = [t for t in found if t.standing == "on"]
    away = {t.tool for t in on if t.tool in _HOSTED}
    away -= {tool for tool in away if stays_local(project, tool, on)}
    # What only a notebook tries beside programs that another tracker records is no backend.
    running = (t for t in found if t.standing in {"on", "local"})
    if scripted := {t.tool for t in running if not t.evidence.span.path.endswith(".ipynb")}:
        away &= scripted
    if hosted := [t.evidence for t in on if t.tool in away]:
        sent = [e for e in hosted if not _WRAPS.search(e.detail)] or hosted
        return passed("Runs go to a hosted service.", sent)
    if on and (platform := _platform(project)):
        return passed("Runs are jobs of a platform, which tracks them.", platform)
    if verdict := _by_uri(project, on):
        return verdict
    live = [t for t in on if t.tool == "DVCLive"] or (declared_metrics(project) if not on else [])
    shared = [r for r in project.dvc.remotes if r.shared]
    if live and shared and project.dvc.locks:
        remotes = [Evidence(r.span, f"remote {r.name}: {r.url}") for r in shared]
        return passed("Experiments lie in git, with a shared remote for their data.", remotes)
    recorded = [t for t in found if t.standing in {"on", "local"}]
    if recorded:
        return partial("Runs stay on the machine that makes them.", _shown(recorded))
    switch = [t for t in found if t.standing == "switch"]
    if switch:
        return partial("A tracker stands behind a switch that nothing turns on.", _shown(switch))
    return failed("Nothing is tracked on a shared server.", looked_for=_LOOKED_FOR)


def _platform(project: Project) -> list[Evidence]:
    """Jobs of Azure ML and Databricks, whose MLflow runs go to the workspace."""
    found = [
        s.evidence()
        for s in setting(project, "$schema")
        if "azuremlschemas" in str(s.value)
        and re.search("job|pipeline", str(s.value), re.IGNORECASE)
    ]
    found += [
        Evidence(c.span, c.text)
        for c, _ in project.all_commands
        if c.argv[:4] == ("az", "ml", "job", "create")
        or c.argv[:3] == ("databricks", "bundle", "deploy")
    ]
    found += [Evidence(Span(p), "Databricks bundle") for p in project.glob("**/databricks.yml")]
    found += [
        Evidence(text_span(project, Span(f.span.path, 1), f.name), f"Databricks job {f.name}")
        for f in project.pipeline_files
        if f.tool == "databricks"
    ]
    return found


def _shown(found: list[Tracked]) -> list[Evidence]:
    return [t.evidence for t in found[:5]]


def _by_uri(project: Project, on: list[Tracked]) -> Verdict | None:
    """What the addresses in code, settings and variables say."""
    if not on:
        return None
    known = _servers(project)
    local: list[Evidence] = []
    for text, evidence in _addresses(project):
        if _TO_FILL.search(text):
            continue
        host, servers = _host(text), _asked(known, evidence)
        if _LOOPBACK.search(text) and servers:
            return passed("Runs go to the server that is defined here.", [evidence, *servers])
        if _LOCAL.search(text):
            local.append(evidence)
        elif host and "." not in host and _REMOTE.search(text):
            if servers:
                return passed("Runs go to the server that is defined here.", [evidence, *servers])
        elif _REMOTE.search(text):
            return passed("Runs go to a server by its address.", evidence)
        elif _UNKNOWN.search(text) and (started := _started(project)):
            return passed("Runs go to the server that is started here.", [evidence, *started])
    if local:
        return partial("The tracking address is local.", local)
    machines = _machines(project) if any(t.tool == "MLflow" for t in on) else []
    asked = [u.evidence() for u in project.uses("tracker.uri", test=False, notebook=False)]
    if machines and asked:
        return passed("Runs go to the server that is defined here.", [*asked[:1], *machines])
    return None


def _machines(project: Project) -> list[Evidence]:
    """Machines that infrastructure code sets up as MLflow's server, by their name."""
    return [
        Evidence(r.span, f"{r.kind} {r.name}")
        for r in project.resources
        if _MACHINE.search(r.kind)
        and "mlflow" in f"{r.kind} {r.name}".lower()
        and not project.is_example(r.path)
    ]


def _started(project: Project) -> list[Evidence]:
    """What starts MLflow's server for others: over a database, or on a machine set up here."""
    found = [
        Evidence(c.span, c.text)
        for c, _ in project.all_commands
        if "mlflow" in c.argv
        and {"server", "ui"} & {*c.argv}
        and _DATABASE.search(" ".join(c.argv))
    ]
    for path in sorted({r.path for r in project.resources}):
        for number, line in enumerate(project.lines(path), 1):
            if _SERVES_ALL.search(line):
                found.append(Evidence(Span(path, number), line.strip()))
    return found


def _host(text: str) -> str:
    found = re.search(r"://(?:[^/@]*@)?([\w.\-]+)", text)
    return found[1] if found else ""


def _servers(project: Project) -> list[tuple[str, Evidence]]:
    """Tracking servers in compose files, with the tool that each is of."""
    found = []
    for service in project.containers.services:
        commands = (*service.command, *service.entrypoint)
        runs = any("mlflow" in c.argv and "server" in c.argv for c in commands)
        matches = project.catalogue.image(service.image) if service.image else ()
        image = next((m.tool.name for m in matches if m.capability == "tracker.server"), "")
        named = re.fullmatch(r"mlflow([\-_]?(server|tracking|ui|web))?", service.name)
        if runs or image or named:
            tool = image if not (runs or named) else "MLflow"
            found.append((tool, Evidence(service.span, f"service {service.name}")))
    return found


def _asked(servers: list[tuple[str, Evidence]], address: Evidence) -> list[Evidence]:
    """The servers that an address may mean: those of the tool that is given it."""
    told = address.detail.lower()
    named = {tool for tool, _ in servers if tool.lower() in told}
    other = not named and any(tool in told for tool in _TOLD_BY)
    return [e for tool, e in servers if not other and (not named or tool in named)]


def _addresses(project: Project) -> Iterator[tuple[str, Evidence]]:
    """The tracking addresses that are set, resolved as far as text can tell."""
    for service in project.containers.services:
        for name, value, span in service.environment:
            if name in _SERVER_NAMES:
                yield _default(value), Evidence(span, f"{name}={value}")
    for command, _ in project.all_commands:
        for name, value in _exports(command.argv):
            yield value, Evidence(command.span, f"{name}={value}")
    uses = [u for u in project.uses("tracker.uri", test=False) if u.call is not None]
    for use in sorted(uses, key=lambda u: u.notebook):
        yield from _of_use(project, use)
    for name in _URI_NAMES:
        for item in setting(project, name):
            if isinstance(item.value, str) and item.value:
                yield item.value, item.evidence()
    yield from _of_workflows(project)


def _of_workflows(project: Project) -> Iterator[tuple[str, Evidence]]:
    """Addresses that CI and a cluster's files give to jobs; a secret is one of a server."""
    paths = {w.path for w in project.workflows}
    paths |= {r.path for r in project.resources if r.path.endswith((".yaml", ".yml"))}
    for path in sorted(paths):
        lines = project.lines(path)
        for number, (line, after) in enumerate(zip_longest(lines, lines[1:], fillvalue=""), 1):
            found = _ENV_LINE.search(line)
            if not found and _ENV_NAME.search(line):
                found, number, line = _ENV_VALUE.search(after), number + 1, after  # noqa: PLW2901 -- the pair's second line
            if found:
                text = "https://secret" if found[1].startswith("${{") else found[1]
                yield text, Evidence(Span(path, number), line.strip())


def _exports(argv: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Addresses that a command sets: a variable, or what it gives ZenML or MLflow as a server."""
    for word, after in zip_longest(argv, argv[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if equals and name in _SERVER_NAMES:
            yield name, value.strip("\"'")
        flag = _FLAG.match(word) if argv[0] in {"zenml", "mlflow"} else None
        if flag:
            yield name, (flag[1] or after).strip("\"'")


def _default(value: str) -> str:
    """The default of `${NAME:-default}`."""
    found = re.fullmatch(r"\$\{\w+:?-([^}]*)\}", value)
    return found[1] if found else value


def _of_use(project: Project, use: Use) -> Iterator[tuple[str, Evidence]]:
    call = use.call
    if call is None:
        return
    given = call.arg(0, "uri") or call.kw("tracking_uri")
    if given is None:
        return
    for text in _texts(project, use.path, given, _HOPS):
        yield text, Evidence(use.span, f"{use.detail} -> {text}")


def _texts(project: Project, path: str, value: Value, hops: int) -> Iterator[str]:
    """The addresses that an expression can give: literals, constants, defaults of variables."""
    yield from value.strings()
    if hops <= 0:
        return
    module = project.modules[path]
    for assign in module.assigns:
        if value.text in assign.targets:
            yield from _texts(project, path, assign.value, hops - 1)
    if value.is_call or re.match(r"f[\"']", value.text):
        yield from _IN_CALL.findall(_filled(project, module, value.text))
        return
    yield from _given(module, value)
    for other, handed in _handed(project, module, value.text.rsplit(".", 1)[-1]):
        yield from _texts(project, other, handed, hops - 1)
    symbol = project.index.resolve(value.name, path) if value.name else None
    if symbol is None and "." in value.name:
        holder, _, last = value.name.rpartition(".")
        owner = project.index.resolve(holder, path)
        constant = project.modules[owner.path].constants.get(last) if owner else None
        if owner is not None and constant is not None:
            yield from _texts(project, owner.path, constant, hops - 1)
    for item in setting(project, value.text.rsplit(".", 1)[-1]):
        if isinstance(item.value, str):
            yield item.value


def _handed(project: Project, module: Module, name: str) -> Iterator[tuple[str, Value]]:
    """What calls anywhere give by the name of a parameter that has no default in a module."""
    if any(p.name == name and p.default is None for f in module.functions for p in f.params):
        for other in project.source:
            for call in other.calls:
                if (value := call.kw(name)) is not None and not call.decorates:
                    yield other.path, value


def _filled(project: Project, module: Module, text: str) -> str:
    """An f-string's text with what is known of the names in its holes."""
    return _HOLE.sub(lambda hole: _known(project, module, hole[1]) or hole[0], text)


def _known(project: Project, module: Module, name: str, hops: int = _HOPS) -> str:
    """The text that a module gives a name, the default of its look-up, or its setting."""
    values = [item.value for item in module.assigns if name in item.targets]
    values += [
        p.default for f in module.functions for p in f.params if p.name == name and p.default
    ]
    for value in values:
        if isinstance(value.literal, str):
            return value.literal
        if hops and value.name and not value.is_call and value.text != name:
            return _known(project, module, value.text, hops - 1)
    for given in _given(module, Value(name)):
        return given
    settings = setting(project, name.rsplit(".", 1)[-1]) if "." in name else ()
    return next((s.value for s in settings if isinstance(s.value, str)), "")


def _given(module: Module, value: Value) -> Iterator[str]:
    """Defaults of the look-up or parameter that a name comes from."""
    name = value.text.rsplit(".", 1)[-1]
    for call in module.calls:
        if value.text in call.targets:
            for given in call.args[1:2] or (v for k, v in call.kwargs if k == "default"):
                yield from given.strings()
    for function in module.functions:
        for param in function.params:
            if param.name == name and param.default is not None:
                yield from param.default.strings()
